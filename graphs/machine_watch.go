package graphs

import (
	"fmt"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// NonFiniteError reports a node whose value a Machine found to be NaN or infinite.
type NonFiniteError struct {
	Node  *G.Node
	Value float64
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("%v found in the value of %v", e.Value, e.Node)
}

// inspect checks and logs the results according to the options, operands before results.
func (m *Machine) inspect() error {
	if m.o.logger != nil {
		for _, r := range m.results {
			if len(m.o.logged) == 0 || slices.Contains(m.o.logged, r.n) {
				m.o.logger.Printf("%v = %v", r.n, r.value)
			}
		}
	}
	if !m.o.watchNaN && !m.o.watchInf {
		return nil
	}
	for _, r := range m.results {
		if x, bad := m.nonFinite(r.value); bad {
			return &NonFiniteError{r.n, x}
		}
	}
	return nil
}

func (m *Machine) nonFinite(v G.Value) (float64, bool) {
	bad := func(x float64) bool { return m.o.watchNaN && math.IsNaN(x) || m.o.watchInf && math.IsInf(x, 0) }
	switch v := v.(type) {
	case *G.F64:
		return float64(*v), bad(float64(*v))
	case *G.F32:
		return float64(*v), bad(float64(*v))
	case *tensor.Dense:
		if s, ok := elements[float64](v); ok {
			for _, x := range s {
				if bad(x) {
					return x, true
				}
			}
		}
		if s, ok := elements[float32](v); ok {
			for _, x := range s {
				if bad(float64(x)) {
					return float64(x), true
				}
			}
		}
	}
	return 0, false
}
