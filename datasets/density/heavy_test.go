package density_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// studentLogProb is the log density of studentPoints.
func studentLogProb(x *mat.Dense, nu float64) []float64 {
	n, d := x.Dims()
	top, _ := math.Lgamma((nu + float64(d)) / 2)
	bottom, _ := math.Lgamma(nu / 2)
	logp := make([]float64, n)
	for i := range logp {
		row := x.RowView(i)
		logp[i] = top - bottom - float64(d)/2*math.Log(nu*math.Pi) -
			(nu+float64(d))/2*math.Log1p(mat.Dot(row, row)/nu)
	}
	return logp
}

// Two Student densities are found as what they are, up to what so many parameters cost; Gaussians, even with some
// further out beside them, are not as near. Of Gaussian points nothing changes.
func TestTailed(t *testing.T) {
	const n, d, nu = 1500, 4, 3
	apart := func(x *mat.Dense) {
		rows, _ := x.Dims()
		for i := range rows {
			if i%2 == 0 {
				x.Set(i, 0, x.At(i, 0)+8)
			}
		}
	}
	for _, gaussian := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(5, 6))
		law := float64(nu)
		if gaussian {
			law = math.Inf(1)
		}
		x, fresh := studentPoints(n, d, law, rng), studentPoints(8000, d, law, rng)
		apart(x)
		apart(fresh)
		cfg := density.MixtureConfig{Most: 3}
		m, err := density.FitMixture(x, cfg, rng)
		if err != nil {
			t.Fatal(err)
		}
		q, err := density.Tailed(m, x, cfg, rng)
		if err != nil {
			t.Fatal(err)
		}
		if gaussian {
			if q != m {
				t.Error("tails were found in Gaussian points")
			}
			continue
		}
		left := mat.DenseCopyOf(fresh)
		left.Apply(func(_, j int, v float64) float64 {
			if j == 0 {
				return v - 8
			}
			return v
		}, left)
		logp, right := studentLogProb(left, nu), studentLogProb(fresh, nu)
		for i := range logp {
			logp[i] = math.Log((math.Exp(logp[i]) + math.Exp(right[i])) / 2)
		}
		contaminated, err := density.Contaminate(m, x)
		if err != nil {
			t.Fatal(err)
		}
		kl := func(q *density.Mixture) (mean, se float64) {
			logq := make([]float64, len(logp))
			q.LogProb(logq, fresh)
			for i := range logq {
				logq[i] = logp[i] - logq[i]
			}
			mean, sd := stat.MeanStdDev(logq, nil)
			return mean, sd / math.Sqrt(float64(len(logq)))
		}
		own, se := kl(q)
		other, _ := kl(contaminated)
		// some 35 parameters, half a nat each, over all points
		if most := 2*0.5*35/n + 4*se; own > most || other <= most {
			t.Errorf("KL %.4f ± %.4f, of a contaminated mixture %.4f; want the first within %.4f and the second not",
				own, se, other, most)
		}
	}
}
