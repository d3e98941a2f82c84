package energy

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy/safetensors"
)

func smallNet(dim int) (Energy, error) { return NewMLP(MLPConfig{Dim: dim, Hidden: []int{5}}) }

// The energy is -log b plus λ times the output of the network for z, r, u and l, computed here from the density itself.
func TestTilted(t *testing.T) {
	base := irregular(density.Full, 3, 2)
	var net Energy
	tilted := must(Tilt(TiltConfig{Base: base, Share: 0.7}, func(dim int) (Energy, error) {
		net = must(smallNet(dim))
		return net, nil
	}))
	rng := newRNG(3)
	p, x := Init(tilted, rng), normal(6, 2, rng)
	for i := range p.Data() {
		p.Data()[i] += rng.NormFloat64()
	}
	mean, root := tilted.Moments()
	shares, logb := mat.NewDense(6, 3, nil), make([]float64, 6)
	base.Shares(shares, x)
	base.LogProb(logb, x)
	var h float64
	for k, w := range base.Weights() {
		h += w * (1 + math.Log(2*math.Pi) + 0.5*math.Log(mat.Det(base.CovarianceOf(k))) - math.Log(w))
	}
	in := mat.NewDense(6, 8, nil)
	for i := range 6 {
		u := mat.NewVecDense(2, nil)
		for k, r := range shares.RawRowView(i) {
			var place mat.VecDense
			off := []float64{x.At(i, 0) - base.Parameters().Means[2*k], x.At(i, 1) - base.Parameters().Means[2*k+1]}
			if err := place.SolveVec(factorOf(base.Parameters(), k), mat.NewVecDense(2, off)); err != nil {
				t.Fatal(err)
			}
			u.AddScaledVec(u, r, &place)
		}
		var z mat.VecDense
		if err := z.SolveVec(root, mat.NewVecDense(2,
			[]float64{x.At(i, 0) - mean[0], x.At(i, 1) - mean[1]})); err != nil {
			t.Fatal(err)
		}
		far := math.Log1p(math.Log1p(math.Exp((-logb[i] - h) / math.Sqrt2)))
		in.SetRow(i, slices.Concat(z.RawVector().Data, shares.RawRowView(i), u.RawVector().Data, []float64{far}))
	}
	f, got := make([]float64, 6), make([]float64, 6)
	if err := must(NewEvaluator(net, p, EvaluatorConfig{Batch: 6, Precision: Float64})).Energies(f, in); err != nil {
		t.Fatal(err)
	}
	if err := must(NewEvaluator(tilted, p, EvaluatorConfig{Batch: 6, Precision: Float64})).Energies(got,
		x); err != nil {
		t.Fatal(err)
	}
	alone := make([]float64, 6)
	if err := must(NewEvaluator(tilted.Alone(), p, EvaluatorConfig{Batch: 6, Precision: Float64})).Energies(alone,
		x); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if want := -logb[i] + 0.7*f[i]; !scalar.EqualWithinAbsOrRel(got[i], want, 1e-10, 1e-10) {
			t.Errorf("energy %d: got %g, want %g", i, got[i], want)
		}
		if !scalar.EqualWithinAbsOrRel(alone[i], 0.7*f[i], 1e-10, 1e-10) {
			t.Errorf("correction %d: got %g, want %g", i, alone[i], 0.7*f[i])
		}
	}
}

// The moments of the base match its draws, to sampling error.
func TestTiltedMoments(t *testing.T) {
	const n = 20000
	base := irregular(density.Full, 3, 2)
	mean, root := must(Tilt(TiltConfig{Base: base, Share: 1}, smallNet)).Moments()
	x := mat.NewDense(n, 2, nil)
	base.Sample(x, newRNG(5))
	for a := range 2 {
		var sum, squares float64
		for i := range n {
			v := x.At(i, a) - mean[a]
			sum += v
			squares += v * v
		}
		variance := root.At(a, 0)*root.At(a, 0) + root.At(a, 1)*root.At(a, 1)
		if a == 0 {
			variance = root.At(0, 0) * root.At(0, 0)
		}
		if math.Abs(sum/n) > 4*math.Sqrt(variance/n) || math.Abs(squares/n/variance-1) > 0.1 {
			t.Errorf("coordinate %d: mean off by %g, variance %g, want %g", a, sum/n, squares/n, variance)
		}
	}
}

func TestTiltRefuses(t *testing.T) {
	base := irregular(density.Full, 2, 2)
	for _, cfg := range []TiltConfig{{Share: 1}, {Mixed: new(density.Mixed), Warped: bentBase(), Share: 1}, {Base: base, Share: -1}, {Base: base, Share: math.NaN()}} {
		if _, err := Tilt(cfg, smallNet); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
	if _, err := Tilt(TiltConfig{Base: base, Share: 1}, func(int) (Energy, error) { return smallNet(2) }); err == nil ||
		!strings.Contains(err.Error(), "want 7") {
		t.Errorf("a network of two variables: %v", err)
	}
}

// A mixture of every kind of covariance is read back to the bit; anything that is not a mixture is refused.
func TestDensityFile(t *testing.T) {
	for _, kind := range []density.Covariance{density.Full, density.Tied, density.Diagonal, density.Spherical} {
		m := irregular(kind, 3, 2)
		f := &safetensors.File{Tensors: DensityTensors("base", m)}
		read, err := ReadDensity(f, "base")
		if err != nil {
			t.Fatal(err)
		}
		a, b := m.Parameters(), read.Parameters()
		if a.Covariance != b.Covariance || !slices.Equal(a.Weights, b.Weights) || !slices.Equal(a.Means, b.Means) ||
			!slices.Equal(a.Factors, b.Factors) {
			t.Errorf("%v: read %+v, want %+v", kind, b, a)
		}
		if _, err := ReadDensity(f, "other"); err == nil {
			t.Error("a missing mixture: no error")
		}
		f.Tensors[2].Shape = []int{7}
		if _, err := ReadDensity(f, "base"); err == nil {
			t.Error("factors of a wrong shape: no error")
		}
	}
}
