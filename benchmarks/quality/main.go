// Command quality makes benchmarks/QUALITY.md of what ebm compare measured.
//
//	ebm compare --objectives nce,ml --datasets 4squares,8gaussians --seeds 3 --out runs/quality
//	go run ./benchmarks/quality runs/quality/board.json > benchmarks/QUALITY.md
//
// Every file becomes a section, with the command that made it.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

type options struct {
	Boards []string `arg:"" name:"board.json" help:"Files of ebm compare."`
}

func main() {
	var opt options
	kong.Parse(&opt, kong.Name("quality"), kong.Description("Makes QUALITY.md of the files of ebm compare."))
	if err := run(opt.Boards, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}
