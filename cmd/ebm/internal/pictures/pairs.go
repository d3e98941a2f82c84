package pictures

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/viz"
)

// Pairs is the kind of picture that shows columns and pairs of them.
const Pairs = "pairs"

// pairs returns the pair plot of data and samples.
func (p *Pictures) pairs() (*viz.Pairs, error) {
	m := p.Model
	at := p.Columns
	for j := 0; p.Columns == nil && j < min(m.Dim(), viz.MostPairs); j++ {
		at = append(at, j)
	}
	samples, err := p.readSamples()
	if err != nil {
		return nil, err
	}
	const most = 5000 // rows, also of the histograms
	var drawn mat.Matrix
	if samples != nil {
		drawn = some(samples, most, at)
	}
	data := Data(m, most)
	if data != nil {
		data = some(data, most, at)
	}
	pic := viz.Compared(p.title(), data, drawn, namesOf(m.Names(), at), p.Style)
	note, err := p.comparison()
	if err != nil {
		return nil, err
	}
	if left := m.Dim() - len(at); left > 0 {
		note = join(note, fmt.Sprintf("%d of %d columns", len(at), m.Dim()))
	}
	pic.Note = join(note, pic.Note)
	return pic, pic.Validate()
}

// writePairs writes the pair plot to the run directory, if there is anything to show.
func (p *Pictures) writePairs() error {
	pic, err := p.pairs()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := viz.Encode(&b, filepath.Ext(rundir.Pairs), pic); err != nil {
		return err
	}
	return p.dir().Write(rundir.Pairs, b.Bytes())
}

// some returns columns of at most so many rows of x, evenly spaced.
func some(x mat.Matrix, most int, columns []int) *mat.Dense {
	n, _ := x.Dims()
	rows := min(n, most)
	part := mat.NewDense(rows, len(columns), nil)
	for i := range rows {
		for k, j := range columns {
			part.Set(i, k, x.At(i*n/rows, j))
		}
	}
	return part
}

// namesOf returns the names of some columns: x₁, x₂, … by their place in the data if they have none.
func namesOf(names []string, at []int) (chosen []string) {
	for _, j := range at {
		if names == nil {
			chosen = append(chosen, "x"+subscript(j+1))
		} else {
			chosen = append(chosen, names[j])
		}
	}
	return chosen
}

// subscript writes n in subscript digits.
func subscript(n int) string {
	return strings.Map(func(r rune) rune { return r - '0' + '₀' }, fmt.Sprint(n))
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " · " + b
}

// comparison says how the model and its base do on points held out; "" where there is no base, or no evaluation yet.
func (p *Pictures) comparison() (string, error) {
	if !p.dir().Has(rundir.Eval) {
		return "", nil
	}
	report, err := p.Model.Report()
	if err != nil || report.Baseline == nil || !report.NLL.Known() {
		return "", err
	}
	b := report.Baseline
	text := "NLL " + withError(report.NLL, report.NLLErr)
	if base, _ := p.Model.Base(); p.Model.OnlyBase() {
		return text + ": the model is its base, " + base, nil
	}
	return fmt.Sprintf("%s, base %s: difference %s", text, withError(b.NLL, b.NLLErr),
		withError(b.Difference, b.DifferenceErr)), nil
}

// withError writes a value and its standard error to the last of at most two digits of that.
func withError(v, se metrics.Value) string {
	if !se.Known() {
		return fmt.Sprintf("%.4g", v)
	}
	short, err := strconv.ParseFloat(fmt.Sprintf("%.2g", se), 64)
	if err != nil {
		return fmt.Sprintf("%.4g", v)
	}
	digits := strconv.FormatFloat(short, 'f', -1, 64)
	_, decimals, _ := strings.Cut(digits, ".")
	return fmt.Sprintf("%.*f ± %s", len(decimals), v, digits)
}
