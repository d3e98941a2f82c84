package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
)

// Margin is an objective of one's own,
//
//	L = mean softplus(E(x) - E(y) + c) - c/2,   y = centre + width·ξ,
//
// whose offset c follows the mean of E(y) - E(x) from gradient to gradient, and whose centre is learnt: Adam moves it
// to the mean of the data.
type Margin struct {
	Width float64 `json:"width" help:"Deviation of the points y, in units of the data; twice theirs by default."`
	Pace  float64 `json:"pace" help:"Share of the way that the offset goes in a step; 0.1 by default."`
}

func init() { objectives.Register("margin", Margin{}) }

func (m Margin) Traits() objectives.Traits {
	return objectives.Traits{Summary: "margin between data and noise", Source: "none", Aux: true, Bias: "the margin",
		Relative: true}
}

func (m Margin) Validate() error {
	return objectives.Check(m).Positive("Width").Positive("Pace").That(m.Pace < 1, "Pace", "below 1").Err()
}

func (m Margin) Suited(data objectives.Facts) objectives.Method {
	if m.Width == 0 {
		m.Width = 2 * max(data.Spread, 1e-6)
	}
	if m.Pace == 0 {
		m.Pace = 0.1
	}
	return m
}

func (m Margin) Recipe(data objectives.Facts) objectives.Recipe {
	r := objectives.DefaultRecipe(data)
	r.Batch, r.Steps = 32, 200
	return r
}

func (m Margin) Form(s objectives.Setup) (objectives.Form, error) {
	return &margin{m: m, phi: energy.NewParams([]energy.Spec{{Name: "centre", Shape: []int{1, s.Energy.Dim()}}})}, nil
}

// margin is a Form with everything that a form may be: derived inputs, a report, a state, parameters of its own.
type margin struct {
	m   Margin
	c   float64
	phi *energy.Params
}

var (
	_ objectives.Deriver  = (*margin)(nil)
	_ objectives.Learner  = (*margin)(nil)
	_ objectives.Reporter = (*margin)(nil)
	_ objectives.Updater  = (*margin)(nil)
	_ objectives.Stateful = (*margin)(nil)
)

func (f *margin) OwnParams() *energy.Params { return f.phi }
func (f *margin) OwnRate() float64          { return 0.01 }
func (f *margin) Repeats() int              { return 0 }

func (f *margin) Inputs(n, d int) []objectives.Input {
	return []objectives.Input{{Name: "xi", Shape: []int{n, d}}, {Name: "c", Shape: []int{1}, Derived: true}}
}

func (f *margin) Draw(in objectives.Inputs, _ *mat.Dense, rng *rand.Rand) error {
	for i := range in["xi"] {
		in["xi"][i] = rng.NormFloat64()
	}
	return nil
}

func (f *margin) Derive(in objectives.Inputs, _ *mat.Dense) error {
	in["c"][0] = f.c
	return nil
}

func (f *margin) Loss(b *objectives.Builder) *G.Node {
	centre := graphs.ExpandRows(graphs.Reshape(b.Own[0], b.D), b.N)
	b.SetOwnLoss(graphs.Mean(graphs.RowSum(graphs.Square(graphs.Sub(b.X, centre)))))
	y := graphs.Add(graphs.Scale(b.In("xi"), f.m.Width), centre)
	b.SetNegatives(y)
	gap := graphs.Sub(b.E(b.X), b.E(y))
	b.Yield("gap", graphs.Mean(gap))
	c := graphs.Fill(b.In("c"), gap)
	return graphs.Mean(graphs.Sub(graphs.Softplus(graphs.Add(gap, c)), graphs.Scale(c, 0.5)))
}

func (f *margin) Report(out objectives.Inputs, s *objectives.Stats) { s.Negative = -out["gap"][0] }

func (f *margin) Update(out objectives.Inputs) error {
	f.c += f.m.Pace * (-out["gap"][0] - f.c)
	return nil
}

func (f *margin) MarshalState() ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(f.c)), nil
}

func (f *margin) UnmarshalState(b []byte) error {
	if len(b) != 8 {
		return fmt.Errorf("margin: a state of %d bytes, want 8", len(b))
	}
	f.c = math.Float64frombits(binary.LittleEndian.Uint64(b))
	return nil
}
