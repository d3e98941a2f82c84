// Nuts samples a hierarchical model that is a plain Go function, with no graph in sight: the effects θ_j of one
// treatment in eight trials, observed with known errors,
//
//	y_j ~ N(θ_j, σ_j),  θ_j ~ N(μ, τ),  μ ~ N(0, 5),  τ ~ half-Cauchy(5).
//
// In this form τ is the scale of the θ: where it is small they are confined, and no step size suits both ends. The
// warnings say so, and what to do. Sampling z_j instead, with θ_j = μ + τ z_j, there is nothing to warn about. The
// draws of both forms go to runs/nuts.
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/viz"
)

const (
	chains = 4
	out    = "runs/nuts"
)

var (
	effects = []float64{28, 8, -3, 7, -1, 1, 18, 12} // Rubin's eight schools
	errors  = []float64{15, 10, 16, 11, 9, 11, 10, 18}
)

// hyper adds -log p(μ, τ) with the Jacobian of log τ: x = (μ, log τ, …).
func hyper(grad, x []float64) (mu, tau, e float64) {
	mu, tau = x[0], math.Exp(x[1])
	clear(grad)
	grad[0] = mu / 25
	grad[1] = 2*tau*tau/(25+tau*tau) - 1
	return mu, tau, mu*mu/50 + math.Log1p(tau*tau/25) - x[1]
}

// centred returns E(μ, log τ, θ).
func centred(grad, x []float64) float64 {
	mu, tau, e := hyper(grad, x)
	for j, theta := range x[2:] {
		z, r := (theta-mu)/tau, (theta-effects[j])/errors[j]
		e += z*z/2 + x[1] + r*r/2
		grad[0] -= z / tau
		grad[1] += 1 - z*z
		grad[2+j] = z/tau + r/errors[j]
	}
	return e
}

// apart returns E(μ, log τ, z), θ = μ + τz.
func apart(grad, x []float64) float64 {
	mu, tau, e := hyper(grad, x)
	for j, z := range x[2:] {
		r := (mu + tau*z - effects[j]) / errors[j]
		e += z*z/2 + r*r/2
		grad[0] += r / errors[j]
		grad[1] += r / errors[j] * tau * z
		grad[2+j] = z + r/errors[j]*tau
	}
	return e
}

func main() {
	log.SetFlags(0)
	check(os.MkdirAll(out, 0o755))
	run("centred", "θ", centred, func(x []float64) float64 { return x[2] })
	run("apart", "z", apart, func(x []float64) float64 { return x[0] + math.Exp(x[1])*x[2] })
}

// run samples, prints diagnostics of the draws, and saves plots of the chains.
func run(form, variable string, energy mcmc.RowFunc, theta func(x []float64) float64) {
	names := []string{"μ", "log τ"}
	for j := range effects {
		names = append(names, fmt.Sprintf("%s%d", variable, j+1))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	start, err := mcmc.Starts(energy, chains, len(names), nil, rng)
	check(err)
	draws, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(energy), start, mcmc.SampleConfig{
		Draws: 1000, Names: names,
		Warmup: mcmc.Warmup{Steps: 1000, Accept: 0.8}, // finds the step and the mass
	}, rng)
	check(err)
	draws.Derive("effect 1", theta)
	d := mcmc.Diagnose(draws, nil)
	fmt.Printf("%s\n\n", form)
	check(d.WriteTable(os.Stdout))
	picture := viz.NewDiagnostics(draws, mcmc.RHat, mcmc.ESSBulk)
	picture.Title = "eight schools, " + form
	file := out + "/" + form + ".png"
	check(viz.Save(file, picture))
	pairs, err := viz.NewPairs(draws, "μ", "log τ", "effect 1") // divergent draws stand out
	check(err)
	check(viz.Save(out+"/"+form+"-pairs.png", pairs))
	fmt.Printf("%s\n\n", file)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
