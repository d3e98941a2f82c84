// Command gen writes the assembly of package kernels: one run for each instruction set.
//
//	go run . -isa avx2   -out ../avx2_amd64.s   -stubs ../avx2_amd64.go   -pkg kernels
//	go run . -isa avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg kernels
//	go run . -isa neon   -out ../neon_arm64.s   -stubs ../neon_arm64.go   -pkg kernels
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/neon"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/x86"
)

func main() {
	isa := flag.String("isa", "avx2", "instruction set: avx2, avx512 or neon")
	flag.Parse()
	if *isa != "neon" {
		x86.Write(*isa)
		return
	}
	value := func(name string) string { return flag.Lookup(name).Value.String() } // avo's flags
	if err := neon.Write(value("out"), value("stubs"), value("pkg")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
