package mcmc

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the diagnostics as a short table: the first few quantities, what concerns the whole run, the warnings.
func (o *Diagnostics) WriteTable(w io.Writer) error {
	const most = 8
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\tmean\tsd\t5 %\t50 %\t95 %\tR̂\tESS bulk\tESS tail\tMCSE\t")
	q := o.Quantities
	for i := range q {
		if len(q) > most && i >= most-1 && i < len(q)-1 {
			if i == most-1 {
				fmt.Fprintf(tw, "… %d more\t\t\t\t\t\t\t\t\t\t\n", len(q)-most)
			}
			continue
		}
		v := &q[i]
		fmt.Fprintf(tw, "%s\t%.4g\t%.4g\t%.4g\t%.4g\t%.4g\t%.3f\t%.0f\t%.0f\t%.2g\t\n",
			v.Name, v.Mean, v.Std, v.Q05, v.Median, v.Q95, v.RHat, v.ESSBulk, v.ESSTail, v.MCSEMean)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	line := []string{
		fmt.Sprintf("%s: %d chains × %d draws", o.Sampler, o.Chains, o.Draws),
		fmt.Sprintf("step %.3g", o.StepSize),
		fmt.Sprintf("acceptance %.2f", o.AcceptProb),
		fmt.Sprintf("divergences %d", o.Divergences),
	}
	if o.EBFMI == o.EBFMI {
		line = append(line, fmt.Sprintf("E-BFMI %.2f", o.EBFMI))
	}
	if o.Temperature == o.Temperature {
		line = append(line, fmt.Sprintf("temperature %.3f", o.Temperature))
	}
	line = append(line, fmt.Sprintf("gradients %d (%.2g effective draws each)", o.Evaluations, o.ESSPerGrad))
	if _, err := fmt.Fprintln(w, strings.Join(line, ", ")); err != nil {
		return err
	}
	if len(o.TreeDepth) > 0 {
		fmt.Fprintf(w, "trees by depth: %d\n", o.TreeDepth)
	}
	if len(o.SwapRates) > 0 {
		fmt.Fprintf(w, "exchanges between levels: %.2f (β %.3g)\n", o.SwapRates, o.Betas)
	}
	if m := o.Modes; m != nil {
		fmt.Fprintf(w, "modes: %d of %d visited, weights %.3f, %.1f changes per chain", m.Visited, len(m.Weights), m.Weights, m.Switches)
		if m.TV == m.TV {
			fmt.Fprintf(w, ", TV %.3f", m.TV)
		}
		fmt.Fprintln(w)
	}
	for _, s := range o.Warnings() {
		if _, err := fmt.Fprintln(w, "warning:", s); err != nil {
			return err
		}
	}
	return nil
}
