package objectives

import (
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
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// kernelStein is `ksd`, the squared kernel Stein discrepancy of the batch from the model, as U-statistic,
//
//	L = 1/(n(n-1)) Σ_{i≠j} s_iᵀs_j K_ij + s_iᵀ∇₂K_ij + s_jᵀ∇₁K_ij + tr ∇₁∇₂K_ij,   s = -∇E,
//
// with the kernel
//
//	K(x, y) = g(x) k(x, y) g(y) / K₀,   k = (1 + |x-y|²/h²)^-2,   g = q̂^-½, or 1/(q + λq̂ + c) beside a background, λ = 0.3.
//
// Without bias; zero in expectation exactly at the data's density. In the mean L is ∫∫ δ(x)ᵀδ(y) K q(x) q(y), where δ is the error
// of the score and q the density of the points: K decides what is seen. A kernel as wide as the data smooths errors of the size
// of a sharp mode away, and one that is the same everywhere counts a region by the square of its density, so that the gaps
// between modes hardly count. Hence h is a distance between neighbours, the geometric mean of that to the eighth one
// over the first batch, or Config.Bandwidth, k falls off fast, and g evens regions out: q̂ is a rough density of
// Config.Data, a kernel density at two widths beside one broad Gaussian (g = 1 without data). It enters the Stein operator as
// s + ∇log g in place of s.
//
// Beside a background (energy.Bridge) the density of the points is known as far as it is learnt, and with g = 1/q it is
// ∇·f/q that is left of the operator sᵀf + ∇·f for f g: no scatter of the score, and space is counted by its volume. q is that of
// the parameters of the moment; like all of K it is held fixed where L is differentiated. It is near zero at points of a mode
// that is not found yet, which would count without bound: λq̂ is a bound, and 1/q alone lost two modes of eight. c, the density
// of the broad Gaussian of q̂ one deviation outside of where it has most of its mass, is one for points far out. In the family of
// 8gaussians with free weights and widths, the deviations of a log weight and a log width after a step of Newton's method from one
// batch of 512 are 4.3 and 0.08 with q̂^-½, 1.7 and 0.15 with 1/(q + λq̂), 1.6 and 0.54 with 1/q; that of a log weight is 1.3 for sm.
//
// K₀ is the mean of g k g over the first batch, which makes L as large as a Fisher divergence.
//
// K does not depend on θ: it enters the graph as a matrix, and only first derivatives of E are needed. Beside a background
// (energy.Bridge) the points are the batch and draws of b, with weights (1-ε)/n and ε/m; on the latter the Stein operator of
// the mixture is (s_q - s_b)ᵀf, without derivatives of f.
//
// Liu, Lee and Jordan, A kernelized Stein discrepancy, arXiv 1602.03253, definition 3.2; the kernel: Gorham and Mackey,
// Measuring sample quality with kernels, arXiv 1703.01717, whose exponent is between -1 and 0 for detecting escaping mass.
type kernelStein struct {
	h, scale float64           // K₀; both 0 before the first gradient
	used     [2]float64        // h and K₀ of the last Derive, which a gradient keeps
	rough    *energy.Evaluator // -log q̂; nil: g = 1
	learnt   *energy.Evaluator // -log q; nil: g = q̂^-½
	floor    float64           // -log c
	beside   *background       // nil without a bridge

	points, tilt, slope mat.Dense // of all rows, batch and background
	g, e                []float64
}

func newKernelStein(e energy.Energy, p *energy.Params, c Config) (*kernelStein, error) {
	f := &kernelStein{h: c.Bandwidth, beside: newBackground(e)}
	if c.Data == nil {
		return f, nil
	}
	const centres, broad = 128, 1.25
	widths := []float64{0.05 * c.spread(), 0.2 * c.spread()}
	m, err := energy.Ladder(c.Data, widths, centres, broad, c.rng())
	if err != nil {
		return nil, err
	}
	if f.rough, err = energy.NewEvaluator(m.Energy(), energy.NewParams(nil), energy.EvaluatorConfig{Batch: 256}); err != nil || f.beside == nil {
		return f, err
	}
	d := float64(e.Dim())
	far := math.Sqrt(d) + 1
	f.floor = d*math.Log(broad*c.spread()*math.Sqrt(2*math.Pi)) + far*far/2
	f.learnt, err = energy.NewEvaluator(f.beside.bridge.Mixed(), p,
		energy.EvaluatorConfig{Batch: c.Batch + f.beside.pairs(c.Batch), Precision: c.Precision, Threads: c.Threads})
	return f, err
}

func (f *kernelStein) Inputs(n, d int) []Input {
	all := n + f.beside.pairs(n)
	return append(f.beside.inputs(all-n, d),
		Input{Name: "k", Shape: []int{all, all}, Derived: true}, // w_i w_j K_ij, 0 on the diagonal
		Input{Name: "dk", Shape: []int{all, d}, Derived: true},  // Σ_j w_i w_j g_i g_j ∇₂k_ij/K₀ over the batch
		Input{Name: "ddk", Shape: []int{1}, Derived: true},      // Σ_ij w_i w_j g_i g_j tr ∇₁∇₂k_ij/K₀ over the batch
		Input{Name: "tilt", Shape: []int{n, d}, Derived: true},  // ∇log g
	)
}

func (f *kernelStein) Draw(in Inputs, _ *mat.Dense, rng *rand.Rand) error {
	f.beside.draw(in, rng)
	return nil
}

func (f *kernelStein) Derive(in Inputs, x *mat.Dense) error {
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
	// Pairs of one kind are n(n-1), not n².
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
	if scale == 0 {
		scale = sum
	}
	floats.Scale(1/scale, k)
	floats.Scale(1/scale, dk)
	in["ddk"][0] = trace / scale
	f.used = [2]float64{h, scale}
	return nil
}

// Update keeps h and K₀ of the first batch that there is a gradient for.
func (f *kernelStein) Update(Inputs) error {
	f.h, f.scale = f.used[0], f.used[1]
	return nil
}

// roughShare is λ.
const roughShare = 0.3

// weigh stores log g and ∇log g of all points in f.g and f.tilt.
func (f *kernelStein) weigh() error {
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

// neighbourDistance is the geometric mean over the rows of x of the distance to the eighth nearest row that is not the same point.
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

func (f *kernelStein) Loss(b *Builder) *G.Node {
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

func (f *kernelStein) save() []safetensors.Tensor {
	return []safetensors.Tensor{array("bandwidth", []float64{f.h, f.scale}, 2)}
}

func (f *kernelStein) restore(s *safetensors.File) error {
	v, err := numbers(s, "bandwidth", 2)
	if err != nil {
		return err
	}
	f.h, f.scale = v[0], v[1]
	return nil
}

// learnedStein is `lsd`, the Stein discrepancy with a learnt critic f_φ: R^d → R^d,
//
//	max_φ  mean( s(x)ᵀf(x) + tr ∇f(x) ) - λ mean |f(x)|²,   then θ descends the first mean.
//
// For the best critic, f = (s - s_data)/2λ, the gradient in θ is that of the Fisher divergence over 4λ. For every critic
// the first mean vanishes at the truth (Stein's identity). The trace is estimated by Hutchinson's εᵀ∇f ε. The critic is an
// MLP with two hidden layers, moved by Adam several times per gradient; where it lags behind, so does the descent. To tell
// sharp scores apart it sees Config.CriticFeat sines and cosines of x, of learnt frequencies, besides x. The rates matter: the
// energy has to be slower than its critic, or it outruns it and loses modes (8gaussians with 0.001 for both), and a critic
// that is too fast dies (with 0.003 that of 2spirals was next to zero after 1500 steps, and the energy drifted off).
//
// Beside a background (energy.Bridge) L is that of the mixture, with a critic on either side. On draws of b, whose score is known, so
// is the best critic, (s_q - s_b)/2λ, which leaves |s_q - s_b|²/4λ. On data the best one is (s_q - s_data)/2λ, which is not zero
// at the truth, and as sharp as the data. The model's own score s_p = -∇E tells what it is there: f has two parts,
//
//	f = (s_q - s_p)/2λ + f_φ,   max_φ  mean( s_pᵀf_φ + tr ∇f_φ ) - λ mean |f_φ|²,
//
// the first held fixed where L is differentiated, without its trace, which θ does not move. What is left to the critic, (s_p - s_data)/2λ,
// vanishes at the truth, and so does the bias of a critic that lags.
//
// Grathwohl, Wang, Jacobsen, Duvenaud and Zemel, Learning the Stein discrepancy for training and evaluating energy-based
// models without sampling, arXiv 2002.05616, algorithm 2.
type learnedStein struct {
	lambda   float64
	d        int
	features int
	rate     float64
	repeats  int
	phi      *energy.Params
	beside   *background // nil without a bridge

	mixed, own *energy.Evaluator // of E_q and E; nil without a bridge
	e          []float64
	slope      mat.Dense
	known      mat.Dense // a view
}

// criticScale is the spread of the critic's first frequencies in radians per deviation of the data.
const criticScale = 8

func newLearnedStein(e energy.Energy, p *energy.Params, c Config) (*learnedStein, error) {
	d, hidden, rng := e.Dim(), or(c.CriticSize, 64), c.rng()
	f := &learnedStein{
		lambda: or(c.CriticL2, 0.5), d: d, features: c.CriticFeat,
		rate: or(c.CriticRate, 1e-3), repeats: or(c.CriticReps, 5), beside: newBackground(e),
	}
	if f.beside != nil {
		cfg, err := energy.EvaluatorConfig{Batch: c.Batch, Precision: c.Precision, Threads: c.Threads}, error(nil)
		if f.mixed, err = energy.NewEvaluator(f.beside.bridge.Mixed(), p, cfg); err != nil {
			return nil, err
		}
		if f.own, err = energy.NewEvaluator(e, p, cfg); err != nil {
			return nil, err
		}
		f.e, f.slope = make([]float64, c.Batch), *mat.NewDense(c.Batch, d, nil)
	}
	f.phi = newNet([]int{d + 2*f.features, hidden, hidden, d}, "critic", rng)
	if f.features == 0 {
		return f, nil
	}
	net := f.phi
	f.phi = energy.NewParams(append([]energy.Spec{{Name: "critic.features.weight", Shape: []int{f.features, d}}}, net.Specs()...))
	b := f.phi.Data()[:f.features*d]
	vector.Normal(b, rng)
	vector.Scale(b, criticScale/c.spread(), b)
	copy(f.phi.Data()[len(b):], net.Data())
	return f, nil
}

func (f *learnedStein) OwnParams() *energy.Params { return f.phi }

func (f *learnedStein) OwnRate() float64 { return f.rate }
func (f *learnedStein) Repeats() int     { return f.repeats }

func (f *learnedStein) Inputs(n, d int) []Input {
	in := append(f.beside.inputs(f.beside.pairs(n), d), Input{Name: "eps", Shape: []int{n, d}})
	if f.beside != nil {
		in = append(in, Input{Name: "known", Shape: []int{n, d}, Derived: true}) // (s_q - s_p)/2λ
	}
	return in
}

func (f *learnedStein) Derive(in Inputs, x *mat.Dense) error {
	if f.beside == nil {
		return nil
	}
	n, d := x.Dims()
	known := view(&f.known, in["known"], n, d)
	if err := f.own.EnergyGrad(f.e, known, x); err != nil {
		return err
	}
	if err := f.mixed.EnergyGrad(f.e, &f.slope, x); err != nil {
		return err
	}
	v := known.RawMatrix().Data
	floats.Sub(v, f.slope.RawMatrix().Data)
	floats.Scale(1/(2*f.lambda), v)
	return nil
}

func (f *learnedStein) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	f.beside.draw(in, rng)
	Rademacher.draw(in["eps"], f.d, rng)
	return nil
}

// critic builds f (n, d) at the rows of x.
func (f *learnedStein) critic(x *G.Node, own G.Nodes) *G.Node {
	if f.features == 0 {
		return buildNet(x, own)
	}
	z := graphs.MatMul(x, own[0], false, true) // (n, features)
	return buildNet(graphs.ConcatCols(x, graphs.Cos(z), graphs.Sin(z)), own[1:])
}

func (f *learnedStein) Loss(b *Builder) *G.Node {
	eps := b.In("eps")
	c := f.critic(b.X, b.Own) // (n, d)
	jvp := graphs.Must(graphs.JVP(c, G.Nodes{b.X}, G.Nodes{eps}))
	trace := rowDot(eps, jvp)
	g := b.Gradient(b.E(b.X), b.X)
	size := graphs.Scale(graphs.Mean(graphs.RowSum(graphs.Square(c))), f.lambda)
	if f.beside == nil {
		stein := graphs.Mean(graphs.Sub(trace, rowDot(g, c)))
		b.SetOwnLoss(graphs.Sub(size, stein))
		return stein
	}
	own := b.Gradient(graphs.Must(f.beside.bridge.Build(b.X, b.Theta)), b.X) // ∇E
	b.SetOwnLoss(graphs.Sub(size, graphs.Mean(graphs.Sub(trace, rowDot(own, c)))))
	stein := graphs.Mean(graphs.Sub(trace, rowDot(g, graphs.Add(c, b.In("known")))))
	share := f.beside.share()
	drift, held := f.beside.known(b, b.X)
	known := graphs.Mean(graphs.RowSum(graphs.Square(drift)))
	return graphs.Add(held, graphs.Add(graphs.Scale(stein, 1-share), graphs.Scale(known, share/(4*f.lambda))))
}

// newNet draws the parameters of an MLP of the given widths; the last layer starts at zero.
func newNet(widths []int, name string, rng *rand.Rand) *energy.Params {
	var specs []energy.Spec
	for l := range len(widths) - 1 {
		specs = append(specs,
			energy.Spec{Name: fmt.Sprintf("%s.%d.weight", name, 2*l), Shape: []int{widths[l+1], widths[l]}},
			energy.Spec{Name: fmt.Sprintf("%s.%d.bias", name, 2*l), Shape: []int{widths[l+1]}})
	}
	p := energy.NewParams(specs)
	views := p.Views(p.Data())
	for l := range len(widths) - 2 {
		for i := range views[2*l] {
			views[2*l][i] = math.Sqrt(2/float64(widths[l])) * rng.NormFloat64()
		}
		for i := range views[2*l+1] {
			views[2*l+1][i] = (2*rng.Float64() - 1) / math.Sqrt(float64(widths[l]))
		}
	}
	return p
}

// buildNet builds an MLP with SiLU between the layers.
func buildNet(x *G.Node, theta G.Nodes) *G.Node {
	for len(theta) > 2 {
		x = graphs.SiLU(graphs.Affine(x, theta[0], theta[1]))
		theta = theta[2:]
	}
	return graphs.Affine(x, theta[0], theta[1])
}
