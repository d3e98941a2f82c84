// Command gen writes the assembly of package kernels, one run for each instruction set, then the tables of the
// routines, and the blocks of the portable product.
//
//	go run . -isa avx2   -out ../avx2_amd64.s   -stubs ../avx2_amd64.go   -pkg kernels
//	go run . -isa avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg kernels
//	go run . -isa neon   -out ../neon_arm64.s   -stubs ../neon_arm64.go   -pkg kernels
//	go run . -isa ""
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/neon"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/x86"
)

func main() {
	isa := flag.String("isa", "avx2", "instruction set: avx2, avx512 or neon; empty for what is Go")
	flag.Parse()
	value := func(name string) string { return flag.Lookup(name).Value.String() } // avo's flags
	var err error
	switch *isa {
	case "":
		err = errors.Join(writeTables("../tables_amd64.go", "amd64", "../avx2_amd64.go", "../avx512_amd64.go"),
			writeTables("../tables_arm64.go", "arm64", "../neon_arm64.go"),
			writeBlock("../block_few.go", "386 || amd64 || arm || s390x || wasm",
				"with operands and products they fit into sixteen registers.", 2),
			writeBlock("../block_many.go", "!386 && !amd64 && !arm && !s390x && !wasm",
				"with the operands they need 24 of 32 registers.", 4))
	case "neon":
		err = neon.Write(value("out"), value("stubs"), value("pkg"))
	default:
		x86.Write(*isa)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
