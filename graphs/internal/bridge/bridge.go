// Package bridge lets the packages below graphs use what graphs does not export.
package bridge

import (
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Lower translates the part of a graph that outputs depend on to instructions, as graphs.Compile does: lowered and
// simplified, not yet fused or scheduled. Input i of the program is inputs[i]. Package graphs sets the variable.
var Lower func(inputs, outputs G.Nodes) (*ir.Graph, error)
