package mcmc

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// WriteTable writes the diagnostics as a short table in 80 columns: the quantities, worst first (if many, those with
// the largest R̂), statistics of the whole run, and the warnings.
func (o *Diagnostics) WriteTable(w io.Writer) error {
	const most = 8
	q := o.Quantities
	if len(q) > most {
		q = worstFirst(q)[:most]
	}
	if _, err := io.WriteString(w, quantities(q)); err != nil {
		return err
	}
	if len(q) < len(o.Quantities) {
		if _, err := fmt.Fprintf(w, "%d of %d quantities, the worst first\n", len(q), len(o.Quantities)); err != nil {
			return err
		}
	}
	line := []string{fmt.Sprintf("%s: %d chains × %d draws", cmp.Or(o.Exact, o.Sampler), o.Chains, o.Draws)}
	if o.StepSize == o.StepSize {
		line = append(line, fmt.Sprintf("step %.3g", o.StepSize))
	}
	line = append(line, fmt.Sprintf("acceptance %.2f", o.AcceptProb), fmt.Sprintf("divergences %d", o.Divergences))
	if o.EBFMI == o.EBFMI {
		line = append(line, fmt.Sprintf("E-BFMI %.2f", o.EBFMI))
	}
	if o.Temperature == o.Temperature {
		line = append(line, fmt.Sprintf("temperature %.3f (1 is right)", o.Temperature))
	}
	gradients := fmt.Sprintf("gradients %d", o.Evaluations)
	if o.ESSPerGrad == o.ESSPerGrad {
		gradients += fmt.Sprintf(" (%.2g effective draws each)", o.ESSPerGrad)
	}
	line = append(line, gradients)
	text := flow(line, ", ")
	if len(o.TreeDepth) > 0 {
		text += flow(strings.Fields(fmt.Sprintf("trees by depth: %d", o.TreeDepth)), " ")
	}
	if len(o.SwapRates) > 0 {
		text += flow(strings.Fields(fmt.Sprintf("exchanges between levels: %.2f (β %.3g)", o.SwapRates, o.Betas)), " ")
	}
	if m := o.Modes; m != nil {
		s := fmt.Sprintf("modes: %d of %d visited, weights %.3f, %.1f changes per chain", m.Visited, len(m.Weights),
			m.Weights, m.Switches)
		if m.TV == m.TV {
			s += fmt.Sprintf(", TV %.3f", m.TV)
		}
		text += flow(strings.Fields(s), " ")
	}
	for _, s := range o.Warnings() {
		text += flow(strings.Fields("warning: "+s), " ")
	}
	_, err := io.WriteString(w, text)
	return err
}

// columns is the width of a terminal, which no line exceeds.
const columns = 80

// quantities returns the upper part of the table, with four digits, or with fewer and then shorter names if lines get
// too long.
func quantities(q []Quantity) (text string) {
	for _, style := range []struct{ digits, name int }{{4, 12}, {3, 12}, {2, 12}, {1, 12}, {1, 6}} {
		text = quantitiesWith(q, style.digits, style.name)
		header, _, _ := strings.Cut(text, "\n") // all lines have this length
		if utf8.RuneCountInString(header) <= columns {
			break
		}
	}
	return text
}

// quantitiesWith writes moments and quantiles with the given number of digits, and names of at most widest letters.
func quantitiesWith(q []Quantity, digits, widest int) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\tmean\tsd\t5 %\t50 %\t95 %\tR̂\tESS bulk\tESS tail\tMCSE\t")
	for i := range q {
		v := &q[i]
		name := []rune(v.Name)
		if len(name) > widest {
			name = append(name[:widest-1:widest-1], '…')
		}
		rhat := fmt.Sprintf("%.3f", v.RHat)
		if v.RHat >= 1000 {
			rhat = fmt.Sprintf("%.1g", v.RHat)
		}
		fmt.Fprintf(tw, "%s\t%.*g\t%.*g\t%.*g\t%.*g\t%.*g\t%s\t%.0f\t%.0f\t%.*g\t\n",
			string(name), digits, v.Mean, digits, v.Std, digits, v.Q05, digits, v.Median, digits, v.Q95,
			rhat, v.ESSBulk, v.ESSTail, min(digits, 2), v.MCSEMean)
	}
	tw.Flush() // writes to memory, which cannot fail
	return b.String()
}

// worstFirst returns the quantities in order of decreasing R̂; constant ones, which have none, are last.
func worstFirst(q []Quantity) []Quantity {
	return slices.SortedStableFunc(slices.Values(q), func(a, b Quantity) int { return cmp.Compare(b.RHat, a.RHat) })
}

// flow joins pieces by sep into lines of at most 80 columns, unless a piece is longer; continuation lines are indented.
func flow(pieces []string, sep string) string {
	var b strings.Builder
	at := 0
	for i, s := range pieces {
		if i < len(pieces)-1 {
			s += strings.TrimRight(sep, " ")
		}
		n := utf8.RuneCountInString(s)
		switch {
		case i == 0:
		case at+1+n > columns:
			b.WriteString("\n  ")
			at = 2
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(s)
		at += n
	}
	b.WriteByte('\n')
	return b.String()
}
