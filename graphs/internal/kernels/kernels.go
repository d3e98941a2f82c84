package kernels

import "unsafe"

// Float is the element type of every kernel.
type Float interface{ float32 | float64 }

func sizeof[T Float]() int {
	var z T
	return int(unsafe.Sizeof(z))
}

func isFloat32[T Float]() bool { return sizeof[T]() == 4 }

// check panics with a constant message when a programmer passes wrong lengths.
func check(ok bool, msg string) {
	if !ok {
		panic("kernels: " + msg)
	}
}
