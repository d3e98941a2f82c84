package objectives

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// Regularizer is a penalty added to any loss. It causes a bias: the minimum of the sum is not that of the loss.
// (Spectral normalisation is not a penalty but a wrapper of the energy, energy.Spectral.) Over an [energy.Bridge], E is
// the energy of the data, not the fitted energy of data and background together.
type Regularizer interface {
	// Penalty builds the term, of shape (1). It is called after Form.Loss, inside graphs.Try.
	Penalty(b *Builder) *G.Node

	// Validate names settings out of range.
	Validate() error
}

var (
	_ Regularizer = EnergyL2{}
	_ Regularizer = GradientPenalty{}
	_ Regularizer = WeightDecay{}
)

// EnergyL2 is α (mean E(x)² + mean E(x⁻)²), at the data and, if the objective has them, the negatives (Du and Mordatch,
// arXiv 1903.08689): it keeps energies near zero.
type EnergyL2 struct{ Alpha float64 }

// Validate reports α ≤ 0.
func (r EnergyL2) Validate() error { return positive("EnergyL2.Alpha", r.Alpha) }

// Penalty builds the term.
func (r EnergyL2) Penalty(b *Builder) *G.Node {
	sum := graphs.Mean(graphs.Square(b.E(b.Points())))
	if neg := b.Negatives(); neg != nil {
		sum = graphs.Add(sum, graphs.Mean(graphs.Square(b.E(neg))))
	}
	return graphs.Scale(sum, r.Alpha)
}

// GradientPenalty is λ mean |∇E|² at the data and, if the objective has them, the negatives (compare Gulrajani et al.,
// arXiv 1704.00028): it keeps the energy flat.
type GradientPenalty struct{ Lambda float64 }

// Validate reports λ ≤ 0.
func (r GradientPenalty) Validate() error { return positive("GradientPenalty.Lambda", r.Lambda) }

// Penalty builds the term.
func (r GradientPenalty) Penalty(b *Builder) *G.Node {
	at := func(x *G.Node) *G.Node {
		return graphs.Mean(graphs.RowSum(graphs.Square(b.Gradient(b.E(x), x))))
	}
	sum := at(b.Points())
	if neg := b.Negatives(); neg != nil {
		sum = graphs.Add(sum, at(neg))
	}
	return graphs.Scale(sum, r.Lambda)
}

// WeightDecay is ½λ Σ W² over the weight matrices, not biases, means or scales. (AdamW has its own decay, which acts on
// the step instead of the loss.)
type WeightDecay struct{ Lambda float64 }

// Validate reports λ ≤ 0.
func (r WeightDecay) Validate() error { return positive("WeightDecay.Lambda", r.Lambda) }

// Penalty builds the term.
func (r WeightDecay) Penalty(b *Builder) *G.Node {
	var sum *G.Node
	for i, s := range b.Energy().Specs() {
		if energy.IsWeight(s) {
			sum = plus(sum, graphs.Sum(graphs.Square(b.Theta[i])))
		}
	}
	if sum == nil {
		return graphs.Must(nil, fmt.Errorf("objectives: weight decay: the energy has no weight matrices; leave it "+
			"out"))
	}
	return graphs.Scale(sum, r.Lambda/2)
}

func positive(name string, v float64) error {
	if !(v > 0) {
		return fmt.Errorf("objectives: %s = %g, want > 0", name, v)
	}
	return nil
}
