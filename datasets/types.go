package datasets

import (
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// Source is data of known dimension in a known box.
type Source interface {
	density.Sampler
	// Dim returns the number of columns of a batch.
	Dim() int
	// Bounds returns the corners of a box that holds all but 1e-6 of the mass. The caller owns the slices.
	Bounds() (lo, hi []float64)
}

// Distribution is data whose density is known exactly.
type Distribution interface {
	density.Density
	density.Scorer
	Bounds() (lo, hi []float64)
}

// Entropic is implemented by distributions whose entropy is known.
type Entropic interface {
	// Entropy returns −E log p in nats.
	Entropy() float64
}

// Modal is implemented by distributions made of parts: Gaussians, squares, rings, arms.
type Modal interface {
	// Modes returns a representative point of every part, one per row, and the probabilities of the parts. The caller
	// owns both.
	Modes() (centres *mat.Dense, weights []float64)
	// AssignMode returns the part to which x most likely belongs.
	AssignMode(x []float64) int
}

// CellMasser is implemented by distributions whose mass in a box has a closed form that quadrature would miss, because
// the density jumps.
type CellMasser interface {
	// CellMass returns P(lo ≤ X < hi).
	CellMass(lo, hi []float64) float64
}

// Unnormalized is implemented by distributions that also provide an energy whose log partition function is not zero,
// for testing estimators of log Z.
type Unnormalized interface {
	// Energy stores E(x_i) with p = exp(−E)/Z in dst[i].
	Energy(dst []float64, x *mat.Dense)
	// LogZ returns log Z = log ∫ exp(−E(x)) dx.
	LogZ() float64
}
