package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

const introduction = `# Tables

What the defaults of ` + "`ebm train`" + ` make of tables. This page is made by

    go run ./benchmarks/tables [--seeds N] [--only NAME,…] [TRAIN.csv TEST.csv …] > benchmarks/TABLES.md

*Base* is the mixture of Gaussians, chosen by BIC and given heavy tails where the points have some, that every model begins
with and that the network has to improve; *kernel density* is Gaussian, of the standardised columns, with the width that
makes points left out likeliest; *ours* is what the fit keeps. All three see the same points and are judged on others, of
which kernel densities see 2000 at most. *Ours − base* is the paired difference ± its standard error, with that of log Z.
*Straightened* counts the seeds where a mixture of Gaussians of straightened columns took the place of the base under
the network. Figures are medians over the seeds, with the minimum and maximum in brackets. CPU seconds are for all
stages of the fit.
`

// page writes TABLES.md.
func page(w io.Writer, results []*result) error {
	var b strings.Builder
	b.WriteString(introduction)
	rows := group(results)
	known := slices.DeleteFunc(slices.Clone(rows), func(s series) bool { return !s[0].Known })
	files := slices.DeleteFunc(slices.Clone(rows), func(s series) bool { return s[0].Known })
	if len(known) > 0 {
		b.WriteString("\n## Simulated tables\n\nKL from the known density, in nats; of rounded columns and of such with few values it is " +
			"that of\nthe probabilities of cells.\n\n")
		legend(&b, known)
		losses(&b, known)
		findings(&b, known)
		normalisers(&b, known)
	}
	if len(files) > 0 {
		b.WriteString("\n## Files\n\nNegative log likelihood of the second file, in nats per point and the units of the file.\n\n")
		losses(&b, files)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// series holds the results of one table and number of rows, by seed.
type series []*result

// group collects the results of every table, in order.
func group(results []*result) (all []series) {
	for _, r := range results {
		i := slices.IndexFunc(all, func(s series) bool {
			return s[0].Table == r.Table && s[0].Rows == r.Rows && s[0].Known == r.Known
		})
		if i < 0 {
			all = append(all, nil)
			i = len(all) - 1
		}
		all[i] = append(all[i], r)
	}
	return all
}

// median returns the median over the seeds of f, its minimum and maximum.
func (s series) median(f func(*result) float64) (mid, lo, hi float64) {
	var v []float64
	for _, r := range s {
		v = append(v, f(r))
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2, v[0], v[len(v)-1]
}

// text writes the median and the range.
func (s series) text(f func(*result) float64) string {
	mid, lo, hi := s.median(f)
	if len(s) == 1 {
		return fmt.Sprintf("%.4f", mid)
	}
	return fmt.Sprintf("%.4f (%.4f – %.4f)", mid, lo, hi)
}

func lossOf(name string) func(*result) float64 {
	return func(r *result) float64 { return float64(r.Loss[name].Mean) }
}

// name tells a table from others of the same name.
func (s series) name() string { return fmt.Sprintf("%s, %d rows", s[0].Table, s[0].Rows) }

// legend says what the tables are.
func legend(b *strings.Builder, rows []series) {
	said := ""
	for _, s := range rows {
		if r := s[0]; r.Table != said {
			said = r.Table
			fmt.Fprintf(b, "* `%s`: %s, %d columns\n", r.Table, r.About, r.Dim)
		}
	}
	b.WriteString("\n")
}

// warped counts the seeds where columns were straightened.
func (s series) warped() (n int) {
	for _, r := range s {
		if r.Warped {
			n++
		}
	}
	return n
}

// losses writes the table of figures.
func losses(b *strings.Builder, rows []series) {
	b.WriteString("| | d | rows | seeds | base | kernel density | ours | ours − base | straightened | kept of the network | CPU s |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range rows {
		r := s[0]
		gap, _, _ := s.median(func(r *result) float64 { return float64(r.Difference.Mean) })
		se, _, _ := s.median(func(r *result) float64 { return float64(r.Difference.Err) })
		share, _, _ := s.median(func(r *result) float64 { return r.Share })
		cpu, _, _ := s.median(func(r *result) float64 { return r.CPU })
		kernel, _, _ := s.median(lossOf(ofKernel))
		fmt.Fprintf(b, "| `%s` | %d | %d | %d | %s | %.3f | %s | %.4f ± %.4f | %d | %.2f | %.0f |\n", r.Table, r.Dim,
			r.Rows, len(s), s.text(lossOf(ofBase)), kernel, s.text(lossOf(ofOurs)), gap, se, s.warped(), share, cpu)
	}
}

// findings says what the simulated tables show.
func findings(b *strings.Builder, rows []series) {
	const enough = 3000
	var half, less, kept, changed, worse []string
	for _, s := range rows {
		base, _, _ := s.median(lossOf(ofBase))
		ours, _, _ := s.median(lossOf(ofOurs))
		share, _, _ := s.median(func(r *result) float64 { return r.Share })
		gone := fmt.Sprintf("%s (%.0f %%)", s.name(), 100*math.Max(0, 1-ours/base))
		switch {
		case s[0].Mixture && share == 0 && s.warped() == 0:
			kept = append(kept, s.name())
		case s[0].Mixture:
			changed = append(changed, s.name())
		case s[0].Rows < enough:
		case ours <= base/2:
			half = append(half, gone)
		default:
			less = append(less, gone)
		}
		for _, r := range s {
			if (r.Share > 0 || r.Warped) && r.Difference.Mean > r.Difference.Err {
				worse = append(worse, fmt.Sprintf("%s, seed %d", s.name(), r.Seed))
			}
		}
	}
	b.WriteString("\nWhat they show, by medians:\n\n")
	for _, f := range []struct {
		text string
		of   []string
	}{
		{fmt.Sprintf("of densities that are no mixture, and %d rows or more, half of the base's KL or more is gone",
			enough), half},
		{"less than half of it is gone", less},
		{"of mixtures, the base is kept", kept},
		{"of mixtures, something else is kept", changed},
		{"ours is above the base by more than the standard error", worse},
	} {
		fmt.Fprintf(b, "* %s: %s\n", f.text, list(f.of))
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, "; ")
}

// normalisers compares log Z with the independent estimates.
func normalisers(b *strings.Builder, rows []series) {
	b.WriteString("\n### log Z\n\nThe model's own log Z, by draws of its base or by quadrature in the plane, less an independent " +
		"estimate by\ndraws of the known density and of wide Gaussians, over the standard error of the difference; of the seed " +
		"with the largest.\nA base that is kept has log Z = 0. Estimates for which fewer than a tenth of the draws have weight are left out.\n\n" +
		"| | seeds | log Z | difference | largest z |\n|---|---|---|---|---|\n")
	for _, s := range rows {
		most, at, n := 0.0, 0.0, 0
		for _, r := range s {
			if r.Reference == nil {
				continue
			}
			n++
			gap := float64(r.LogZ.Mean - r.Reference.Mean)
			if z := gap / math.Hypot(float64(r.LogZ.Err), float64(r.Reference.Err)); math.Abs(z) >= math.Abs(most) {
				most, at = z, gap
			}
		}
		if n > 0 {
			logZ := s.text(func(r *result) float64 { return float64(r.LogZ.Mean) })
			fmt.Fprintf(b, "| `%s` | %d | %s | %.4f | %.1f |\n", s.name(), n, logZ, at, most)
		}
	}
}
