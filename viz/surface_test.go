package viz

import (
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// hiding counts the places where the colour seen is not that of the surface nearest to the eye, found independently by
// marching a ray through the height field. order may replace the painter's order of columns and rows.
func hiding(t *testing.T, cam Camera, seed uint64, flip bool) (wrong, seen int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	g := NewGrid([]float64{0, 0}, []float64{1, 1}, 25)
	for k := 0; k < 6; k++ {
		cx, cy, h := rng.Float64(), rng.Float64(), rng.Float64()
		for j, y := range g.Y {
			for i, x := range g.X {
				g.Z[j*25+i] += h * math.Exp(-((x-cx)*(x-cx)+(y-cy)*(y-cy))/0.02)
			}
		}
	}
	_, hi := g.Range()
	f := &Surface{Grid: g, Scale: Scale{Lo: 0, Hi: hi, Map: Viridis}, Camera: cam, Cells: 24, Mesh: -1}
	// Flat colours by height only.
	const size = 300
	r := newRaster(size, size, 1, color.White)
	c := draw.NewCanvas(r, size, size)
	v := newView(cam)
	if flip {
		v.eye[0], v.eye[1] = -v.eye[0], -v.eye[1]
	}
	v.fit(vg.Rectangle{Min: vg.Point{X: 20, Y: 20}, Max: vg.Point{X: size - 20, Y: size - 20}})
	f.faces(c, Light, &v)
	v = newView(cam)
	v.fit(vg.Rectangle{Min: vg.Point{X: 20, Y: 20}, Max: vg.Point{X: size - 20, Y: size - 20}})
	height := func(x, y float64) float64 { return g.Interpolate(x+0.5, y+0.5) / hi * surfaceHeight }
	for range 400 {
		x, y := rng.Float64()*0.96-0.48, rng.Float64()*0.96-0.48
		p := vec3{x, y, height(x, y)}
		// Is p hidden? March towards the eye, and demand a clear margin either way.
		gap := math.Inf(1)
		for s := 0.03; s < 1.2; s += 0.004 {
			q := vec3{p[0] + s*(v.eye[0]-p[0])/v.distance, p[1] + s*(v.eye[1]-p[1])/v.distance,
				p[2] + s*(v.eye[2]-p[2])/v.distance}
			if math.Abs(q[0]) > 0.5 || math.Abs(q[1]) > 0.5 {
				break
			}
			gap = math.Min(gap, q[2]-height(q[0], q[1]))
		}
		if gap > -0.05 { // only points clearly behind a hill
			continue
		}
		seen++
		q := v.project(p)
		got := r.img.RGBAAt(int(q.X), size-1-int(q.Y))
		// The hidden point would show its own height's hue: compare in the map by the nearest entry under any light.
		if d := heightOf(got) - p[2]/surfaceHeight; math.Abs(d) < 0.06 {
			wrong++
		}
	}
	return wrong, seen
}

// heightOf inverts shade and the map: the height whose colour has the hue of c.
func heightOf(c color.RGBA) float64 {
	best, at := math.Inf(1), 0.0
	for k := range 101 {
		h := float64(k) / 100
		for _, cos := range []float64{1, 0.8, 0.6, 0.4, 0.2, 0, -0.5} {
			s := shade(Viridis.At(h), cos)
			d := math.Hypot(math.Hypot(float64(s.R)-float64(c.R), float64(s.G)-float64(c.G)), float64(s.B)-float64(c.B))
			if d < best {
				best, at = d, h
			}
		}
	}
	return at
}

func TestHiddenSurfaces(t *testing.T) {
	wrong, seen, twin := 0, 0, 0
	for k, cam := range []Camera{{-60, 25, 3}, {30, 35, 3}, {140, 20, 5}, {-150, 40, 1.5}, {5, 30, 2}, {-91, 15, 40}} {
		w, s := hiding(t, cam, uint64(k), false)
		wrong, seen = wrong+w, seen+s
		w, _ = hiding(t, cam, uint64(k), true)
		twin += w
	}
	// A few coincide by chance: what hides them has the same height.
	t.Logf("%d of %d hidden points show through; painted from near to far %d", wrong, seen, twin)
	if seen < 50 {
		t.Fatalf("only %d hidden points, want at least 50", seen)
	}
	if float64(wrong) > 0.15*float64(seen) {
		t.Errorf("%d of %d hidden points show through", wrong, seen)
	}
	if float64(twin) < 0.5*float64(seen) {
		t.Errorf("the broken twin, painted from near to far, passes: %d of %d", twin, seen)
	}
}

func TestFarToNear(t *testing.T) {
	for _, e := range []float64{-3, -0.2, 0.01, 0.4, 7} {
		last, seen := math.Inf(1), map[int]bool{}
		for _, i := range farToNear(11, e) {
			d := math.Abs((float64(i)+0.5)/11 - 0.5 - e)
			if d > last+1e-12 {
				t.Errorf("e=%g: cell %d at %g after %g", e, i, d, last)
			}
			last = d
			seen[i] = true
		}
		if len(seen) != 11 {
			t.Errorf("e=%g: %d cells, want 11", e, len(seen))
		}
	}
}

func TestSlicePlane(t *testing.T) {
	tri := []vec3{{0, 0, 0}, {1, 0, 1}, {0, 1, 2}}
	up, down := slicePlane(tri, 0.5, 1), slicePlane(tri, 0.5, -1)
	if got := polygonArea(up) + polygonArea(down); math.Abs(got-0.5) > 1e-12 {
		t.Errorf("parts have the area %g, want 0.5", got)
	}
	for _, p := range up {
		if p[2] < 0.5-1e-12 {
			t.Errorf("upper part holds %v", p)
		}
	}
}

func polygonArea(p []vec3) float64 {
	s := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		s += a[0]*b[1] - b[0]*a[1]
	}
	return math.Abs(s) / 2
}
