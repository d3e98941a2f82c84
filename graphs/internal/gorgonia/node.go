package gorgonia

import (
	"fmt"
	"reflect"
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
