// Package x86 writes the kernels for AVX2 and AVX-512 with avo.
package x86

import . "github.com/mmcloughlin/avo/build"

// Write writes the assembly of one instruction set, avx2 or avx512, and its declarations, where avo's flags -out and
// -stubs say.
func Write(isa string) {
	ConstraintExpr("amd64,!purego")
	for _, f64 := range []bool{false, true} {
		if isa == "avx512" {
			e := vec{f64: f64, width: 512}
			products(e)
			activations(e)
			functions(e)
			trigonometric(e)
			peak(e)
			continue
		}
		e := vec{f64: f64, width: 256}
		products(e)
		rowDots(e)
		packing(e)
		pools(e)
		activations(e)
		functions(e)
		trigonometric(e)
		elementwise(e)
		sums(e)
		peak(e)
	}
	if isa == "avx2" {
		copying()
		conversions()
		normals()
		adam()
	}
	Generate()
}
