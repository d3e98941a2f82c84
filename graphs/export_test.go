package graphs

import G "gorgonia.org/gorgonia"

// Costs is the cost of a graph, and Cost counts it.
type Costs = costs

var Cost = costOf

// Trial is a form of a second derivative and its counted cost.
type Trial struct {
	Name  string
	Costs Costs
	Err   error
	Build func(out, x *G.Node, dirs G.Nodes) (*G.Node, error)
}

func export(ts []trial) []Trial {
	var r []Trial
	for _, t := range ts {
		r = append(r, Trial{t.form.name, t.costs, t.err, func(out, x *G.Node, dirs G.Nodes) (n *G.Node, err error) {
			return Try(func() *G.Node { return t.form.apply(out, x, dirs) })
		}})
	}
	return r
}

// CurvatureTrials are the forms of vᵀHv (of the trace for nil dirs).
func CurvatureTrials(energy, x *G.Node, dirs G.Nodes) []Trial {
	return export(trials(curvatureForms, energy, x, dirs))
}

// ProductTrials are the forms of Hv.
func ProductTrials(cost, x, v *G.Node) []Trial {
	return export(trials(productForms, cost, x, G.Nodes{v}))
}

// Unit returns rows e_k of x's shape.
func Unit(x *G.Node, k int) *G.Node { return unit(x, k) }
