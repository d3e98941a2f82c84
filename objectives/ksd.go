package objectives

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

// KernelStein is `ksd`, the squared kernel Stein discrepancy of the batch from the model, as U-statistic,
//
//	L = 1/(n(n-1)) Σ_{i≠j} s_iᵀs_j K_ij + s_iᵀ∇₂K_ij + s_jᵀ∇₁K_ij + tr ∇₁∇₂K_ij,   s = -∇E,
//
// with the kernel
//
//	K(x, y) = g(x) k(x, y) g(y) / K₀,   k = (1 + |x-y|²/h²)^-2,   g = q̂^-½,
//	                                    or beside a background 1/(q + λq̂ + c), λ = 0.3.
//
// It is unbiased, and zero in expectation exactly at the data's density. In the mean L is ∫∫ δ(x)ᵀδ(y) K q(x) q(y),
// where δ is the error of the score and q the density of the points: K decides what is seen. A kernel as wide as the
// data smooths away errors on the scale of a sharp mode, and a uniform one weights a region by the square of its
// density, so that the gaps between modes hardly count. Hence h is a distance between neighbours, the geometric mean of
// that to the eighth one over the first batch, or Bandwidth; k decays fast, and g balances regions: q̂ is a rough
// density of the data, a kernel density at two widths plus one broad Gaussian (g = 1 without data). It enters the Stein
// operator as s + ∇log g in place of s.
//
// With a background (energy.Bridge) the density of the points is known as far as it is learnt, and with g = 1/q only
// ∇·f/q is left of the operator sᵀf + ∇·f for f g: without the variance of the score, and weighted by volume. q is that
// of the current parameters; like all of K it is held fixed in the derivative of L. It is near zero at points of a mode
// not yet found, which would have unbounded weight: λq̂ bounds it, and 1/q alone lost two modes of eight. c, the
// density of the broad Gaussian of q̂ one deviation outside most of its mass, bounds it for points far out. In the
// family of 8gaussians with free weights and widths, the deviations of a log weight and a log width after a step of
// Newton's method from one batch of 512 are 4.3 and 0.08 with q̂^-½, 1.7 and 0.15 with 1/(q + λq̂), 1.6 and 0.54 with
// 1/q; that of a log weight is 1.3 for sm.
//
// K₀ is the mean of g k g over the first batch, which scales L like a Fisher divergence.
//
// K does not depend on θ: it enters the graph as a matrix, and only first derivatives of E are needed. With a
// background (energy.Bridge) the points are the batch and draws from b, with weights (1-ε)/n and ε/m; on the latter the
// Stein operator of the mixture is (s_q - s_b)ᵀf, without derivatives of f.
//
// Liu, Lee and Jordan, A kernelized Stein discrepancy, arXiv 1602.03253, definition 3.2; the kernel: Gorham and
// Mackey, Measuring sample quality with kernels, arXiv 1703.01717, whose exponent is between -1 and 0 for detecting
// escaping mass.
type KernelStein struct {
	Bandwidth float64 `json:"-"` // h, in units of the data; 0 means the distance between neighbours in the first batch
}

func init() { Register("ksd", KernelStein{}) }

// Traits describes the objective.
func (KernelStein) Traits() Traits {
	return Traits{Summary: "kernel Stein discrepancy", Source: "Liu et al. 2016", Score: true, Bridge: true,
		Whole: true}
}

// Validate names the fields out of range.
func (m KernelStein) Validate() error { return Check(m).NonNegative("Bandwidth").Err() }

// Suited leaves the bandwidth to the first batch.
func (m KernelStein) Suited(Facts) Method { return m }

// Recipe returns the recipe for objectives that match scores, but shorter, since a step uses all pairs of points.
func (KernelStein) Recipe(data Facts) Recipe {
	r := ScoreRecipe(data)
	r.LearningRate, r.Steps = 3e-3, 3200
	return r
}

// Form returns the loss.
func (m KernelStein) Form(s Setup) (Form, error) {
	if s.Batch < 2 {
		return nil, fmt.Errorf("objectives: ksd compares pairs: a batch of %d, want at least 2", s.Batch)
	}
	f := &kernelForm{h: m.Bandwidth, beside: newBackground(s.Energy)}
	if s.Data == nil {
		return f, nil
	}
	spread := FactsOf(s.Data).spread()
	const centres, broad = 128, 1.25
	widths := []float64{0.05 * spread, 0.2 * spread}
	rough, err := energy.Ladder(s.Data, widths, centres, broad, s.rng())
	if err != nil {
		return nil, err
	}
	if f.rough, err = energy.NewEvaluator(rough.Energy(), energy.NewParams(nil),
		energy.EvaluatorConfig{Batch: 256}); err != nil || f.beside == nil {
		return f, err
	}
	d := float64(s.Energy.Dim())
	far := math.Sqrt(d) + 1
	f.floor = d*math.Log(broad*spread*math.Sqrt(2*math.Pi)) + far*far/2
	f.learnt, err = energy.NewEvaluator(f.beside.bridge.Mixed(), s.Params,
		s.evaluator(s.Batch+f.beside.pairs(s.Batch)))
	return f, err
}

type kernelForm struct {
	h, scale float64           // K₀; both 0 before the first gradient
	used     [2]float64        // h and K₀ of the last Derive, which a gradient makes permanent
	rough    *energy.Evaluator // -log q̂; nil: g = 1
	learnt   *energy.Evaluator // -log q; nil: g = q̂^-½
	floor    float64           // -log c
	beside   *background       // nil without a bridge

	points, tilt, slope mat.Dense // of all rows, batch and background
	g, e                []float64
}

func (f *kernelForm) Inputs(n, d int) []Input {
	all := n + f.beside.pairs(n)
	return append(f.beside.inputs(all-n, d),
		Input{Name: "k", Shape: []int{all, all}, Derived: true}, // w_i w_j K_ij, 0 on the diagonal
		Input{Name: "dk", Shape: []int{all, d}, Derived: true},  // Σ_j w_i w_j g_i g_j ∇₂k_ij/K₀ over the batch
		Input{Name: "ddk", Shape: []int{1}, Derived: true},      // Σ_ij w_i w_j g_i g_j tr ∇₁∇₂k_ij/K₀ over the batch
		Input{Name: "tilt", Shape: []int{n, d}, Derived: true},  // ∇log g
	)
}

func (f *kernelForm) Draw(in Inputs, _ *mat.Dense, rng *rand.Rand) error {
	f.beside.draw(in, rng)
	return nil
}

func (f *kernelForm) Derive(in Inputs, x *mat.Dense) error {
	n, d := x.Dims()
	k, dk := in["k"], in["dk"]
	all := len(dk) / d
	if f.g == nil {
		f.g, f.e = make([]float64, all), make([]float64, all)
		for _, m := range []*mat.Dense{&f.points, &f.tilt, &f.slope} {
			*m = *mat.NewDense(all, d, nil)
		}
	}
	points := f.points.RawMatrix().Data
	copy(points, x.RawMatrix().Data)
	copy(points[n*d:], in[backgroundInput])
	h, scale := f.h, f.scale
	if h == 0 {
		if h = neighbourDistance(&f.points); h == 0 {
			return fmt.Errorf("objectives: ksd: all points of the batch are equal")
		}
	}
	if err := f.weigh(); err != nil {
		return err
	}
	copy(in["tilt"], f.tilt.RawMatrix().Data[:n*d])
	share, m := f.beside.share(), float64(all-n)
	for i := range f.g {
		w := share / m
		if i < n {
			w = (1 - share) / float64(n)
		}
		f.g[i] = w * math.Exp(f.g[i])
	}
	// There are n(n-1) pairs of one kind, not n².
	batch, rest := float64(n)/float64(n-1), m/(m-1)
	inv := 1 / (h * h)
	clear(dk)
	var trace, sum float64
	for i := range all {
		a := points[i*d : i*d+d]
		k[i*all+i] = 0
		for j := range i {
			c := points[j*d : j*d+d]
			w := f.g[i] * f.g[j]
			switch {
			case i < n:
				w *= batch
			case j >= n:
				w *= rest
			}
			var sq float64
			for t := range d {
				sq += (a[t] - c[t]) * (a[t] - c[t])
			}
			q := 1 / (1 + sq*inv)
			v := w * q * q
			k[i*all+j], k[j*all+i] = v, v
			sum += 2 * v
			if j >= n {
				continue
			}
			v *= 4 * q * inv // ∇₂k(x, y) = 4 q³ (x - y)/h²
			for t := range d {
				dk[i*d+t] += v * (a[t] - c[t])
			}
			if i < n {
				for t := range d {
					dk[j*d+t] -= v * (a[t] - c[t])
				}
				trace += 2 * v * (float64(d) - 6*q*sq*inv)
			}
		}
	}
	scale = cmp.Or(scale, sum)
	floats.Scale(1/scale, k)
	floats.Scale(1/scale, dk)
	in["ddk"][0] = trace / scale
	f.used = [2]float64{h, scale}
	return nil
}

// Update keeps h and K₀ of the first batch of finite points with a gradient.
func (f *kernelForm) Update(Inputs) error {
	if finite(f.used[:]) {
		f.h, f.scale = f.used[0], f.used[1]
	}
	return nil
}

// roughShare is λ.
const roughShare = 0.3

// weigh stores log g and ∇log g of all points in f.g and f.tilt.
func (f *kernelForm) weigh() error {
	clear(f.g)
	if f.rough == nil {
		return nil
	}
	if err := f.rough.EnergyGrad(f.g, &f.tilt, &f.points); err != nil {
		return err
	}
	if f.learnt == nil {
		floats.Scale(0.5, f.g)
		floats.Scale(0.5, f.tilt.RawMatrix().Data)
		return nil
	}
	if err := f.learnt.EnergyGrad(f.e, &f.slope, &f.points); err != nil {
		return err
	}
	for i, e := range f.e {
		f.g[i] -= math.Log(roughShare)
		low := min(e, f.g[i], f.floor)
		a, b := math.Exp(low-e), math.Exp(low-f.g[i])
		sum := a + b + math.Exp(low-f.floor)
		f.g[i] = low - math.Log(sum)
		floats.Scale(b/sum, f.tilt.RawRowView(i))
		floats.AddScaled(f.tilt.RawRowView(i), a/sum, f.slope.RawRowView(i))
	}
	return nil
}

// neighbourDistance returns the geometric mean over the rows of x of the distance to the eighth nearest row at a
// different point.
func neighbourDistance(x *mat.Dense) float64 {
	const eighth = 8
	n, _ := x.Dims()
	var sum, count float64
	var near []float64
	for i := range n {
		near = near[:0]
		for j := range n {
			if v := floats.Distance(x.RawRowView(i), x.RawRowView(j), 2); v > 0 {
				near = append(near, v)
			}
		}
		if len(near) > 0 {
			slices.Sort(near)
			sum += math.Log(near[min(eighth, len(near))-1])
			count++
		}
	}
	if count == 0 {
		return 0
	}
	return math.Exp(sum / count)
}

func (f *kernelForm) Loss(b *Builder) *G.Node {
	s := graphs.Sub(b.In("tilt"), b.Gradient(b.E(b.X), b.X)) // (n, d)
	var held *G.Node
	if f.beside != nil {
		var drift *G.Node
		drift, held = f.beside.known(b, b.X)
		s = graphs.ConcatRows(s, drift)
	}
	ks := graphs.Add(graphs.MatMul(b.In("k"), s, false, false), graphs.Scale(b.In("dk"), 2))
	return plus(held, graphs.Add(graphs.Sum(graphs.Mul(s, ks)), b.In("ddk")))
}

func (f *kernelForm) MarshalState() ([]byte, error) { return pack(f) }
func (f *kernelForm) UnmarshalState(b []byte) error { return unpack(f, b) }

func (f *kernelForm) save() []safetensors.Tensor {
	return []safetensors.Tensor{array("bandwidth", []float64{f.h, f.scale}, 2)}
}

func (f *kernelForm) restore(s *safetensors.File) error {
	v, err := numbers(s, "bandwidth", 2)
	if err != nil {
		return err
	}
	f.h, f.scale = v[0], v[1]
	return nil
}
