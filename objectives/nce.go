package objectives

import (
	"cmp"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
)

// NCE is `nce`, the logistic loss of discriminating data from k noise points each,
//
//	L = mean_i softplus(-u(x_i)) + Σ_{j≤k} softplus(u(y_ij)),   u = -E - c - log q - log k,
//
// whose minimum over all E and c is E + c = -log p, so that c is log Z. c is learnt by damped Newton steps on the same
// loss, which is convex in c, one after every gradient. It is consistent for every noise with q > 0 where p > 0; the
// closer q is to p, the smaller the error.
//
// Gutmann and Hyvärinen, Noise-contrastive estimation, AISTATS 2010; with k noise points per datum, JMLR 13 (2012)
// 307–361.
type NCE struct {
	Noise NoiseName `json:"noise" help:"Density of the noise that data are discriminated from: gaussian, box, kde, mixture or base (that of the model); by default base if the model has one, else mixture."`

	// k, from 1 to 1000; 0 means 2
	Ratio int `json:"noise-ratio" help:"Noise samples per datum; 2 by default."`

	Density Noise `json:"-"` // in place of Noise
	FixLogZ bool  `json:"-"` // no constant is learnt: E itself must be normalised
}

// mostRatio bounds the rows of a batch.
const mostRatio = 1000

func init() { Register("nce", NCE{}) }

// Traits describes the objective.
func (NCE) Traits() Traits {
	return Traits{Summary: "noise contrastive estimation with a learnt normaliser",
		Source: "Gutmann and Hyvärinen 2010", LogZ: true}
}

// Validate names the fields out of range.
func (m NCE) Validate() error { return Check(m).Option("Noise").Whole("Ratio", 1, mostRatio).Err() }

// Suited sets what is zero.
func (m NCE) Suited(data Facts) Method {
	m.Noise = cmp.Or(m.Noise, data.noise())
	if data.Base && m.Noise == BaseNoise {
		m.Ratio = cmp.Or(m.Ratio, 4) // draws of it cost next to nothing
	}
	m.Ratio = cmp.Or(m.Ratio, 2)
	return m
}

// Recipe returns the recipe for objectives that compare energies, but shorter on finitely many points, where more steps
// lose to overfitting what they gain in detail.
func (NCE) Recipe(data Facts) Recipe {
	r := DefaultRecipe(data)
	if data.Points > 0 {
		r.Steps = 2500
	}
	switch {
	case !data.Base || data.dim() <= few:
	case data.Points >= ManyPoints: // faster and longer, and blurred against what that would learn by heart
		r.LearningRate, r.Steps, r.Smooth = 6e-3, 4000, 0.25
	default:
		r.Smooth = 0.1 // of the deviations of a component: points held back tell when to stop
	}
	return r
}

// Form returns the loss.
func (m NCE) Form(s Setup) (Form, error) {
	q, err := s.noise(m.Noise, m.Density)
	if err != nil {
		return nil, err
	}
	f := &contrastForm{q: q, k: m.Ratio, normal: logZ{fixed: m.FixLogZ}}
	if t, ok := s.Energy.(*energy.Tilted); ok && q == Noise(t.Base()) {
		f.tilted = t
	}
	return f, nil
}

type contrastForm struct {
	q      Noise
	k      int
	normal logZ
	y      mat.Dense
	tilted *energy.Tilted // of which q is the base: E + log q is its correction, and nothing is computed of q; or nil
}

func (f *contrastForm) Inputs(n, d int) []Input {
	noise, logZ := Input{Name: "noise", Shape: []int{n * f.k, d}}, Input{Name: "log_z", Shape: []int{1}, Derived: true}
	if f.tilted != nil {
		return []Input{noise, logZ}
	}
	return []Input{
		noise,
		{Name: "log_q_data", Shape: []int{n, 1}, Derived: true},
		{Name: "log_q_noise", Shape: []int{n * f.k, 1}, Derived: true},
		logZ,
	}
}

func (f *contrastForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	n, d := x.Dims()
	f.q.Sample(view(&f.y, in["noise"], n*f.k, d), rng)
	return nil
}

// leastLogQ is the minimum log-density of the noise: a datum outside its support is certainly a datum, without
// infinities.
const leastLogQ = -1e4

func (f *contrastForm) Derive(in Inputs, x *mat.Dense) error {
	in["log_z"][0] = f.normal.c
	if f.tilted != nil {
		return nil
	}
	n, d := x.Dims()
	f.q.LogProb(in["log_q_data"], x)
	f.q.LogProb(in["log_q_noise"], view(&f.y, in["noise"], n*f.k, d))
	for _, v := range [2][]float64{in["log_q_data"], in["log_q_noise"]} {
		for i := range v {
			v[i] = max(v[i], leastLogQ)
		}
	}
	return nil
}

func (f *contrastForm) Loss(b *Builder) *G.Node {
	y := b.In("noise")
	b.SetNegatives(y)
	if t := f.tilted; t != nil {
		tilt := func(x *G.Node) contrasted { return contrasted{graphs.Must(t.Correction(x, b.Theta)), nil} }
		return contrast(b, tilt(b.X), tilt(y), f.k)
	}
	return contrast(b, contrasted{b.E(b.X), b.In("log_q_data")}, contrasted{b.E(y), b.In("log_q_noise")}, f.k)
}

func (f *contrastForm) Report(out Inputs, s *Stats)       { f.normal.report(out, s) }
func (f *contrastForm) Update(out Inputs) error           { f.normal.move(out); return nil }
func (f *contrastForm) MarshalState() ([]byte, error)     { return pack(f) }
func (f *contrastForm) UnmarshalState(b []byte) error     { return unpack(f, b) }
func (f *contrastForm) save() []safetensors.Tensor        { return f.normal.save() }
func (f *contrastForm) restore(s *safetensors.File) error { return f.normal.restore(s) }
