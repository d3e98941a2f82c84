package gorgonia

import (
	"fmt"
	"reflect"
	"runtime"
	"unsafe"

	G "gorgonia.org/gorgonia"
)

// field returns where a G.Node has the unexported field of this name and type.
func field[T any](name string) func(*G.Node) *T {
	f, ok := reflect.TypeFor[G.Node]().FieldByName(name)
	if !ok || f.Type != reflect.TypeFor[T]() {
		panic(fmt.Sprintf("graphs: gorgonia.Node has no field %q of type %v; this package is for Gorgonia v0.9.18", name,
			reflect.TypeFor[T]()))
	}
	return func(n *G.Node) *T { return (*T)(unsafe.Add(unsafe.Pointer(n), f.Offset)) }
}

// nodes returns an accessor of the unexported field of a G.Node that holds a list of nodes.
func nodes(name string) func(*G.Node) G.Nodes {
	at := field[G.Nodes](name)
	return func(n *G.Node) G.Nodes {
		s := *at(n)
		return s[:len(s):len(s)]
	}
}

// Operands returns the operands of n in order; the caller must not write to the slice. They are read from the node
// itself because Gorgonia's graph looks nodes up by ID, and IDs change when it removes a node, as its stabilisation
// of log(1-x) does.
var Operands = nodes("children")

// DerivativeOf returns the nodes that n is a derivative of.
var DerivativeOf = nodes("derivOf")

// Bind makes v the value of n, whatever its shape: some operations give a tensor of one element for a scalar node,
// which gorgonia.UnsafeLet rejects.
func Bind(n *G.Node, v G.Value) { *boundTo(n) = v }

// Named reports whether n was given a name. Node.Name makes one up for nodes that have none.
func Named(n *G.Node) bool { return *name(n) != "" }

// Derived reports whether gorgonia.Grad made n as the gradient of a node, needed or not: it puts them into two groups.
func Derived(n *G.Node) bool {
	return *group(n) == "gradients" || *group(n) == "undifferentiated nodes"
}

var (
	boundTo = field[G.Value]("boundTo")
	name    = field[string]("name")
	group   = field[string]("group")
)

// OwnGenerator reports whether a Dropout draws from the generator that gorgonia.Dropout sets.
func OwnGenerator(op G.Op) bool {
	f, ok := fieldsOf(op).field("rndGen", reflect.Func)
	if !ok || f.IsNil() {
		return false
	}
	fn := runtime.FuncForPC(f.Pointer())
	return fn != nil && fn.Name() == "gorgonia.org/gorgonia.Dropout.func1"
}

// Into returns where a Read statement stores its value.
func Into(op G.Op) (*G.Value, bool) {
	f, ok := fieldsOf(op).field("into", reflect.Pointer)
	if !ok || f.Type() != reflect.TypeFor[*G.Value]() {
		return nil, false
	}
	return (*G.Value)(f.UnsafePointer()), true
}

// Training reports whether an operation is in training mode; ok is false if it has no mode.
func Training(op G.Op) (on, ok bool) {
	for _, name := range []string{"training", "isTraining"} {
		if now, ok := fieldsOf(op).bool(name); ok {
			return now, true
		}
	}
	return false, false
}
