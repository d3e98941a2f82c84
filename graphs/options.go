package graphs

import (
	"fmt"
	"io"
	"log"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/run"
)

// CompileOption is an option of Compile. A nil option has no effect.
type CompileOption interface{ compile(*options) }

// MachineOption is an option of NewMachine. A nil option has no effect.
type MachineOption interface{ machine(*options) }

type options struct {
	run  run.Options
	held G.Nodes // Compile

	still bool // what has a mode of training is what it is now, for export
	free  bool // Compile

	values     G.Nodes // NewMachine
	all        bool    // keep the values of all nodes
	evaluation bool
	watchNaN   bool
	watchInf   bool
	trace      bool
	duals      bool
	dual       G.Nodes
	byBLAS     bool
	logger     *log.Logger
	logged     G.Nodes
}

// check names what is out of range.
func (o *options) check() error {
	if o.run.Threads < 0 {
		return fmt.Errorf("graphs: Threads(%d), want at least 1, or 0 for the default, which is 1", o.run.Threads)
	}
	return nil
}

// keepsAll reports whether a machine keeps the values of all nodes: what looks at every value asks for it.
func (o *options) keepsAll() bool {
	return o.all || o.trace || o.watchNaN || o.watchInf || o.logger != nil && len(o.logged) == 0
}

type compileOption func(*options)

func (f compileOption) compile(o *options) { f(o) }

type machineOption func(*options)

func (f machineOption) machine(o *options) { f(o) }

// ThreadsOption is an option of Compile and of NewMachine.
type ThreadsOption int

func (n ThreadsOption) compile(o *options) { o.run.Threads = int(n) }
func (n ThreadsOption) machine(o *options) { o.run.Threads = int(n) }

// Threads lets the program use up to n threads, including the caller's; the default is 1. The results do not depend on
// n, bit for bit. Parts too small to be worth sharing are run by the caller alone, as is everything while another
// program uses the helpers. Helpers are goroutines of the process: they spin for some 200 µs after their last work,
// then sleep, and end after two idle seconds.
func Threads(n int) ThreadsOption { return ThreadsOption(n) }

// Held declares that the values of these inputs do not change from call to call, like weights while a sampler runs.
// They are read at the first call only, and everything that depends only on them is computed then. After a change call
// Function.Touch.
func Held(inputs ...*G.Node) CompileOption {
	return compileOption(func(o *options) { o.held = append(o.held, inputs...) })
}

// Unguarded turns off the check for concurrent calls, for owners that guarantee exclusive use: the check takes 10 ns
// per call.
func Unguarded() CompileOption { return compileOption(func(o *options) { o.free = true }) }

// Evaluation makes a Machine run operations with a training mode, such as Dropout, in evaluation mode.
func Evaluation() MachineOption { return machineOption(func(o *options) { o.evaluation = true }) }

// Values makes a Machine keep the values of these nodes, and of their gradients, besides those that it keeps anyway
// (see Machine).
func Values(nodes ...*G.Node) MachineOption {
	return machineOption(func(o *options) { o.values = append(o.values, nodes...) })
}

// AllValues makes a Machine keep the values of all nodes.
func AllValues() MachineOption { return machineOption(func(o *options) { o.all = true }) }

// ByBLAS makes a Machine compute matrix products by Gorgonia's own code, which calls the BLAS set by gorgonia.Use.
// Without it they are computed by the kernels of this package.
func ByBLAS() MachineOption { return machineOption(func(o *options) { o.byBLAS = true }) }

// WatchNaN makes a run of a Machine fail with a NonFiniteError if a value has become NaN. It implies AllValues.
func WatchNaN() MachineOption { return machineOption(func(o *options) { o.watchNaN = true }) }

// WatchInf makes a run of a Machine fail with a NonFiniteError if a value has become infinite. It implies AllValues.
func WatchInf() MachineOption { return machineOption(func(o *options) { o.watchInf = true }) }

// Trace makes a Machine bind copies to nodes, which later runs do not change. It implies AllValues.
func Trace() MachineOption { return machineOption(func(o *options) { o.trace = true }) }

// DualValues makes a Machine copy gradients to their inputs, or to these only: Node.Grad returns the copy, and a solver
// that clears it does not change the value of the gradient's own node.
func DualValues(nodes ...*G.Node) MachineOption {
	return machineOption(func(o *options) { o.duals, o.dual = true, append(o.dual, nodes...) })
}

// LogValues makes a Machine print, after every run, the values of these nodes, or of all if none are given. A nil
// logger prints nothing.
func LogValues(to *log.Logger, nodes ...*G.Node) MachineOption {
	return machineOption(func(o *options) {
		if o.logger = to; to == nil {
			o.logger = log.New(io.Discard, "", 0)
		}
		o.logged = append(o.logged, nodes...)
	})
}
