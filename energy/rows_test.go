package energy

import (
	"errors"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// ownEnergy is a user-defined energy with one parameter.
type ownEnergy struct {
	f func(x, theta *G.Node) *G.Node
}

func (ownEnergy) Dim() int      { return 2 }
func (ownEnergy) Specs() []Spec { return []Spec{{Name: "a", Shape: []int{1}}} }
func (o ownEnergy) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node { return o.f(x, theta[0]) })
}

func ofPlane(f func(x, theta *G.Node) *G.Node) Func {
	return Func{D: 2, Params: ownEnergy{}.Specs(), F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
		return graphs.Try(func() *G.Node { return f(x, theta[0]) })
	}}
}

func square(x *G.Node) *G.Node { return graphs.RowSum(graphs.Square(x)) }

func rowsOf(x *G.Node) int { return x.Shape()[0] }

// ones is a vector of as many ones as x has columns.
func ones(x *G.Node) *G.Node { return graphs.Reshape(graphs.OnesLike(graphs.ColSum(x)), x.Shape()[1]) }

// centred is x minus its mean over the batch.
func centred(x *G.Node) *G.Node {
	return graphs.Sub(x, graphs.ExpandRows(graphs.Scale(graphs.ColSum(x), 1/float64(rowsOf(x))), rowsOf(x)))
}

// Energies whose rows depend on each other are refused wherever they are compiled, by name and with the remedy.
func TestMixedRows(t *testing.T) {
	mixed := map[string]func(x, theta *G.Node) *G.Node{
		"mean of the batch": func(x, _ *G.Node) *G.Node { return square(centred(x)) },
		"products of points": func(x, _ *G.Node) *G.Node {
			return graphs.RowSum(graphs.MatMul(x, x, false, true))
		},
		"Gorgonia's mean": func(x, _ *G.Node) *G.Node {
			m := graphs.Must(G.Mean(x, 0))
			return square(graphs.Sub(x, graphs.ExpandRows(m, rowsOf(x))))
		},
		"shares of the batch": func(x, _ *G.Node) *G.Node {
			across := graphs.Transpose(graphs.RowLogSumExp(graphs.Transpose(x))) // (1, 2)
			return square(graphs.Sub(x, graphs.ExpandRows(graphs.Reshape(across, 2), rowsOf(x))))
		},
		"without derivative": func(x, _ *G.Node) *G.Node {
			return square(
				graphs.Sub(x, graphs.StopGradient(centred(x))))
		},
		"batch norm": func(x, _ *G.Node) *G.Node {
			one := ones(x)
			return square(graphs.BatchNorm(x, one, one, 1e-5))
		},
		"next row": func(x, _ *G.Node) *G.Node {
			n := rowsOf(x)
			return square(graphs.Add(x, graphs.ConcatRows(graphs.SliceRows(x, 1, n), graphs.SliceRows(x, 0, 1))))
		},
		"behind a parameter that is zero": func(x, theta *G.Node) *G.Node {
			return graphs.Add(square(x), graphs.Mul(graphs.Fill(theta, square(x)), square(centred(x))))
		},
		"defined between 0 and 1": func(x, _ *G.Node) *G.Node {
			return graphs.RowSum(graphs.Log(graphs.Mul(graphs.Fill(graphs.Sum(graphs.Log(x)), x), graphs.Log(x))))
		},
		"weakly": func(x, _ *G.Node) *G.Node {
			return graphs.Add(square(x), graphs.Scale(graphs.Fill(graphs.Sum(x), square(x)), 1e-6))
		},
	}
	for name, f := range mixed {
		fn := ofPlane(f)
		for _, e := range []Energy{fn, ownEnergy{f}, must(Confine(fn, []float64{0, 0}, 3)),
			must(NewBridge(must(Confine(fn, []float64{0, 0}, 3)),
				BridgeConfig{Background: must(NewMixture(mat.NewDense(1, 2, nil), []float64{1}, nil))}))} {
			_, err := NewEvaluator(e, NewParams(e.Specs()), EvaluatorConfig{})
			if err == nil || !strings.Contains(err.Error(), "mixes the points") ||
				!strings.Contains(err.Error(), "RowSum") {
				t.Errorf("%s: %T: error %v", name, e, err)
				continue
			}
			if _, own := e.(ownEnergy); !own && !strings.Contains(err.Error(), "energy.Func") {
				t.Errorf("%s: %T: the error does not name what it wraps: %v", name, e, err)
			}
		}
	}
	levels := must(NewAnnealable(Func{D: 3, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.Try(func() *G.Node { return square(centred(x)) })
	}}, []float64{2, 1, .1}, 1))
	if _, err := NewEvaluator(levels, NewParams(nil), EvaluatorConfig{}); err == nil ||
		!strings.Contains(err.Error(), "energy.Func in *energy.Annealable") {
		t.Errorf("levels of noise: error %v", err)
	}
}

// Whatever keeps rows apart is accepted: all kinds of energies, Gorgonia's operations, layers on pictures, random
// operations, and energies that can only be built for some batch sizes.
func TestRowsApart(t *testing.T) {
	for name, e := range every() {
		if err := CheckRows(e, Init(e, newRNG(1)), 8); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, f := range map[string]func(x, theta *G.Node) *G.Node{
		"Gorgonia's operations": func(x, _ *G.Node) *G.Node {
			return graphs.Reshape(graphs.Must(G.Sum(graphs.Must(G.Square(x)), 1)), rowsOf(x), 1)
		},
		"layer norm": func(x, _ *G.Node) *G.Node {
			one := ones(x)
			return square(graphs.LayerNorm(x, one, one, 1e-5))
		},
		"pictures": func(x, theta *G.Node) *G.Node {
			p := graphs.Reshape(x, rowsOf(x), 1, 2, 1)
			return graphs.Reshape(graphs.SumAxes(graphs.Square(p), 1, 2, 3), rowsOf(x), 1)
		},
		"dropout": func(x, _ *G.Node) *G.Node { return square(graphs.Dropout(x, .5)) },
		"sixteen rows": func(x, _ *G.Node) *G.Node {
			if rowsOf(x) != 16 {
				return graphs.Must(nil, errSixteen)
			}
			return square(x)
		},
	} {
		if _, err := NewEvaluator(ofPlane(f), NewParams(ownEnergy{}.Specs()),
			EvaluatorConfig{Batch: 16, Precision: Float64}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var errSixteen = errors.New("want sixteen points")
