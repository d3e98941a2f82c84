package viz

import (
	"image/color"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The ticks of an axis have one format, by themselves and with the part that they share in the label of the axis.
func TestTickFormat(t *testing.T) {
	for _, c := range []struct {
		lo, hi             float64
		name               string
		full, short, label string
	}{
		{-4, 4, "x", "−4 −2 0 2 4", "−4 −2 0 2 4", "x"},
		{3, 4.1, "x", "3.0 3.5 4.0", "3.0 3.5 4.0", "x"},
		{0, 20000, "step", "0 5k 10k 15k 20k", "0 5k 10k 15k 20k", "step"},
		{9400, 10600, "x", "9.5k 10.0k 10.5k", "9.5k 10.0k 10.5k", "x"},
		{0, 1.2e6, "x", "0 0.5M 1.0M", "0 0.5M 1.0M", "x"},
		{1e8 - 4.4, 1e8 + 4.4, "x", "99999996 99999998 100000000 100000002 100000004", "−4 −2 0 2 4", "x − 1e8"},
		{-1e8 - 4, -1e8 + 4, "x (kg)", "−100000004 −100000002 −100000000 −99999998 −99999996", "−4 −2 0 2 4",
			"x + 1e8 (kg)"},
		{1 - 2.2e-6, 1 + 2.2e-6, "x", "0.999998 0.999999 1.000000 1.000001 1.000002", "−2 −1 0 1 2", "x − 1 (×1e−6)"},
		{1 - 2.2e-6, 1 + 2.2e-6, "", "0.999998 0.999999 1.000000 1.000001 1.000002", "−2 −1 0 1 2", "×1e−6 + 1"},
		{0, 2.2e-6, "E (nats)", "0 0.5e−6 1.0e−6 1.5e−6 2.0e−6", "0 0.5 1.0 1.5 2.0", "E (×1e−6 nats)"},
		{0, 3e11, "p", "0 1e11 2e11 3e11", "0 1 2 3", "p (×1e11)"},
		{2019.8, 2024.3, "year", "2020 2021 2022 2023 2024", "2020 2021 2022 2023 2024", "year"},
		{0.123456, 0.123464, "x", "0.123456 0.123458 0.123460 0.123462 0.123464", "−4 −2 0 2 4", "x − 0.12346 (×1e−6)"},
		{-1e8 - 1400, -1e8 + 300, "x", "−100001000 −100000500 −100000000", "−1000 −500 0", "x + 1e8"},
		{2, 2, "x", "2", "2", "x"},
	} {
		join := func(marks []plot.Tick) string {
			var s []string
			for _, m := range marks {
				s = append(s, m.Label)
			}
			return strings.Join(s, " ")
		}
		if got := join(Ticks{N: 5}.Ticks(c.lo, c.hi)); c.full != got {
			t.Errorf("%g…%g: got %q, want %q", c.lo, c.hi, got, c.full)
		}
		marks, label := Ticks{N: 5}.short(c.lo, c.hi, c.name)
		if got := join(marks); got != c.short || label != c.label {
			t.Errorf("%g…%g: got %q and %q, want %q and %q", c.lo, c.hi, got, label, c.short, c.label)
		}
	}
	// Where floats are sparse, the loop still ends.
	for _, r := range [][2]float64{{1e17, 1e17 + 64}, {5e-324, 5e-322}, {-1e308, 7e307}} {
		if n := len(Ticks{N: 5}.Ticks(r[0], r[1])); n < 1 || n > 30 {
			t.Errorf("%g…%g: %d ticks", r[0], r[1], n)
		}
	}
}

// The labels of a plot in a figure do not touch, however small it is; the plot itself does not change.
func TestTicksFit(t *testing.T) {
	for _, r := range [][2]float64{{0, 1}, {-4, 4}, {99990, 100010}, {1e8 - 4, 1e8 + 4}, {0, 2e-7}} {
		for _, width := range []vg.Length{500, 120, 60, 40} {
			p := Light.NewPlot("", "x", "y")
			p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = r[0], r[1], r[0], r[1]
			p.X.Tick.Marker = Ticks{N: 9}
			rec := &labelRecorder{raster: newRaster(900, 900, 1, color.White)}
			place(draw.NewCanvas(rec, 900, 900), p,
				vg.Rectangle{Min: vg.Point{X: 200, Y: 200}, Max: vg.Point{X: 200 + width, Y: 200 + width}})
			if p.X.Tick.Marker != (Ticks{N: 9}) || p.X.Label.Text != "x" {
				t.Fatal("the plot is changed")
			}
			row, column := rec.aligned(p)
			if len(row) == 0 || len(column) == 0 {
				t.Fatalf("%v at %g: no labels", r, width)
			}
			for k := 1; k < len(row); k++ {
				if row[k][0] < row[k-1][1]+2 {
					t.Errorf("%v at %g: labels %d and %d of x touch", r, width, k-1, k)
				}
			}
			for k := 1; k < len(column); k++ {
				if column[k]-column[k-1] < Light.FontSize-0.01 {
					t.Errorf("%v at %g: labels %d and %d of y touch", r, width, k-1, k)
				}
			}
		}
	}
}

// labelRecorder records where text is drawn.
type labelRecorder struct {
	*raster
	text []string
	at   []vg.Point
}

func (l *labelRecorder) FillString(f font.Face, at vg.Point, text string) {
	l.text, l.at = append(l.text, text), append(l.at, at)
}

// aligned returns the extents of the tick labels of the x axis, which share a height, and the heights of those of the y
// axis.
func (l *labelRecorder) aligned(p *plot.Plot) (row [][2]vg.Length, column []vg.Length) {
	for k, s := range l.text {
		if strings.ContainsAny(s, "xy") {
			continue
		}
		if q := l.at[k]; q.Y < 195 {
			row = append(row, [2]vg.Length{q.X, q.X + p.X.Tick.Label.Width(s)})
		} else if q.X < 200 {
			column = append(column, q.Y)
		}
	}
	slices.SortFunc(row, func(a, b [2]vg.Length) int { return int(1000 * (a[0] - b[0])) })
	slices.Sort(column)
	return row, column
}
