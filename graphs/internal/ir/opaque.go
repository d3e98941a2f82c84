package ir

// Runner executes an Opaque instruction. dst and args are whole values in the program's number type.
type Runner interface {
	// Label is the name of the operation in dumps and messages.
	Label() string
	// Run32 and Run64 compute dst from args. They must neither modify nor retain args.
	Run32(dst []float32, args [][]float32) error
	Run64(dst []float64, args [][]float64) error
}

// Opaque is an operation the compiler knows nothing about.
type Opaque struct {
	whole
	Run      Runner
	Label    string // instructions with equal labels and arguments are merged, unless the label is empty
	Volatile bool   // each run may give a different result: never merged, never held
}

func (Opaque) Name() string             { return "opaque" }
func (o Opaque) Text(a []string) string { return plain(o.Run.Label(), a) }

// opaqueKey is the key of an Opaque.
type opaqueKey string

func (o Opaque) key() any {
	if o.Label == "" || o.Volatile {
		return nil
	}
	return opaqueKey(o.Label)
}

// Opaque is the result of run on args.
func (g *Graph) Opaque(run Runner, label string, volatile bool, rows, cols int, args ...ID) ID {
	return g.Emit(Opaque{Run: run, Label: label, Volatile: volatile}, rows, cols, append([]ID(nil), args...)...)
}
