package viz

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Ticks places about N labelled ticks at multiples of 1, 2 or 5 times a power of ten. The labels of an axis share one
// format: the same number of decimals, thousands as k or millions as M, or a common power of ten. A Figure moves what
// they share, a power of ten or an offset that is large compared with their spacing, to the label of the axis, as in "x
// (×1e−6)" and "x − 1e8", and uses fewer ticks where their labels would touch.
type Ticks struct{ N int }

// Ticks satisfies plot.Ticker.
func (t Ticks) Ticks(lo, hi float64) []plot.Tick {
	at, f := t.at(lo, hi)
	return ticks(at, f.full)
}

// short returns the ticks with labels that leave out what they share, and an axis label that includes it.
func (t Ticks) short(lo, hi float64, label string) ([]plot.Tick, string) {
	at, f := t.at(lo, hi)
	return ticks(at, f.short), f.label(label)
}

func ticks(at []float64, label func(float64) string) []plot.Tick {
	out := make([]plot.Tick, len(at))
	for k, v := range at {
		out[k] = plot.Tick{Value: v, Label: label(v)}
	}
	return out
}

// at returns the positions of the ticks and how to write them.
func (t Ticks) at(lo, hi float64) ([]float64, tickFormat) {
	if !(hi-lo > 1e-300) || math.IsInf(hi-lo, 0) { // Log10 fails for subnormal numbers
		return []float64{lo}, tickFormat{any: true}
	}
	step := niceStep((hi - lo) / float64(max(t.N, 2)))
	for math.Floor(hi/step)-math.Ceil(lo/step) < 1 { // at least two
		step = niceStep(step / 3)
	}
	first, last := math.Ceil(lo/step-1e-6), math.Floor(hi/step+1e-6)
	at := make([]float64, int(last-first)+1)
	for k := range at {
		at[k] = (first + float64(k)) * step
	}
	return at, formatOf(at[0], at[len(at)-1], step)
}

// niceStep returns the smallest 1, 2 or 5 times a power of ten that is at least s.
func niceStep(s float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(s)))
	for _, m := range []float64{1, 2, 5} {
		if s <= m*p*1.0001 {
			return m * p
		}
	}
	return 10 * p
}

// tickFormat is how the ticks of an axis are written: (v − offset) / 10^exp with a number of decimals, and a suffix.
type tickFormat struct {
	any      bool // a lone value
	place    int  // decimal place of the tick spacing
	offset   float64
	exp      int
	decimals int
	suffix   string // k or M, standing for exp; "": the axis label says it
}

// formatOf returns the format of ticks a … b at multiples of step. Up to five digits are written out.
func formatOf(a, b, step float64) tickFormat {
	f := tickFormat{place: decimalPlace(step)}
	most := math.Max(math.Abs(a), math.Abs(b))
	digits := decimalPlace(most) - f.place + 1
	if (digits > 5 || f.place < -4 && digits > 3) && most > 10*(b-a) {
		f.offset = roundest(a, b, step)
		most = math.Max(math.Abs(a-f.offset), math.Abs(b-f.offset))
	}
	switch {
	case most >= 1e9 || f.place < -4:
		f.exp = decimalPlace(most)
	case most >= 1e6 && f.place >= 5:
		f.exp, f.suffix = 6, "M"
	case most >= 1e4 && f.place >= 2:
		f.exp, f.suffix = 3, "k"
	}
	f.decimals = max(0, f.exp-f.place)
	return f
}

// decimalPlace returns the decimal place of the first digit of v > 0.
func decimalPlace(v float64) int { return int(math.Floor(math.Log10(v) + 1e-9)) }

// roundest returns the tick with the fewest digits among ticks a … b of one sign.
func roundest(a, b, step float64) float64 {
	if b < 0 {
		return -roundest(-b, -a, step)
	}
	for e := decimalPlace(b); e >= decimalPlace(step); e-- {
		n := strconv.FormatFloat(math.Floor(b/math.Pow10(e)+1e-9), 'f', 0, 64)
		if v, err := strconv.ParseFloat(n+"e"+strconv.Itoa(e), 64); err == nil && v > a-step/2 {
			return v
		}
	}
	return a
}

func (f tickFormat) short(v float64) string {
	if f.any {
		return number(v, 3)
	}
	s := strconv.FormatFloat((v-f.offset)/math.Pow10(f.exp), 'f', f.decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	return minus(s) + f.suffix
}

// full writes v in full.
func (f tickFormat) full(v float64) string {
	if f.offset != 0 {
		return minus(strconv.FormatFloat(v, 'f', max(0, -f.place), 64))
	}
	s := f.short(v)
	if f.scaled() && s != "0" {
		s += minus("e" + strconv.Itoa(f.exp))
	}
	return s
}

// scaled reports whether short leaves out a power of ten.
func (f tickFormat) scaled() bool { return f.exp != 0 && f.suffix == "" }

// label returns the label of an axis, name or "name (unit)", with what short leaves out: name − offset (×power unit).
// Without a name it says how to read a tick: ×power + offset.
func (f tickFormat) label(name string) string {
	unit := ""
	if i := strings.LastIndex(name, " ("); i > 0 && strings.HasSuffix(name, ")") {
		name, unit = name[:i], name[i+2:len(name)-1]
	}
	power, offset, sign := "", "", f.offset > 0
	if f.scaled() {
		power = minus("×1e" + strconv.Itoa(f.exp))
	}
	if f.offset != 0 {
		if name != "" {
			sign = !sign
		}
		offset = " − " + decimal(math.Abs(f.offset))
		if sign {
			offset = " + " + decimal(math.Abs(f.offset))
		}
	}
	if name == "" {
		return strings.TrimSpace(power + offset)
	}
	name += offset
	if unit = strings.TrimSpace(power + " " + unit); unit != "" {
		name += " (" + unit + ")"
	}
	return name
}

// decimal writes v in full, or with a power of ten if that is shorter.
func decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	m, e, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
	n, _ := strconv.Atoi(e)
	if p := m + "e" + strconv.Itoa(n); len(s) > 7 && len(p) < len(s) {
		s = p
	}
	return minus(s)
}

// fitTicks gives the axes of a plot the ticks that fit a data rectangle of this size; undo restores the old ones.
func fitTicks(p *plot.Plot, size vg.Point) (undo func()) {
	x, y := p.X, p.Y
	fitAxis(&p.X, size.X, func(s string) vg.Length { return x.Tick.Label.Width(s) + 0.6*x.Tick.Label.Font.Size })
	fitAxis(&p.Y, size.Y, func(string) vg.Length { return y.Tick.Label.Font.Size })
	return func() {
		p.X.Tick.Marker, p.X.Label.Text = x.Tick.Marker, x.Label.Text
		p.Y.Tick.Marker, p.Y.Label.Text = y.Tick.Marker, y.Label.Text
	}
}

// fitAxis replaces the Ticks of an axis of this length by ones whose labels, of the given size along it, do not touch.
func fitAxis(a *plot.Axis, length vg.Length, size func(label string) vg.Length) {
	t, ok := a.Tick.Marker.(Ticks)
	if !ok || !(a.Max > a.Min) {
		return
	}
	name := a.Label.Text
	for n := max(t.N, 2); ; n-- {
		marks, label := Ticks{N: n}.short(a.Min, a.Max, name)
		hidden := 0
		end := vg.Length(math.Inf(-1))
		for k := range marks {
			at, half := length*vg.Length(a.Norm(marks[k].Value)), size(marks[k].Label)/2
			if at-half < end {
				marks[k].Label = ""
				hidden++
			} else {
				end = at + half
			}
		}
		if hidden == 0 || n == 2 {
			a.Tick.Marker, a.Label.Text = plot.ConstantTicks(marks), label
			return
		}
	}
}

// number writes v with the given number of significant digits and a true minus sign.
func number(v float64, digits int) string { return minus(strconv.FormatFloat(v, 'g', digits, 64)) }

func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }

// LogTicks labels the powers of ten of a logarithmic axis, or 1, 2 and 5 times them where there are few.
type LogTicks struct{}

// Ticks satisfies plot.Ticker.
func (LogTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(lo > 0) || !(hi > lo) {
		return nil
	}
	var out []plot.Tick
	decades := math.Log10(hi / lo)
	every := max(1, int(math.Ceil(decades/6)))
	for e := int(math.Floor(math.Log10(lo))); e <= int(math.Ceil(math.Log10(hi))); e++ {
		for _, m := range []float64{1, 2, 3, 5} {
			v := m * math.Pow(10, float64(e))
			if v < lo*0.9999 || v > hi*1.0001 {
				continue
			}
			t := plot.Tick{Value: v}
			switch {
			case m == 1 && e%every == 0, decades < 2 && m != 3, decades < 0.7:
				t.Label = number(v, 3)
			}
			out = append(out, t)
		}
	}
	return out
}
