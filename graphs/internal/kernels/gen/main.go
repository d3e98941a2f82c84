// Command gen writes the assembly of package kernels: one run for each instruction set.
//
//	go run . -isa avx2   -out ../avx2_amd64.s   -stubs ../avx2_amd64.go   -pkg kernels
//	go run . -isa avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg kernels
package main

import (
	"flag"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/x86"
)

func main() {
	isa := flag.String("isa", "avx2", "instruction set: avx2 or avx512")
	flag.Parse()
	x86.Write(*isa)
}
