// Package bridge gives packages below graphs what graphs does not export.
package bridge

import (
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Lower translates the part of a graph that outputs depend on to instructions: what graphs.Compile makes of it, simplified,
// before it is fused and scheduled. The i-th input of the program is the i-th of inputs. Package graphs sets it.
var Lower func(inputs, outputs G.Nodes) (*ir.Graph, error)
