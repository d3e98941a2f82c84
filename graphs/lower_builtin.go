package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// builtin lowers an operation of Gorgonia or of a third party.
func (l *lowering) builtin(n *G.Node, in G.Nodes) (ir.ID, error) {
	return 0, fmt.Errorf("graphs: Compile: no instruction for %v (%T)", n.Op(), n.Op())
}
