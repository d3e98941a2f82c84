package pictures

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/viz"
)

// densityNodes is the number of nodes of the density grids along each axis.
const densityNodes = 241

// CheckDensity rejects, in the name of the flag, a run whose true density cannot be drawn beside the model's.
func (p *Pictures) CheckDensity(flag string) error {
	if err := p.checkPlane(flag); err != nil {
		return err
	}
	if _, ok := p.Model.Truth().(density.LogProber); !ok {
		return exit.Usagef(
			"%s: it needs a known density, and that of %s is not; ebm plot --kind contour draws the model alone", flag,
			p.Model.Config.Dataset)
	}
	return nil
}

// checkPlane rejects, in the name of the flag, data that are not two-dimensional.
func (p *Pictures) checkPlane(flag string) error {
	if d := p.Model.Dim(); d != 2 {
		return exit.Usagef("%s: it needs data of 2 dimensions, these have %d", flag, d)
	}
	return nil
}

// Density writes the true density, the model's, which is exp(−E − logZ), their difference, and, if the true score is
// known, the error of the model's. The data must pass [Pictures.CheckDensity].
func (p *Pictures) Density(ctx context.Context, logZ float64, path string) error {
	if math.IsNaN(logZ) || math.IsInf(logZ, 0) {
		return fmt.Errorf("the model has no density to draw: its integral is not finite")
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	data := p.Model.Truth()
	lo, hi := p.Model.Box()
	truth := viz.NewGrid(lo, hi, densityNodes)
	points := truth.Points()
	n, d := points.Dims()
	data.(density.LogProber).LogProb(truth.Z, points)
	model, grad := truth.Clone(), mat.NewDense(n, d, nil)
	if err := p.Model.EnergyGrad(model.Z, grad, points); err != nil {
		return err
	}
	for i := range truth.Z {
		truth.Z[i], model.Z[i] = math.Exp(truth.Z[i]), math.Exp(-model.Z[i]-logZ)
	}
	pic := &viz.Triptych{Title: p.title(), True: truth, Model: model,
		Style: p.Style}
	if scorer, ok := data.(density.Scorer); ok {
		score := mat.NewDense(n, d, nil)
		scorer.Score(score, points)
		pic.Score = truth.Clone()
		for i, w := range truth.Z {
			var sum float64
			for j, s := range score.RawRowView(i) {
				e := -grad.At(i, j) - s
				sum += e * e
			}
			if pic.Score.Z[i] = 0; w > 0 { // the score is undefined where the density is zero
				pic.Score.Z[i] = w * sum
			}
		}
	}
	return viz.Save(path, pic)
}
