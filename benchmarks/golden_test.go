package benchmarks_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// TestGolden compares the compiled path that users run with reference values from PyTorch's autograd. The format of
// the files and the tolerances are described in testdata/golden/README.md; EBM_GOLDEN names another folder of them.
func TestGolden(t *testing.T) {
	for name, file := range goldenFiles(t) {
		t.Run(name, func(t *testing.T) {
			for net, want := range file.Nets {
				t.Run(net, func(t *testing.T) { goldenNetwork(t, file, want) })
			}
			for name, want := range file.Datasets {
				t.Run(name, func(t *testing.T) { goldenDistribution(t, name, want) })
			}
		})
	}
}

// precisions are the dtypes of the graph with the relative tolerance that each is held to.
var precisions = []struct {
	energy.Precision
	tol float64
}{{energy.Float64, 1e-10}, {energy.Float32, 1e-4}}

// perPrecision runs one quantity in both dtypes.
func perPrecision(t *testing.T, quantity string, f func(t *testing.T, prec energy.Precision, tol float64)) {
	t.Run(quantity, func(t *testing.T) {
		for _, p := range precisions {
			t.Run(p.String(), func(t *testing.T) { f(t, p.Precision, p.tol) })
		}
	})
}

// near compares arrays: relative to each value in float64 (absolute 1e-12 near zero), to the largest value in float32.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d values, want %d", what, len(got), len(want))
		return
	}
	most := 0.0
	for _, v := range want {
		most = max(most, math.Abs(v))
	}
	for i, w := range want {
		limit := tol*math.Abs(w) + 1e-12
		if tol > 1e-6 {
			limit = tol * most
		}
		if !(math.Abs(got[i]-w) <= limit) {
			t.Errorf("%s[%d]: got %.15g, want %.15g", what, i, got[i], w)
			return
		}
	}
}

// network is one net of a golden file as our energy.
type network struct {
	*goldenFile
	e      energy.Energy
	p      *energy.Params
	widths []int
}

func goldenNetwork(t *testing.T, file *goldenFile, want *goldenNet) {
	e, err := energy.NewMLP(energy.MLPConfig{Dim: file.Dim, Hidden: file.Hidden,
		Activation: energy.Activation(want.Activation)})
	if err != nil {
		t.Fatal(err)
	}
	n := &network{file, e, energy.NewParams(e.Specs()), slices.Concat([]int{file.Dim}, file.Hidden, []int{1})}
	theta, err := byLayer(want.Weights, n.widths)
	if err != nil {
		t.Fatalf("weights: %v", err)
	}
	copy(n.p.Data(), theta)
	n.p.Changed()

	perPrecision(t, "energy", func(t *testing.T, prec energy.Precision, tol float64) {
		got := make([]float64, len(want.Energy))
		if err := n.evaluator(t, prec).Energies(got, file.Inputs.X.dense()); err != nil {
			t.Fatal(err)
		}
		near(t, "energy", got, want.Energy, tol)
	})
	perPrecision(t, "grad", func(t *testing.T, prec energy.Precision, tol float64) {
		x := file.Inputs.X.dense()
		rows, d := x.Dims()
		got := mat.NewDense(rows, d, nil)
		if err := n.evaluator(t, prec).EnergyGrad(make([]float64, rows), got, x); err != nil {
			t.Fatal(err)
		}
		near(t, "grad", got.RawMatrix().Data, want.Grad.flat(), tol)
	})
	perPrecision(t, "hessian", func(t *testing.T, prec energy.Precision, tol float64) {
		n.hessian(t, prec, tol, want.Hessian)
	})
	perPrecision(t, "trace", func(t *testing.T, prec energy.Precision, tol float64) {
		got := make([]float64, len(want.Trace))
		n.compiled(t, prec, func(u, x *G.Node) *G.Node { return graphs.Must(graphs.HessianTrace(u, x)) }, got)
		near(t, "trace", got, want.Trace, tol)
	})
	for name, loss := range want.Losses {
		perPrecision(t, name, func(t *testing.T, prec energy.Precision, tol float64) { n.loss(t, name, loss, prec, tol) })
	}
	c := file.Constants
	if want.Langevin != nil {
		perPrecision(t, "langevin", func(t *testing.T, prec energy.Precision, tol float64) {
			n.langevin(t, mcmc.Langevin{StepSize: c.LangevinStep}, prec, tol, want.Langevin)
		})
	}
	if want.NormalizedLangevin != nil {
		perPrecision(t, "normalized_langevin", func(t *testing.T, prec energy.Precision, tol float64) {
			n.langevin(t, mcmc.Langevin{StepSize: c.NormalizedLangevinStep, Normalize: true}, prec, tol, want.NormalizedLangevin)
		})
	}
	if want.MALA != nil {
		perPrecision(t, "mala", func(t *testing.T, prec energy.Precision, tol float64) { n.mala(t, want, prec, tol) })
	}
	if want.HMC != nil {
		perPrecision(t, "hmc", func(t *testing.T, prec energy.Precision, tol float64) { n.hmc(t, want, prec, tol) })
	}
	if want.Adam3DSM != nil {
		perPrecision(t, "adam3_dsm", func(t *testing.T, prec energy.Precision, tol float64) { n.adam(t, want, prec, tol) })
	}
}

func (n *network) evaluator(t *testing.T, prec energy.Precision) *energy.Evaluator {
	t.Helper()
	ev, err := energy.NewEvaluator(n.e, n.p, energy.EvaluatorConfig{Batch: len(n.Inputs.X), Precision: prec})
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// compiled evaluates one expression of the energies u (n, 1) and the points x (n, d), through graphs.Compile.
func (n *network) compiled(t *testing.T, prec energy.Precision, build func(u, x *G.Node) *G.Node, dst []float64) {
	t.Helper()
	defer graphs.Building()()
	g := G.NewGraph()
	theta, err := energy.Inputs(g, prec, n.e)
	if err != nil {
		t.Fatal(err)
	}
	x := graphs.NewInput(g, prec.Dtype(), "x", len(n.Inputs.X), n.Dim)
	out, err := graphs.Try(func() *G.Node { return build(graphs.Must(n.e.Build(x, theta)), x) })
	if err != nil {
		t.Fatal(err)
	}
	fn, err := graphs.Compile(append(theta, x), G.Nodes{out})
	if err != nil {
		t.Fatal(err)
	}
	if err := fn.Call([][]float64{dst}, append(n.p.Views(n.p.Data()), n.Inputs.X.flat())...); err != nil {
		t.Fatal(err)
	}
}

// hessian computes ∇²E column by column, each as the gradient of one component of ∇E.
func (n *network) hessian(t *testing.T, prec energy.Precision, tol float64, want []matrix) {
	rows, d := len(n.Inputs.X), n.Dim
	var got, flat []float64
	columns := make([][]float64, d)
	for j := range d {
		columns[j] = make([]float64, rows*d)
		n.compiled(t, prec, func(u, x *G.Node) *G.Node {
			g, err := graphs.Grad(graphs.Sum(u), x)
			graphs.Must(nil, err)
			h, err := graphs.Grad(graphs.Sum(graphs.SliceCols(g[0], j, j+1)), x)
			graphs.Must(nil, err)
			return h[0]
		}, columns[j])
	}
	for i := range rows {
		for k := range d {
			for j := range d {
				got = append(got, columns[j][i*d+k])
			}
		}
		flat = append(flat, want[i].flat()...)
	}
	near(t, "hessian", got, flat, tol)
}

// objective returns the objective of a golden loss and its auxiliary inputs.
func (n *network) objective(name string, prec energy.Precision) (objectives.Evaluator, objectives.Inputs, error) {
	c, in := n.Constants, n.Inputs
	var m objectives.Method
	var given objectives.Inputs
	switch name {
	case "sm":
		m = objectives.ScoreMatching{}
	case "sm-hutchinson":
		m, given = objectives.Hutchinson{}, objectives.Inputs{"eps": in.Eps.flat()}
	case "dsm":
		m, given = objectives.Denoising{Sigma: c.DSMSigma, Unpaired: true}, objectives.Inputs{"eps": in.Eps.flat()}
	case "ssm":
		m, given = objectives.Sliced{}, objectives.Inputs{"v": in.Eps.flat()}
	case "ssm-vr":
		v := in.VUnit.flat()
		for i := range v {
			v[i] *= math.Sqrt(float64(n.Dim)) // E vvᵀ = I
		}
		m, given = objectives.SlicedVR{}, objectives.Inputs{"v": v}
	case "nce":
		q, err := density.NewIsotropic(make([]float64, n.Dim), c.NCEStd)
		if err != nil {
			return nil, nil, err
		}
		m = objectives.NCE{Density: q, Ratio: c.NCEK}
		given = objectives.Inputs{"noise": in.NCENoise.flat(), "log_z": {0}}
	case "cnce":
		m, given = objectives.ConditionalNCE{Sigma: c.CNCEStd}, objectives.Inputs{"eps": in.Eps.flat()}
	case "ml", "ml-l2":
		chains := objectives.Chains{Jumps: -1} // the points are given
		if name == "ml-l2" {
			chains.Alpha = c.MLAlpha
		}
		m, given = objectives.Likelihood{Chains: chains}, objectives.Inputs{"neg": in.XNeg.flat()}
	default:
		return nil, nil, fmt.Errorf("unknown loss %q", name)
	}
	o, err := objectives.New(m, n.e, n.p, objectives.Config{Batch: len(in.X), Precision: prec})
	return o, given, err
}

func (n *network) loss(t *testing.T, name string, want *goldenLoss, prec energy.Precision, tol float64) {
	o, given, err := n.objective(name, prec)
	if err != nil {
		t.Fatal(err)
	}
	grad := make([]float64, n.p.Len())
	stats, err := o.Evaluate(grad, n.Inputs.X.dense(), given)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value", []float64{stats.Loss}, []float64{want.Value}, tol)
	ref, err := byLayer(want.Grads, n.widths)
	if err != nil {
		t.Fatalf("grads: %v", err)
	}
	wanted := n.p.Views(ref)
	for k, got := range n.p.Views(grad) {
		name := n.p.Specs()[k].Name
		if slices.ContainsFunc(wanted[k], func(v float64) bool { return v != 0 }) || prec == energy.Float64 {
			near(t, name, got, wanted[k], tol)
			continue
		}
		// A parameter without influence: its gradient is a sum that cancels, known only to the rounding of its terms.
		near(t, name, slices.Concat(got, grad), slices.Concat(wanted[k], ref), tol)
	}
}

func (n *network) langevin(t *testing.T, k mcmc.Langevin, prec energy.Precision, tol float64, want matrix) {
	s := mcmc.NewState(n.Inputs.X.dense())
	if _, err := k.Move(s, n.evaluator(t, prec), n.Inputs.Eps.dense()); err != nil {
		t.Fatal(err)
	}
	near(t, "x", s.X.RawMatrix().Data, want.flat(), tol)
}

func (n *network) mala(t *testing.T, want *goldenNet, prec energy.Precision, tol float64) {
	s := mcmc.NewState(n.Inputs.X.dense())
	info, err := mcmc.MALA{StepSize: n.Constants.LangevinStep}.Move(s, n.evaluator(t, prec), n.Inputs.Eps.dense(),
		n.Inputs.Uniform)
	if err != nil {
		t.Fatal(err)
	}
	ratio := make([]float64, len(info.Chains))
	for i, c := range info.Chains {
		ratio[i] = c.LogRatio
		if margin := math.Abs(want.MALA.LogAcceptRatio[i] - math.Log(n.Inputs.Uniform[i])); c.Accepted !=
			want.MALA.Accepted[i] && margin > tol {
			t.Errorf("accepted[%d]: got %v, want %v", i, c.Accepted, want.MALA.Accepted[i])
		}
	}
	n.nearEnergies(t, "log_accept_ratio", ratio, want.MALA.LogAcceptRatio, want, prec, tol)
}

// nearEnergies compares differences of energies. In float32 each energy is rounded, so that their difference is known
// to tol of the largest energy or difference, whichever is larger.
func (n *network) nearEnergies(t *testing.T, what string, got, diff []float64, want *goldenNet, prec energy.Precision,
	tol float64) {
	t.Helper()
	if prec == energy.Float64 {
		near(t, what, got, diff, tol)
		return
	}
	scale := 0.0
	for _, v := range slices.Concat(want.Energy, diff) {
		scale = max(scale, math.Abs(v))
	}
	for i := range got {
		if !(math.Abs(got[i]-diff[i]) <= tol*scale) {
			t.Errorf("%s[%d]: got %.9g, want %.9g", what, i, got[i], diff[i])
		}
	}
}

func (n *network) hmc(t *testing.T, want *goldenNet, prec energy.Precision, tol float64) {
	c := n.Constants
	x, ev := n.Inputs.X.dense(), n.evaluator(t, prec)
	rows, d := x.Dims()
	mass := mcmc.Variances(slices.Repeat([]float64{1 / c.HMCMass}, d)...)

	// The trajectory, step by step.
	s := mcmc.NewState(mat.DenseCopyOf(x))
	p := n.Inputs.Momentum.dense()
	p.Scale(math.Sqrt(c.HMCMass), p)
	if err := s.Refresh(ev); err != nil {
		t.Fatal(err)
	}
	for k, pos := range want.HMC.Positions {
		if k > 0 {
			if err := mcmc.Leapfrog(s, p, ev, mass, c.HMCStep, 1); err != nil {
				t.Fatal(err)
			}
		}
		near(t, fmt.Sprintf("positions[%d]", k), s.X.RawMatrix().Data, pos.flat(), tol)
	}
	near(t, "final_momentum", p.RawMatrix().Data, want.HMC.FinalMomentum.flat(), tol)

	// The transition.
	s = mcmc.NewState(mat.DenseCopyOf(x))
	k := mcmc.HMC{StepSize: c.HMCStep, Leapfrog: c.HMCLeapfrog, Mass: mass}
	info, err := k.Move(s, ev, n.Inputs.Momentum.dense(), n.Inputs.Uniform)
	if err != nil {
		t.Fatal(err)
	}
	deltaH := make([]float64, rows)
	clear := true // no decision is too close to call in floating point
	for i, ch := range info.Chains {
		deltaH[i] = -ch.LogRatio
		margin := math.Abs(n.Inputs.Uniform[i] - math.Exp(-want.HMC.DeltaH[i]))
		if ch.Accepted != want.HMC.Accepted[i] {
			clear = false
			if margin > tol {
				t.Errorf("accepted[%d]: got %v, want %v", i, ch.Accepted, want.HMC.Accepted[i])
			}
		}
	}
	n.nearEnergies(t, "delta_h", deltaH, want.HMC.DeltaH, want, prec, tol)
	if clear {
		near(t, "x_after", s.X.RawMatrix().Data, want.HMC.XAfter.flat(), tol)
	}
}

func (n *network) adam(t *testing.T, want *goldenNet, prec energy.Precision, tol float64) {
	start := slices.Clone(n.p.Data())
	defer func() { copy(n.p.Data(), start); n.p.Changed() }()
	o, given, err := n.objective("dsm", prec)
	if err != nil {
		t.Fatal(err)
	}
	opt := &train.Adam{LearningRate: 1e-3}
	grad := make([]float64, n.p.Len())
	var losses, norms []float64
	for range want.Adam3DSM.Losses {
		stats, err := o.Evaluate(grad, n.Inputs.X.dense(), given)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, stats.Loss)
		norms = append(norms, train.Clip(grad, 1))
		if err := opt.Step(n.p.Data(), grad); err != nil {
			t.Fatal(err)
		}
		n.p.Changed()
	}
	near(t, "losses", losses, want.Adam3DSM.Losses, tol)
	near(t, "grad_norms", norms, want.Adam3DSM.GradNorms, tol)
	ref, err := byLayer(want.Adam3DSM.Weights, n.widths)
	if err != nil {
		t.Fatalf("weights: %v", err)
	}
	near(t, "weights", n.p.Data(), ref, tol)
}

func goldenDistribution(t *testing.T, name string, want *goldenDataset) {
	dist, err := datasets.New(name)
	if err != nil {
		t.Fatal(err)
	}
	x := want.Points.dense()
	rows, d := x.Dims()
	t.Run("pdf", func(t *testing.T) {
		got := make([]float64, rows)
		dist.LogProb(got, x)
		for i := range got {
			got[i] = math.Exp(got[i])
		}
		near(t, "pdf", got, want.PDF, 1e-7)
	})
	if want.Score != nil {
		t.Run("score", func(t *testing.T) {
			got := mat.NewDense(rows, d, nil)
			dist.Score(got, x)
			for i, ref := range want.Score {
				if ref != nil {
					nearScore(t, i, got.RawRowView(i), ref)
				}
			}
		})
	}
	t.Run("entropy", func(t *testing.T) {
		h, ok := dist.(interface{ Entropy() float64 })
		if !ok {
			t.Fatal("no entropy")
		}
		if got := h.Entropy(); math.Abs(got-want.Entropy) > 2e-4 {
			t.Errorf("entropy: got %.6f, want %.6f", got, want.Entropy)
		}
	})
}

func nearScore(t *testing.T, i int, got, want []float64) {
	t.Helper()
	for j, w := range want {
		if math.Abs(got[j]-w) > 1e-6*(1+math.Abs(w)) {
			t.Errorf("score[%d][%d]: got %.12g, want %.12g", i, j, got[j], w)
		}
	}
}
