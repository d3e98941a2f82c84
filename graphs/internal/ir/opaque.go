package ir

// Runner is what an Opaque instruction does. dst and args are the whole values in the program's number type.
type Runner interface {
	// Label names the operation for people.
	Label() string
	// Run32 and Run64 compute dst from args. They must not keep or change args.
	Run32(dst []float32, args [][]float32) error
	Run64(dst []float64, args [][]float64) error
}

// Opaque is whatever Run does.
type Opaque struct {
	whole
	Run      Runner
	Label    string // names the function in full: equal labels and arguments are merged, unless it is empty
	Volatile bool   // gives another result at each run: never merged, never held
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

// Opaque is whatever run does.
func (g *Graph) Opaque(run Runner, label string, volatile bool, rows, cols int, args ...ID) ID {
	return g.Emit(Opaque{Run: run, Label: label, Volatile: volatile}, rows, cols, append([]ID(nil), args...)...)
}
