// Command gen writes the assembly of package kernels: one run for each instruction set.
//
//	go run . -isa avx2   -out ../avx2_amd64.s   -stubs ../avx2_amd64.go   -pkg kernels
//	go run . -isa avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg kernels
package main

import (
	"flag"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	isa := flag.String("isa", "avx2", "instruction set: avx2 or avx512")
	flag.Parse()
	ConstraintExpr("amd64,!purego")
	for _, f64 := range []bool{false, true} {
		if *isa == "avx512" {
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
		activations(e)
		functions(e)
		trigonometric(e)
		elementwise(e)
		sums(e)
		peak(e)
	}
	if *isa == "avx2" {
		copying()
		conversions()
		normals()
		adam()
	}
	Generate()
}
