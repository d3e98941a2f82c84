// Package graphtest is the test kit of package graphs: what every operation, and every function built from operations,
// must satisfy.
//
//	graphtest.CheckOp(t, f, reference, inputs...)
//
// checks, in float64 and float32, the value against the reference, the shape, the derivatives of order one, two and
// three against nested central differences, forward against reverse mode and the symmetry of the Hessian, all by an
// interpreter that calls Op.Do node by node, and then once more through graphs.Compile.
package graphtest
