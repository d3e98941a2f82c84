package gorgonia

import (
	"fmt"
	"reflect"
	"runtime"
	"unsafe"

	G "gorgonia.org/gorgonia"
)

// nodes says where a list of nodes lies in a G.Node.
func nodes(name string) func(*G.Node) G.Nodes {
	f, ok := reflect.TypeFor[G.Node]().FieldByName(name)
	if !ok || f.Type != reflect.TypeFor[G.Nodes]() {
		panic(fmt.Sprintf("graphs: gorgonia.Node has no field %q of type Nodes; this package is for Gorgonia v0.9.18", name))
	}
	return func(n *G.Node) G.Nodes {
		s := *(*G.Nodes)(unsafe.Add(unsafe.Pointer(n), f.Offset))
		return s[:len(s):len(s)]
	}
}

// Operands returns the operands of n in order, not to be written to. They are read from the node itself: Gorgonia's graph
// finds nodes by numbers, and where it has removed one (its stabilisation of log(1-x) does) the numbers are others.
var Operands = nodes("children")

// DerivativeOf returns the nodes that n is the gradient of.
var DerivativeOf = nodes("derivOf")

// Bind makes v the value of n, of whatever shape: some operations give a tensor of one element where the node is a scalar,
// which gorgonia.UnsafeLet refuses.
func Bind(n *G.Node, v G.Value) { *(*G.Value)(unsafe.Add(unsafe.Pointer(n), boundTo)) = v }

var boundTo = func() uintptr {
	f, ok := reflect.TypeFor[G.Node]().FieldByName("boundTo")
	if !ok || f.Type != reflect.TypeFor[G.Value]() {
		panic("graphs: gorgonia.Node has no field boundTo of type Value; this package is for Gorgonia v0.9.18")
	}
	return f.Offset
}()

// OwnGenerator reports whether a Dropout draws by the generator that gorgonia.Dropout gives it.
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

// Training returns the mode of an operation that has one.
func Training(op G.Op) (on, ok bool) {
	for _, name := range []string{"training", "isTraining"} {
		if now, ok := fieldsOf(op).bool(name); ok {
			return now, true
		}
	}
	return false, false
}
