package main

import (
	"cmp"
	"fmt"
	"io"
)

// writeMarkdown prints one table: a line per operation, size and number of threads.
func writeMarkdown(w io.Writer, rep report) error {
	peer := "PyTorch not installed"
	if rep.PyTorch != "" {
		kernels := cmp.Or(rep.BLAS.Kernels, "the kernels it chooses")
		peer = fmt.Sprintf("PyTorch %s with OpenBLAS on %s (a product at %.0f GFLOP/s)", rep.PyTorch, kernels,
			rep.BLAS.GFLOPS)
	}
	fmt.Fprintf(w, "%s, %s, %d cores. Ratios are Go / PyTorch: smaller is better.\n\n", rep.Go, peer, rep.Cores)
	fmt.Fprintln(w, "| operation | batch, hidden | threads | Go, ms | of FMA peak | PyTorch autograd, ms | ratio | "+
		"PyTorch expert, ms | ratio | over one thread | cores free |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range rep.Rows {
		fmt.Fprintf(w, "| %s | %d, %d | %d | %.4g | %s", r.Op, r.Batch, r.Hidden, r.Threads, r.GoMS, share(r.Peak))
		for _, style := range styles {
			if r.Ratio == nil {
				fmt.Fprint(w, " | – | –")
				continue
			}
			fmt.Fprintf(w, " | %.4g | **%.3f**", r.PeerMS[style], r.Ratio[style])
		}
		if _, err := fmt.Fprintf(w, " | %s | %s |\n", times(r.SpeedUp), share(r.CoreFree)); err != nil {
			return err
		}
	}
	return nil
}

func share(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

func times(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f×", v)
}
