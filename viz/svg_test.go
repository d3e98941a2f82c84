package viz

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
)

// absolute reads path data by the grammar of SVG 1.1, including relative and repeated commands, and writes out every
// argument.
func absolute(t *testing.T, data string) (out []string, args []float64) {
	t.Helper()
	tokens := regexp.MustCompile(`[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)`).FindAllString(data, -1)
	size := map[string]int{"m": 2, "l": 2, "q": 4, "c": 6, "a": 7, "z": 0}
	var x, y, x0, y0 float64
	command := ""
	for len(tokens) > 0 {
		if tokens[0][0] >= 'A' {
			command, tokens = tokens[0], tokens[1:]
		}
		low := strings.ToLower(command)
		n, ok := size[low]
		if !ok || n > len(tokens) {
			t.Fatalf("command %q with %d arguments in %q", command, len(tokens), data)
		}
		v := make([]float64, n)
		for k := range v {
			v[k], _ = strconv.ParseFloat(tokens[k], 64)
			if coordinate := low != "a" || k >= 5; command == low && coordinate {
				v[k] += []float64{x, y}[(k+n)%2]
			}
		}
		tokens = tokens[n:]
		switch {
		case low == "z":
			x, y = x0, y0
		default:
			if x, y = v[n-2], v[n-1]; low == "m" {
				x0, y0 = x, y
			}
		}
		out, args = append(out, low), append(args, v...)
	}
	return out, args
}

// Shortened paths follow the long ones, to within half of a tenth of a point, however many moves they consist of.
func TestCompactSVG(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	number := func() string { return fmt.Sprintf("%.5g", 500*rng.Float64()-50) }
	for range 200 {
		var b strings.Builder
		b.WriteString("M" + number() + "," + number())
		for range 40 {
			switch rng.IntN(6) {
			case 0:
				b.WriteString("M" + number() + "," + number())
			case 1, 2:
				b.WriteString("L" + number() + "," + number())
			case 3:
				b.WriteString("Q" + number() + "," + number() + "," + number() + "," + number())
			case 4:
				b.WriteString("A0.9,0.9 0 0 1 " + number() + "," + number())
			default:
				b.WriteString("ZM" + number() + "," + number() + "C1,2,3,4," + number() + "," + number())
			}
		}
		long := b.String()
		short, ok := relative(long)
		if !ok {
			t.Fatalf("%q: %q, %v", long, short, ok)
		}
		commands, want := absolute(t, long)
		got, at := absolute(t, short)
		if strings.Join(got, "") != strings.Join(commands, "") {
			t.Fatalf("%q: commands %q, want %q", short, got, commands)
		}
		for k, v := range want {
			if math.Abs(at[k]-v) > 0.05+1e-9 {
				t.Fatalf("%q: argument %d is %g, want %g", short, k, at[k], v)
			}
		}
	}
	for in, want := range map[string]string{
		`<path d="M1,2L3.04,2Z" style="fill:#123456;fill-opacity:0.27451" />` +
			"\n": `<path d="m1 2l2 0z" fill="#123456" fill-opacity=".275"/>` + "\n",
		`<path d="M1,2L0.94,-2" style="fill:none;stroke:#000000;stroke-opacity:0;stroke-width:10" />`: `<path d="m1 2l-.1-4" stroke="#000000" stroke-opacity="0" stroke-width="10"/>` + "\n",
		`<path d="M1,2H3" style="fill:#123456" />`:                                                    "",
		`<path d="M1,NaN" style="fill:#123456" />`:                                                    "",
		`<path d="M1" style="fill:#123456" />`:                                                        "",
		`<text x="1">M1,2</text>`:                                                                     "",
	} {
		if want == "" {
			want = in
		}
		if got := string(compactSVG([]byte(in))); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// The SVG of a surface is about a megabyte at most, and shows what the picture with the finer mesh and its triangles
// shows.
func TestSurfaceInSVG(t *testing.T) {
	f, err := fullPanel().Kind("surface")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Encode(&b, "svg", f); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 1_200_000 {
		t.Errorf("%d bytes", b.Len())
	}
	w, h := f.Size()
	picture := func(lean bool) *raster {
		r := newRaster(w, h, 1, color.White)
		f.Draw(draw.NewCanvas(outlined{Canvas: r, lean: lean}, w, h))
		return r
	}
	fine, lean := picture(false), picture(true)
	var sum float64
	far := 0
	for k, v := range fine.img.Pix {
		d := math.Abs(float64(v) - float64(lean.img.Pix[k]))
		if sum += d; d > 60 {
			far++
		}
	}
	n := float64(len(fine.img.Pix))
	if mean, share := sum/n, float64(far)/n; mean == 0 || mean > 2.5 || share > 0.01 {
		t.Errorf("%.2f levels apart, %.2g of the pixels far", mean, share)
	} else {
		t.Logf("%d bytes, %.2f levels apart, %.2g of the pixels far", b.Len(), mean, share)
	}
}
