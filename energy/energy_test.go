package energy

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

func newRNG(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pictures holds small energies of pictures.
func pictures() map[string]Energy {
	return map[string]Energy{
		"conv": must(NewConv(ConvConfig{Height: 5, Width: 4, Channels: 2, Widths: []int{3, 4}, Hidden: []int{5}})),
		"pool": must(NewConv(ConvConfig{Height: 5, Width: 4, Widths: []int{3}, Pool: 2, Activation: Tanh})),
	}
}

// every holds a small energy of each kind.
func every() map[string]Energy {
	mlp := func(d int, act Activation) Energy {
		return must(NewMLP(MLPConfig{Dim: d, Hidden: []int{5, 4}, Activation: act}))
	}
	b := must(NewMixture(mat.NewDense(3, 2, []float64{1, 2, -1, 0, 0, 0}), []float64{0.5, 1, 2}, []float64{1, 2, 1}))
	return map[string]Energy{
		"mlp silu":     mlp(3, SiLU),
		"mlp tanh":     mlp(2, Tanh),
		"mlp gelu":     mlp(2, GELU),
		"mlp softplus": mlp(1, Softplus),
		"mlp sigmoid":  mlp(2, Sigmoid),
		"mlp sin":      mlp(2, Sin),
		"mlp affine":   must(NewMLP(MLPConfig{Dim: 2})),
		"residual":     must(NewResidual(ResidualConfig{Dim: 2, Width: 5, Blocks: 2})),
		"fourier": must(NewFourier(FourierConfig{Dim: 2, Frequencies: 3},
			func(d int) (Energy, error) { return mlp(d, SiLU), nil })),
		"features": must(NewFourier(FourierConfig{Dim: 2, Frequencies: 3, WithoutX: true}, func(d int) (Energy, error) {
			return mlp(d, SiLU), nil
		})),
		"condition": must(NewFourier(FourierConfig{Dim: 3, Frequencies: 3, Condition: 2}, func(d int) (Energy, error) {
			return mlp(d, SiLU), nil
		})),
		"gaussian":    Gaussian{3},
		"mixture":     GaussianMixture{2, 3},
		"fixed":       b.Energy(),
		"density":     must(NewDensity(irregular(density.Full, 3, 2))),
		"kernels":     must(NewDensity(irregular(density.Spherical, 20, 3))),
		"tied":        must(NewDensity(irregular(density.Tied, 3, 2))),
		"banana":      Banana{},
		"funnel":      Funnel{3},
		"double well": DoubleWell{2},
		"well 1":      DoubleWell{1},
		"ring":        Ring{},
		"blurred":     BlurredMixture{GaussianMixture{2, 3}, []float64{1, 0.4}},
		"confined":    must(Confine(mlp(2, SiLU), []float64{1, -1}, 3)),
		"bridge":      must(NewBridge(mlp(2, SiLU), BridgeConfig{Background: b})),
		"tilted": must(Tilt(TiltConfig{Base: irregular(density.Full, 3, 2), Share: 0.7},
			func(d int) (Energy, error) { return mlp(d, SiLU), nil })),
		"tilted 1": must(Tilt(TiltConfig{Base: irregular(density.Full, 1, 2), Share: 1},
			func(d int) (Energy, error) { return mlp(d, SiLU), nil })),
		"tilted plain": must(Tilt(TiltConfig{Base: irregular(density.Full, 3, 2), Share: 1, Plain: true},
			func(d int) (Energy, error) { return mlp(d, SiLU), nil })),
		"tilted tails": must(Tilt(TiltConfig{Base: heavy(irregular(density.Tied, 3, 2)), Share: 1},
			func(d int) (Energy, error) { return mlp(d, SiLU), nil })),
		"base alone": must(Tilt(TiltConfig{Base: irregular(density.Tied, 3, 2), Share: 0},
			func(d int) (Energy, error) { return mlp(d, SiLU), nil })),
		"spectral": must(NewSpectral(mlp(2, SiLU), 2)),
		"beside": must(must(NewAnnealable(mlp(3, SiLU), GeometricLevels(2, 0.1, 5),
			1.5)).Beside(must(NewMixture(mat.NewDense(3, 2, []float64{1, 0, -1, 1, 0.5, -2}), []float64{0.4, 0.6, 0.9},
			[]float64{1, 2, 1})), 0.2)),
		"annealable": must(NewAnnealable(mlp(3, SiLU), GeometricLevels(2, 0.1, 5), 1.5)),
		"func": Func{D: 2, Params: []Spec{{"scale", []int{1}}}, F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			return graphs.Try(func() *G.Node {
				return graphs.Mul(graphs.RowSum(graphs.Square(x)), graphs.ExpandRows(theta[0], x.Shape()[0]))
			})
		}},
	}
}

// heavy is a mixture with tails.
func heavy(m *density.Mixture) *density.Mixture {
	rng := newRNG(9)
	x := mat.NewDense(500, m.Dim(), nil)
	m.Sample(x, rng)
	for i := range 25 {
		row := x.RawRowView(i)
		floats.Scale(4, row)
	}
	return must(density.Contaminate(m, x))
}

func normal(n, d int, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, d, nil)
	fillNormal(x.RawMatrix().Data, 1, rng)
	return x
}

// The gradient in x agrees with central differences of the energies, and float32 with float64.
func TestGradient(t *testing.T) {
	all := every()
	maps.Copy(all, pictures())
	for name, e := range all {
		t.Run(name, func(t *testing.T) {
			rng := newRNG(1)
			p := Init(e, rng)
			for i := range p.Data() {
				p.Data()[i] += 0.1 * rng.NormFloat64()
			}
			x := normal(5, e.Dim(), rng)
			v := must(NewEvaluator(e, p, EvaluatorConfig{Batch: 5, Precision: Float64}))
			u, grad := make([]float64, 5), mat.NewDense(5, e.Dim(), nil)
			if err := v.EnergyGrad(u, grad, x); err != nil {
				t.Fatal(err)
			}
			const h = 1e-5
			lo, hi := make([]float64, 5), make([]float64, 5)
			for j := range e.Dim() {
				y := mat.DenseCopyOf(x)
				for i := range 5 {
					y.Set(i, j, x.At(i, j)+h)
				}
				if err := v.Energies(hi, y); err != nil {
					t.Fatal(err)
				}
				for i := range 5 {
					y.Set(i, j, x.At(i, j)-h)
				}
				if err := v.Energies(lo, y); err != nil {
					t.Fatal(err)
				}
				for i := range 5 {
					want := (hi[i] - lo[i]) / (2 * h)
					if got := grad.At(i, j); !scalar.EqualWithinAbsOrRel(got, want, 1e-8, 1e-7) {
						t.Errorf("∂E/∂x_%d at row %d: got %.12g, want %.12g", j, i, got, want)
					}
				}
			}
			single := must(NewEvaluator(e, p, EvaluatorConfig{Batch: 5}))
			u32, g32 := make([]float64, 5), mat.NewDense(5, e.Dim(), nil)
			if err := single.EnergyGrad(u32, g32, x); err != nil {
				t.Fatal(err)
			}
			for i := range u {
				if !scalar.EqualWithinAbsOrRel(u32[i], u[i], 2e-5, 2e-5) {
					t.Errorf("float32 energy: got %g, want %g", u32[i], u[i])
				}
				for j := range e.Dim() {
					if !scalar.EqualWithinAbsOrRel(g32.At(i, j), grad.At(i, j), 1e-4, 1e-4) {
						t.Errorf("float32 gradient: got %g, want %g", g32.At(i, j), grad.At(i, j))
					}
				}
			}
		})
	}
}

// known holds densities at parameters other than the initial ones.
func known() map[string]struct {
	e     Known
	theta []float64
} {
	type row = struct {
		e     Known
		theta []float64
	}
	return map[string]row{
		"gaussian": {Gaussian{2}, []float64{1, -0.5, 1.2, 0.3, -0.4, 0.9}},
		"mixture":  {GaussianMixture{2, 2}, []float64{0, 0.7, -1, 0.2, 1, -0.4, -0.3, -0.9, -0.6, 0.1}},
		"banana":   {Banana{}, []float64{0.2, -0.7, 0.6}},
		"funnel":   {Funnel{2}, []float64{-0.1}},
		"well":     {DoubleWell{2}, []float64{1, 0.2}},
		"ring":     {Ring{}, []float64{0.3, -0.5}},
		"wide":     {Ring{}, []float64{0, 0.2}},
	}
}

// LogZ agrees with quadrature, and draws have the density: the mean of every monomial up to order two, and of cos x₁
// and cos x₂, lies within 4.5 standard errors of its value by quadrature.
func TestKnown(t *testing.T) {
	for name, k := range known() {
		t.Run(name, func(t *testing.T) {
			p := NewParams(k.e.Specs())
			copy(p.Data(), k.theta)
			const box, m = 14.0, 401
			stats := func(x, y float64) [6]float64 {
				return [6]float64{1, math.Tanh(x), math.Tanh(y), math.Cos(x), math.Cos(y), math.Sin(x) * math.Sin(y)}
			}
			v := must(NewEvaluator(k.e, p, EvaluatorConfig{Batch: m, Precision: Float64}))
			var sum [6]float64
			u, x := make([]float64, m), mat.NewDense(m, 2, nil)
			for i := range m {
				a := box * (2*float64(i)/(m-1) - 1)
				for j := range m {
					x.SetRow(j, []float64{a, box * (2*float64(j)/(m-1) - 1)})
				}
				if err := v.Energies(u, x); err != nil {
					t.Fatal(err)
				}
				for j := range m {
					w := math.Exp(-u[j]) * (2 * box / (m - 1)) * (2 * box / (m - 1))
					for s, f := range stats(a, x.At(j, 1)) {
						sum[s] += w * f
					}
				}
			}
			if got, want := k.e.LogZ(p), math.Log(sum[0]); math.Abs(got-want) > 1e-4 {
				t.Errorf("log Z: got %g, quadrature %g", got, want)
			}
			const n = 40000
			draws := mat.NewDense(n, 2, nil)
			k.e.Sample(p, draws, newRNG(3))
			var mean, sq [6]float64
			for i := range n {
				for s, f := range stats(draws.At(i, 0), draws.At(i, 1)) {
					mean[s] += f / n
					sq[s] += f * f / n
				}
			}
			for s := 1; s < 6; s++ {
				want := sum[s] / sum[0]
				se := math.Sqrt((sq[s] - mean[s]*mean[s]) / n)
				if math.Abs(mean[s]-want) > 4.5*se {
					t.Errorf("statistic %d: mean of the draws %g ± %g, want %g", s, mean[s], se, want)
				}
			}
		})
	}
}

// The mean of the squares under the funnel is exp(s²/2), out of reach of a small quadrature.
func TestFunnelScale(t *testing.T) {
	e := Funnel{4}
	p := NewParams(e.Specs())
	p.Data()[0] = -0.7
	x := mat.NewDense(20000, 4, nil)
	e.Sample(p, x, newRNG(2))
	var mean, sq float64
	for i := range 20000 {
		v := x.At(i, 3) * x.At(i, 3)
		mean += v / 20000
		sq += v * v / 20000
	}
	s := math.Exp(-0.7)
	if se := math.Sqrt((sq - mean*mean) / 20000); math.Abs(mean-math.Exp(s*s/2)) > 4.5*se {
		t.Errorf("E x_4² = %g ± %g, want %g", mean, se, math.Exp(s*s/2))
	}
}

// A stored mixture is restored to the bit, and stored again it gives the same arrays.
func TestMixtureArrays(t *testing.T) {
	rng := newRNG(3)
	data := mat.NewDense(40, 2, nil)
	for i := range data.RawMatrix().Data {
		data.RawMatrix().Data[i] = rng.NormFloat64()
	}
	m := must(Ladder(data, []float64{0.3, 0.1}, 37, 2, rng))
	file := &safetensors.File{Tensors: m.Tensors("b")}
	read := must(ReadMixture(file, "b"))
	if again := read.Tensors("b"); !reflect.DeepEqual(again, file.Tensors) {
		t.Error("the arrays change")
	}
	if _, err := ReadMixture(file, "c"); err == nil {
		t.Error("a mixture that is not there was read")
	}
	got, want := make([]float64, 40), make([]float64, 40)
	m.LogProb(want, data)
	read.LogProb(got, data)
	if !slices.Equal(got, want) {
		t.Errorf("got log densities %v, want %v", got, want)
	}
}

func TestMixtureBuildMatchesLogProb(t *testing.T) {
	rng := newRNG(4)
	data := normal(200, 3, rng)
	m := must(Ladder(data, []float64{0.3, 1}, 50, 2, rng))
	v := must(NewEvaluator(m.Energy(), NewParams(nil), EvaluatorConfig{Precision: Float64}))
	x := normal(30, 3, rng)
	got, want := make([]float64, 30), make([]float64, 30)
	grad, row := mat.NewDense(30, 3, nil), make([]float64, 3)
	if err := v.EnergyGrad(got, grad, x); err != nil {
		t.Fatal(err)
	}
	m.LogProb(want, x)
	for i := range got {
		e, bare := m.EnergyAt(row, x.RawRowView(i)), m.EnergyAt(nil, x.RawRowView(i))
		if math.Abs(e+want[i]) > 1e-10 || e != bare {
			t.Errorf("row %d: EnergyAt %g and, without gradient, %g, want %g", i, e, bare, -want[i])
		}
		for j, g := range grad.RawRowView(i) {
			if math.Abs(row[j]-g) > 1e-9*(1+math.Abs(g)) {
				t.Errorf("row %d: EnergyAt's gradient %v, graph %v", i, row, grad.RawRowView(i))
				break
			}
		}
	}
	if n := testing.AllocsPerRun(10, func() { m.EnergyAt(row, row) }); n != 0 {
		t.Errorf("EnergyAt: %g allocations", n)
	}
	for i := range got {
		if math.Abs(got[i]+want[i]) > 1e-10 {
			t.Errorf("row %d: graph %g, LogProb %g", i, -got[i], want[i])
		}
	}
	// Blurring adds variances.
	one := must(NewMixture(mat.NewDense(1, 1, []float64{0}), []float64{0.6}, nil)).Blurred(0.8)
	one.LogProb(got[:1], mat.NewDense(1, 1, []float64{0.5}))
	if want := -0.5*0.25 - 0.5*math.Log(2*math.Pi); math.Abs(got[0]-want) > 1e-12 {
		t.Errorf("blurred: got %g, want %g", got[0], want)
	}
}

// For the f whose odds are (1-ε)p/εb, the bridge is p and its mixed energy that of q = (1-ε)p + εb.
func TestBridge(t *testing.T) {
	const eps, sd, wide = 0.4, 0.5, 2.0
	log := func(x, s float64) float64 { return -0.5*x*x/(s*s) - math.Log(s) - 0.5*math.Log(2*math.Pi) }
	b := must(NewMixture(mat.NewDense(1, 1, nil), []float64{wide}, nil))
	f := Func{D: 1, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.Try(func() *G.Node { // log b/p
			return bent(graphs.Shift(graphs.Scale(graphs.Square(x), 0.5/(sd*sd)-0.5/(wide*wide)), math.Log(sd/wide)))
		})
	}}
	e := must(NewBridge(f, BridgeConfig{Background: b, Share: eps}))
	p := NewParams(nil)
	pts := []float64{0, 0.3, -0.7, 1.2, 1.5, 3} // the odds are from 6 down to 3e-7
	x := mat.NewDense(len(pts), 1, pts)
	for _, c := range []struct {
		name string
		e    Energy
		want func(x float64) float64
	}{
		{"E", e, func(x float64) float64 { return -log(x, sd) }},
		{"E_q", e.Mixed(), func(x float64) float64 {
			return -math.Log((1-eps)*math.Exp(log(x, sd)) + eps*math.Exp(log(x, wide)))
		}},
	} {
		u, g := make([]float64, len(pts)), mat.NewDense(len(pts), 1, nil)
		if err := must(NewEvaluator(c.e, p, EvaluatorConfig{Precision: Float64})).EnergyGrad(u, g, x); err != nil {
			t.Fatal(err)
		}
		for i, a := range pts {
			const h = 1e-5
			if want := c.want(a); math.Abs(u[i]-want) > 1e-9 {
				t.Errorf("%s(%g): got %.12g, want %.12g", c.name, a, u[i], want)
			}
			if got, want := g.At(i, 0), (c.want(a+h)-c.want(a-h))/(2*h); math.Abs(got-want) > 1e-6 {
				t.Errorf("gradient of %s(%g): got %.9g, want %.9g", c.name, a, got, want)
			}
		}
	}
}

// bent builds the f of log b/p: with u = exp(f) the odds are those of f = 0 times (1+a)/(u(1+au)), a = exp(-2).
func bent(logbp *G.Node) *G.Node {
	a := math.Exp(-2)
	root := graphs.Sqrt(graphs.Shift(graphs.Scale(graphs.Exp(logbp), 4*a*(1+a)), 1))
	return graphs.Log(graphs.Scale(graphs.Shift(root, -1), 0.5/a))
}

// Far from the data, where the network may take any value, the energy and its gradient are finite in either
// precision.
func TestBridgeFar(t *testing.T) {
	b := must(NewMixture(mat.NewDense(1, 1, nil), []float64{1}, nil))
	f := must(NewMLP(MLPConfig{Dim: 1})) // an affine correction: f = 3x
	e := must(NewBridge(f, BridgeConfig{Background: b}))
	p := NewParams(e.Specs())
	p.View("net.0.weight")[0] = 3
	x := mat.NewDense(5, 1, []float64{-300, -60, 0, 60, 300})
	for _, prec := range []Precision{Float32, Float64} {
		u, g := make([]float64, 5), mat.NewDense(5, 1, nil)
		if err := must(NewEvaluator(e, p, EvaluatorConfig{Precision: prec})).EnergyGrad(u, g, x); err != nil {
			t.Fatal(err)
		}
		for i, v := range u {
			if d := g.At(i, 0); math.IsNaN(v+d) || math.IsInf(v+d, 0) {
				t.Errorf("%v: E(%g) = %g, gradient %g", prec, x.At(i, 0), v, d)
			}
		}
		// Where all is p, E = -log b + f - log(1+exp(-c)), and where nothing is, E = -log b + 2f - c - log(1+exp(-c)).
		far, most := 0.5*300*300+0.5*math.Log(2*math.Pi)-math.Log1p(math.Exp(-2)), 0.0
		for i, want := range map[int]float64{0: far - 900, 4: far + 1800 - 2} {
			most = max(most, math.Abs(u[i]/want-1))
		}
		if most > 1e-6 {
			t.Errorf("%v: E(-300), E(300) = %g, %g, off by up to %g of them", prec, u[0], u[4], most)
		}
	}
}

func TestSpectral(t *testing.T) {
	e := must(NewSpectral(must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{6}, Activation: Tanh})), 1.5))
	p := Init(e, newRNG(5))
	v := must(NewEvaluator(e, p, EvaluatorConfig{Precision: Float64}))
	// The energy does not depend on the scale of the weights.
	x := normal(4, 2, newRNG(6))
	a, b := make([]float64, 4), make([]float64, 4)
	if err := v.Energies(a, x); err != nil {
		t.Fatal(err)
	}
	for i, s := range p.Specs() {
		if IsWeight(s) {
			for j := range p.Views(p.Data())[i] {
				p.Views(p.Data())[i][j] *= 7
			}
		}
	}
	p.Changed()
	if err := v.Energies(b, x); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-9 {
			t.Errorf("row %d: %g, after scaling the weights %g", i, a[i], b[i])
		}
	}
	clear(p.Data()) // a matrix of zeros stays one
	p.Changed()
	if err := v.Energies(b, x); err != nil || slices.ContainsFunc(b, math.IsNaN) {
		t.Errorf("without weights: %v, %v", b, err)
	}
}

// The matrices that the inner energy sees have the norm asked for.
func TestSpectralNorm(t *testing.T) {
	const c, rows, cols = 1.5, 4, 3
	identity := Func{D: cols, Params: []Spec{{"weight", []int{rows, cols}}},
		F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			return graphs.Try(func() *G.Node {
				return graphs.RowSum(graphs.Square(graphs.MatMul(x, theta[0], false, true))) // |Ŵx|²
			})
		}}
	e := must(NewSpectral(identity, c))
	p := NewParams(e.Specs())
	// Singular values 4, 2 and 1: six steps leave an error of about 10⁻⁶.
	u, v := new(mat.QR), new(mat.QR)
	u.Factorize(normal(rows, rows, newRNG(1)))
	v.Factorize(normal(cols, cols, newRNG(2)))
	var qu, qv, w mat.Dense
	u.QTo(&qu)
	v.QTo(&qv)
	w.Product(qu.Slice(0, rows, 0, cols), mat.NewDiagDense(cols, []float64{4, 2, 1}), qv.T())
	copy(p.Data(), w.RawMatrix().Data)
	x := mat.DenseCopyOf(qv.T()) // rows: the singular vectors
	got := make([]float64, cols)
	if err := must(NewEvaluator(e, p, EvaluatorConfig{Precision: Float64})).Energies(got, x); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{c * c, c * c / 4, c * c / 16} {
		if math.Abs(got[i]-want) > 1e-5 {
			t.Errorf("|Ŵv|² of singular vector %d: got %g, want %g", i, got[i], want)
		}
	}
}

// What Confine adds is |x - c|²/(2s²).
func TestConfined(t *testing.T) {
	const s = 3
	inner := must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{4}}))
	p := Init(inner, newRNG(1))
	x := normal(4, 2, newRNG(2))
	for _, centre := range [][]float64{nil, {1, -2}} {
		a, b := make([]float64, 4), make([]float64, 4)
		if err := errors.Join(
			must(NewEvaluator(inner, p, EvaluatorConfig{Precision: Float64})).Energies(a, x),
			must(NewEvaluator(must(Confine(inner, centre, s)), p, EvaluatorConfig{Precision: Float64})).Energies(b, x),
		); err != nil {
			t.Fatal(err)
		}
		for i := range a {
			want := a[i]
			for j, v := range x.RawRowView(i) {
				if centre != nil {
					v -= centre[j]
				}
				want += v * v / (2 * s * s)
			}
			if math.Abs(b[i]-want) > 1e-12 {
				t.Errorf("centre %v, row %d: got %g, want %g", centre, i, b[i], want)
			}
		}
	}
}

// The last variable and the others start in separate rows.
func TestFourierCondition(t *testing.T) {
	const d, m, k = 3, 5, 2
	e := must(NewFourier(FourierConfig{Dim: d, Frequencies: m, Condition: k}, func(width int) (Energy, error) {
		if want := d + 2*(m+k); width != want {
			t.Errorf("embedding of width %d, want %d", width, want)
		}
		return NewMLP(MLPConfig{Dim: width, Hidden: []int{4}})
	}))
	b := Init(e, rand.New(rand.NewPCG(1, 2))).View("features.weight")
	if len(b) != (m+k)*d {
		t.Fatalf("%d weights, want %d", len(b), (m+k)*d)
	}
	for i, v := range b {
		if own := (i/d >= m) == (i%d == d-1); own != (v != 0) {
			t.Errorf("row %d, variable %d: %g", i/d, i%d, v)
		}
	}
	for _, cfg := range []FourierConfig{{Dim: 1, Condition: 1}, {Dim: 2, Condition: -1}} {
		if _, err := NewFourier(cfg, func(int) (Energy, error) { return Gaussian{1}, nil }); err == nil ||
			!strings.Contains(err.Error(), "Condition") {
			t.Errorf("%+v: error %v", cfg, err)
		}
	}
}

// Levels of the conditional energy: At agrees with BuildAt, and Build is the smallest level.
func TestAnnealable(t *testing.T) {
	levels := GeometricLevels(2, 0.125, 5)
	if levels[0] != 2 || math.Abs(levels[2]-0.5) > 1e-12 || math.Abs(levels[4]-0.125) > 1e-12 {
		t.Errorf("levels %v", levels)
	}
	e := must(NewAnnealable(must(NewMLP(MLPConfig{Dim: 3, Hidden: []int{4}})), levels, 1))
	p := Init(e, newRNG(7))
	x := normal(3, 2, newRNG(8))
	a, b, c := make([]float64, 3), make([]float64, 3), make([]float64, 3)
	cfg := EvaluatorConfig{Precision: Float64}
	for _, err := range []error{
		must(NewEvaluator(e, p, cfg)).Energies(a, x),
		must(NewEvaluator(e.At(0.125), p, cfg)).Energies(b, x),
		must(NewEvaluator(e.At(2), p, cfg)).Energies(c, x),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(a) != fmt.Sprint(b) || fmt.Sprint(a) == fmt.Sprint(c) {
		t.Errorf("smallest level %v, At(0.125) %v, At(2) %v", a, b, c)
	}
	v := must(NewEvaluator(e, p, cfg))
	d := make([]float64, 3)
	for _, want := range []struct {
		sigma float64
		e     []float64
	}{{0.125, a}, {2, c}, {0.125, a}} {
		if err := errors.Join(v.SetSigma(want.sigma), v.Energies(d, x)); err != nil ||
			!floats.EqualApprox(d, want.e, 1e-12) {
			t.Errorf("SetSigma(%g): got %v, %v, want %v", want.sigma, d, err, want.e)
		}
	}
	if v.SetSigma(0) == nil || must(NewEvaluator(Gaussian{1}, NewParams(Gaussian{1}.Specs()), cfg)).SetSigma(1) == nil {
		t.Error("a wrong level is accepted")
	}
}

// The blurred mixture is the mixture whose variances are enlarged.
func TestBlurredMixture(t *testing.T) {
	plain := GaussianMixture{2, 2}
	p := NewParams(plain.Specs())
	copy(p.Data(), known()["mixture"].theta)
	v := must(NewEvaluator(BlurredMixture{plain, []float64{2, 0.5}}, p, EvaluatorConfig{Precision: Float64}))
	x, a, b := normal(4, 2, newRNG(9)), make([]float64, 4), make([]float64, 4)
	for _, sigma := range []float64{0.5, 2} {
		q := p.Clone()
		for i, ls := range q.View("log_stds") {
			q.View("log_stds")[i] = 0.5 * math.Log(math.Exp(2*ls)+sigma*sigma)
		}
		if err := errors.Join(v.SetSigma(sigma), v.Energies(a, x),
			must(NewEvaluator(plain, q, EvaluatorConfig{Precision: Float64})).Energies(b, x)); err != nil {
			t.Fatal(err)
		}
		if !floats.EqualApprox(a, b, 1e-12) {
			t.Errorf("σ = %g: got %v, want %v", sigma, a, b)
		}
	}
}

// Any number of rows, strided or not, gives the same as one row at a time.
func TestEvaluatorRows(t *testing.T) {
	e := must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{5}}))
	p := Init(e, newRNG(9))
	v := must(NewEvaluator(e, p, EvaluatorConfig{Batch: 8, Precision: Float64}))
	one := must(NewEvaluator(e, p, EvaluatorConfig{Batch: 1, Precision: Float64}))
	wide := normal(40, 5, newRNG(10))
	for _, n := range []int{1, 2, 3, 7, 8, 9, 16, 21} {
		x := wide.Slice(3, 3+n, 1, 3).(*mat.Dense)
		u, ref := make([]float64, n), make([]float64, n)
		store := mat.NewDense(n, 4, nil)
		grad, want := store.Slice(0, n, 2, 4).(*mat.Dense), mat.NewDense(n, 2, nil)
		if err := v.EnergyGrad(u, grad, x); err != nil {
			t.Fatal(err)
		}
		if err := one.EnergyGrad(ref, want, mat.DenseCopyOf(x)); err != nil {
			t.Fatal(err)
		}
		for i := range u {
			if math.Abs(u[i]-ref[i]) > 1e-13 || !mat.EqualApprox(grad, want, 1e-13) {
				t.Fatalf("%d rows: got %v, want %v", n, u, ref)
			}
		}
		if store.At(0, 0) != 0 {
			t.Error("wrote outside the gradient")
		}
	}
}

func TestEvaluatorFollowsTheta(t *testing.T) {
	p := NewParams(Gaussian{1}.Specs())
	copy(p.Data(), []float64{0, 1})
	v := must(NewEvaluator(Gaussian{1}, p, EvaluatorConfig{}))
	c := v.Clone()
	u, x := []float64{0}, mat.NewDense(1, 1, []float64{2})
	for _, want := range []float64{2, 0.5} {
		for _, e := range []*Evaluator{v, c} {
			if err := e.Energies(u, x); err != nil || u[0] != want {
				t.Errorf("got %g, %v, want %g", u[0], err, want)
			}
		}
		p.Data()[0] = 1
		p.Changed()
	}
}

func TestEvaluatorAllocatesNothing(t *testing.T) {
	e := must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{8}}))
	p := Init(e, newRNG(11))
	v := must(NewEvaluator(e, p, EvaluatorConfig{Batch: 16}))
	x := normal(21, 2, newRNG(12))
	u, g := make([]float64, 21), mat.NewDense(21, 2, nil)
	step := func() {
		p.Changed()
		if err := v.EnergyGrad(u, g, x); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(20, step); n != 0 {
		t.Errorf("%g allocations per call, want 0", n)
	}
}

func TestValidation(t *testing.T) {
	bad := map[string]error{}
	add := func(name string, _ any, err error) { bad[name] = err }
	mlp := must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{3}}))
	b := must(NewMixture(mat.NewDense(1, 3, nil), []float64{1}, nil))
	m, err := NewMLP(MLPConfig{Dim: 0, Hidden: []int{0}, Activation: "x", Init: "y", FirstGain: -1})
	add("mlp", m, err)
	r, err := NewResidual(ResidualConfig{Width: -1, Blocks: -1})
	add("residual", r, err)
	c, err := Confine(mlp, nil, 0)
	add("confine", c, err)
	c, err = Confine(mlp, []float64{1}, 1)
	add("centre", c, err)
	br, err := NewBridge(mlp, BridgeConfig{Background: b})
	add("bridge dimension", br, err)
	br, err = NewBridge(mlp, BridgeConfig{Background: b, Share: 1})
	add("bridge share", br, err)
	an, err := NewAnnealable(mlp, []float64{1, 2}, 1)
	add("levels", an, err)
	mi, err := NewMixture(mat.NewDense(1, 1, nil), []float64{0}, nil)
	add("mixture", mi, err)
	mi, err = NewMixture(new(mat.Dense), nil, nil)
	add("empty mixture", mi, err)
	mi, err = NewMixture(nil, nil, nil)
	add("nil mixture", mi, err)
	c, err = Confine(nil, nil, 1)
	add("confine nothing", c, err)
	br, err = NewBridge(nil, BridgeConfig{Background: b})
	add("bridge of nothing", br, err)
	an, err = NewAnnealable(nil, []float64{1, 0.1}, 1)
	add("levels of nothing", an, err)
	spe, err := NewSpectral(nil, 1)
	add("norm of nothing", spe, err)
	fou, err := NewFourier(FourierConfig{Dim: 2}, nil)
	add("features of nothing", fou, err)
	fou, err = NewFourier(FourierConfig{Dim: 2}, func(int) (Energy, error) { return nil, nil })
	add("features of a nil energy", fou, err)
	ev, err := NewEvaluator(mlp, NewParams(nil), EvaluatorConfig{})
	add("params", ev, err)
	ev, err = NewEvaluator(nil, NewParams(nil), EvaluatorConfig{})
	add("no energy", ev, err)
	ev, err = NewEvaluator(mlp, nil, EvaluatorConfig{})
	add("no params", ev, err)
	ev, err = NewEvaluator(mlp, Init(mlp, newRNG(1)), EvaluatorConfig{Batch: -1, Threads: -1, Precision: 9})
	add("evaluator", ev, err)
	fu := Func{D: 2, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) { return x, nil }}
	ev, err = NewEvaluator(fu, NewParams(nil), EvaluatorConfig{})
	add("func shape", ev, err)
	ev, err = NewEvaluator(Func{D: 2}, NewParams(nil), EvaluatorConfig{})
	add("func without F", ev, err)
	inf := math.Inf(1)
	in, err := NewMLP(MLPConfig{Dim: 2, FirstGain: inf})
	add("infinite gain", in, err)
	co, err := Confine(mlp, nil, inf)
	add("infinite confinement", co, err)
	sp, err := NewSpectral(mlp, inf)
	add("infinite norm", sp, err)
	an, err = NewAnnealable(mlp, []float64{inf, 1}, 1)
	add("infinite level", an, err)
	an, err = NewAnnealable(mlp, []float64{1e-5, 1e-6}, 1)
	add("levels that are all none", an, err)
	mi, err = NewMixture(mat.NewDense(1, 2, []float64{0, math.NaN()}), []float64{1}, nil)
	add("mixture around NaN", mi, err)
	fo, err := NewFourier(FourierConfig{Dim: 2}, func(dim int) (Energy, error) {
		return NewFourier(FourierConfig{Dim: dim},
			func(dim int) (Energy, error) { return NewMLP(MLPConfig{Dim: dim, Hidden: []int{3}}) })
	})
	add("features of features", fo, err)
	x := graphs.NewInput(G.NewGraph(), G.Float64, "x", 2, 2)
	none := BlurredMixture{GaussianMixture: GaussianMixture{K: 1, D: 2}}
	no, err := none.Build(x, nil)
	add("no levels", no, err)
	alone := must(NewAnnealable(must(NewMLP(MLPConfig{Dim: 3, Hidden: []int{3}})), []float64{1, 0.1}, 1))
	ex, _, err := alone.BuildMixed(x, x, nil)
	add("no background", ex, err)
	for name, err := range bad {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if Smooth(must(NewConfinedReLU())) == nil {
		t.Error("ReLU passes as smooth through a wrapper")
	}
}

func NewConfinedReLU() (Energy, error) {
	return Confine(must(NewMLP(MLPConfig{Dim: 2, Hidden: []int{3}, Activation: ReLU})), nil, 1)
}

func ExampleNewMLP() {
	e, err := NewMLP(MLPConfig{Dim: 2, Hidden: []int{16, 16}, Activation: SiLU})
	if err != nil {
		panic(err)
	}
	theta := Init(e, rand.New(rand.NewPCG(1, 2)))
	eval, err := NewEvaluator(e, theta, EvaluatorConfig{})
	if err != nil {
		panic(err)
	}
	x := mat.NewDense(3, 2, []float64{0, 0, 1, 0, 0, 1})
	u, grad := make([]float64, 3), mat.NewDense(3, 2, nil)
	if err := eval.EnergyGrad(u, grad, x); err != nil {
		panic(err)
	}
	fmt.Println(theta.Len(), "parameters;", e.Specs()[0].Name, e.Specs()[0].Shape)
	// Output: 337 parameters; net.0.weight [16 2]
}

// Beside a background b, exp(-E_q) = (1-ε) exp(-E) + ε b_σ with b_σ from [Mixture.Blurred], at every level.
func TestAnnealableBeside(t *testing.T) {
	const eps = 0.3
	back := must(NewMixture(mat.NewDense(3, 2, []float64{1, 0, -1, 1, 0.5, -2}), []float64{0.4, 0.6, 0.9},
		[]float64{1, 2, 1}))
	levels := []float64{2, 0.5, 0.1}
	a := must(must(NewAnnealable(must(NewMLP(MLPConfig{Dim: 3, Hidden: []int{4}, FirstGain: 4})), levels,
		1)).Beside(back, eps))
	p := Init(a, newRNG(1))
	own := must(NewEvaluator(a, p, EvaluatorConfig{Precision: Float64}))
	x := mat.NewDense(5, 2, []float64{0, 0, 1, 0, -1, 1, 3, -3, 0.2, 0.7})
	e, q, logb := make([]float64, 5), make([]float64, 5), make([]float64, 5)
	for _, sigma := range levels {
		mixed := must(NewEvaluator(Func{D: 2, Params: a.Specs(), F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			s := graphs.Scale(graphs.OnesLike(graphs.SliceCols(x, 0, 1)), sigma)
			excess, logb, err := a.BuildMixed(x, s, theta)
			if err != nil {
				return nil, err
			}
			return graphs.Sub(excess, logb), nil
		}}, p, EvaluatorConfig{Precision: Float64}))
		if err := errors.Join(own.SetSigma(sigma), own.Energies(e, x), mixed.Energies(q, x)); err != nil {
			t.Fatal(err)
		}
		wrong := false
		for _, blur := range []float64{sigma, 1.5 * sigma} {
			back.Blurred(blur).LogProb(logb, x)
			for i := range e {
				want := (1-eps)*math.Exp(-e[i]) + eps*math.Exp(logb[i])
				off := math.Abs(math.Exp(-q[i]) - want)
				if blur == sigma && off > 1e-12*want {
					t.Errorf("σ = %g, row %d: mixed density %g, want %g", sigma, i, math.Exp(-q[i]), want)
				}
				wrong = wrong || off > 1e-6*want
			}
		}
		if !wrong {
			t.Error("a background of another blur is not told apart")
		}
	}
	if _, err := a.Beside(back, 1); err == nil {
		t.Error("a share of 1 is accepted")
	}
}

// log b_σ is that of the mixture with every width enlarged, in any dimension.
func TestBlurredBackground(t *testing.T) {
	const sigma = 0.7
	sds, weights := []float64{0.4, 0.6, 0.4}, []float64{1, 2, 1}
	wide := make([]float64, len(sds))
	for i, s := range sds {
		wide[i] = math.Hypot(s, sigma)
	}
	for _, d := range []int{1, 3} {
		centres := normal(len(sds), d, newRNG(1))
		b := must(NewMixture(centres, sds, weights))
		a := must(must(NewAnnealable(must(NewMLP(MLPConfig{Dim: d + 1, Hidden: []int{4}})), []float64{2, 0.1},
			1)).Beside(b, 0.2))
		logb := Func{D: d, Params: a.Specs(), F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			s := graphs.Scale(graphs.OnesLike(graphs.SliceCols(x, 0, 1)), sigma)
			_, logb, err := a.BuildMixed(x, s, theta)
			return logb, err
		}}
		const n = 5
		x := normal(n, d, newRNG(2))
		built, blurred, want := make([]float64, n), make([]float64, n), make([]float64, n)
		if err := must(NewEvaluator(logb, Init(a, newRNG(3)), EvaluatorConfig{Precision: Float64})).Energies(built,
			x); err != nil {
			t.Fatal(err)
		}
		b.Blurred(sigma).LogProb(blurred, x)
		must(NewMixture(centres, wide, weights)).LogProb(want, x)
		if !floats.EqualApprox(built, want, 1e-12) || !floats.EqualApprox(blurred, want, 1e-12) {
			t.Errorf("dimension %d: built %v, Blurred %v, want %v", d, built, blurred, want)
		}
	}
}

// The inner energy sees the levels as numbers from -1, the smallest, to 1, and the points in units of v.
func TestAnnealableInputs(t *testing.T) {
	const s = 2
	levels := []float64{3, 0.5, 0.1}
	last := Func{D: 3, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.Try(func() *G.Node {
			return graphs.Add(graphs.Scale(graphs.SliceCols(x, 0, 1), 10), graphs.SliceCols(x, 2, 3))
		})
	}}
	e := must(NewAnnealable(last, levels, s))
	v := must(NewEvaluator(e, NewParams(nil), EvaluatorConfig{Precision: Float64}))
	at := func(sigma float64) float64 { const c = s / 50.; return math.Log(sigma*sigma + c*c) }
	x, got := mat.NewDense(1, 2, []float64{0.3, -0.4}), make([]float64, 1)
	for k, l := range []float64{1, 2*(at(0.5)-at(0.1))/(at(3)-at(0.1)) - 1, -1} {
		if err := errors.Join(v.SetSigma(levels[k]), v.Energies(got, x)); err != nil {
			t.Fatal(err)
		}
		v2 := s*s + levels[k]*levels[k]
		if want := 0.25/(2*v2) + 10*0.3/math.Sqrt(v2) + l; math.Abs(got[0]-want) > 1e-12 {
			t.Errorf("σ = %g: got %g, want %g", levels[k], got[0], want)
		}
	}
}

// With a zero inner energy, E(·, σ) is that of N(0, (s² + σ²) I) up to a constant.
func TestAnnealableIsGaussian(t *testing.T) {
	nothing := Func{D: 3, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.Scale(
			graphs.SliceCols(x, 0, 1), 0), nil
	}}
	const s, sigma = 2, 0.5
	e := must(NewAnnealable(nothing, []float64{1, sigma}, s))
	x := normal(5, 2, newRNG(3))
	got := make([]float64, 5)
	if err := must(NewEvaluator(e, NewParams(nil), EvaluatorConfig{Precision: Float64})).Energies(got, x); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		r := x.RawRowView(i)
		if want := (r[0]*r[0] + r[1]*r[1]) / (2 * (s*s + sigma*sigma)); math.Abs(v-want) > 1e-12 {
			t.Errorf("row %d: %g, want %g", i, v, want)
		}
	}
}
