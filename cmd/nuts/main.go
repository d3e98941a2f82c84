// Nuts draws from a density that is a plain Go function, with no graph in sight: the posterior of a decaying signal
//
//	y_i = a exp(-b t_i) + σ noise,
//
// with flat priors on log a, log b and log σ. It prints the diagnostics and draws them into runs/nuts/chains.png.
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/viz"
)

const (
	measurements = 40
	chains       = 4
	out          = "runs/nuts"
)

func main() {
	log.SetFlags(0)
	rng := rand.New(rand.NewPCG(1, 2))
	truth := []float64{math.Log(3), math.Log(0.7), math.Log(0.25)} // a, b, σ
	t, y := make([]float64, measurements), make([]float64, measurements)
	for i := range t {
		t[i] = 5 * float64(i) / measurements
		y[i] = 3*math.Exp(-0.7*t[i]) + 0.25*rng.NormFloat64()
	}

	// E(x) = Σ r_i²/2σ² + n log σ with r_i = y_i - a exp(-b t_i), x = (log a, log b, log σ).
	posterior := mcmc.RowFunc(func(grad, x []float64) float64 {
		a, b, precision := math.Exp(x[0]), math.Exp(x[1]), math.Exp(-2*x[2])
		grad[0], grad[1], grad[2] = 0, 0, measurements
		e := measurements * x[2]
		for i := range t {
			fit := a * math.Exp(-b*t[i])
			r := y[i] - fit
			e += r * r * precision / 2
			grad[0] -= r * precision * fit
			grad[1] += r * precision * fit * b * t[i]
			grad[2] -= r * r * precision
		}
		return e
	})

	start := mat.NewDense(chains, 3, nil)
	start.Apply(func(_, _ int, _ float64) float64 { return rng.Float64() - 0.5 }, start)
	draws, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(posterior), start, mcmc.SampleConfig{
		Draws:  1000,
		Warmup: mcmc.Warmup{Steps: 500}, // finds the step and the mass
	}, rng)
	check(err)

	d := mcmc.Diagnose(draws, nil)
	check(d.WriteTable(os.Stdout))
	names := []string{"log a", "log b", "log σ"}
	picture := viz.Diagnostics{Title: "decaying signal, NUTS", Names: names, Draws: draws.Kept * chains}
	fmt.Println()
	for j, name := range names {
		q := d.Quantities[j]
		fmt.Printf("%-6s %6.3f ± %.3f, truth %6.3f\n", name, q.Mean, q.Std, truth[j])
		picture.RHat, picture.ESS = append(picture.RHat, float64(q.RHat)), append(picture.ESS, float64(q.ESSBulk))
	}
	for c := range chains {
		m := mat.NewDense(draws.Kept, 3, nil)
		for k := range draws.Kept {
			m.SetRow(k, draws.Chain(c, k))
		}
		picture.Chains = append(picture.Chains, m)
	}
	check(os.MkdirAll(out, 0o755))
	check(viz.Save(out+"/chains.png", &picture))
	fmt.Println(out + "/chains.png")
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
