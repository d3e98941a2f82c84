package mcmc

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// No line is wider than a terminal, however large or small the numbers of diverged chains; ordinary numbers keep four
// digits.
func TestTableIsEightyColumns(t *testing.T) {
	for _, c := range []struct {
		scale, rhat float64
		want        string
	}{
		{1, 1.0012, "-1.254"}, {1e14, 6.963, "-1e+14"}, {1e-14, 1e13, "-1e-14"},
		{1e300, 1e300, "-1e+300"}, {1e-300, 1e6, "-1e-300"},
	} {
		scale := Number(c.scale)
		q := Quantity{
			Name: "a long name of a coordinate", Mean: -1.2543 * scale, Std: 1.5591 * scale, Q05: -3.7971 * scale,
			Median: -1.1811 * scale, Q95: -3.1222 * scale, RHat: Number(c.rhat), ESSBulk: 1e6, ESSTail: 1e6,
			MCSEMean: 1.6123 * scale,
		}
		var b strings.Builder
		if err := (&Diagnostics{Sampler: "hmc", Quantities: []Quantity{q, {Name: "x2"}}}).WriteTable(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("scale %g: a line of %d columns: %q", c.scale, n, line)
			}
		}
		if !strings.Contains(b.String(), " "+c.want+" ") {
			t.Errorf("scale %g: no %q in\n%s", c.scale, c.want, b.String())
		}
	}
}
