package viz

import (
	"math"
	"math/rand/v2"
	"testing"
)

func area(ring []point) float64 {
	s := 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		s += p.x*q.y - q.x*p.y
	}
	return s / 2
}

func regionArea(t *tracer, level float64) float64 {
	s := 0.0
	for _, r := range t.region(level) {
		s += area(r)
	}
	return s
}

// winding is the number of turns of the rings around q.
func winding(rings [][]point, q point) int {
	n := 0
	for _, r := range rings {
		for i, a := range r {
			b := r[(i+1)%len(r)]
			if (a.y <= q.y) != (b.y <= q.y) {
				side := (b.x-a.x)*(q.y-a.y) - (q.x-a.x)*(b.y-a.y)
				if b.y > a.y && side > 0 {
					n++
				} else if b.y <= a.y && side < 0 {
					n--
				}
			}
		}
	}
	return n
}

func TestIsolineOfPlane(t *testing.T) {
	// f = x + 2y: the isoline f = 1 is a straight line, the region {f ≥ 1} of [0,1]² has the area 3/4.
	g := fill(NewGrid([]float64{0, 0}, []float64{1, 1}, 14), func(x, y float64) float64 { return x + 2*y })
	tr := newTracer(g.X, g.Y, g.Z)
	lines := tr.lines(1)
	if len(lines) != 1 {
		t.Fatalf("got %d lines, want 1", len(lines))
	}
	for _, p := range lines[0] {
		if d := p.x + 2*p.y - 1; math.Abs(d) > 1e-12 {
			t.Errorf("point (%g, %g) is off the line by %g", p.x, p.y, d)
		}
	}
	first, last := lines[0][0], lines[0][len(lines[0])-1]
	if got, want := math.Hypot(first.x-last.x, first.y-last.y), math.Hypot(1, 0.5); math.Abs(got-want) > 1e-12 {
		t.Errorf("line is %g long, want %g", got, want)
	}
	if got := regionArea(tr, 1); math.Abs(got-0.75) > 1e-12 {
		t.Errorf("area %g, want 0.75", got)
	}
	if got := regionArea(tr, -1); math.Abs(got-1) > 1e-12 {
		t.Errorf("area below all values %g, want 1", got)
	}
	if got := len(tr.region(10)); got != 0 {
		t.Errorf("%d rings above all values, want 0", got)
	}
}

func TestIsolineOfCircle(t *testing.T) {
	// {1 − x² − y² ≥ 0} is the unit disc: one ring inside, its area π − O(h²).
	err := func(n int) float64 {
		g := fill(NewGrid([]float64{-1.5, -1.5}, []float64{1.5, 1.5}, n),
			func(x, y float64) float64 { return 1 - x*x - y*y })
		tr := newTracer(g.X, g.Y, g.Z)
		if r := tr.region(0); len(r) != 1 {
			t.Fatalf("n=%d: got %d rings, want 1", n, len(r))
		}
		l := tr.lines(0)
		if len(l) != 1 || l[0][0] != l[0][len(l[0])-1] {
			t.Fatalf("n=%d: want one closed line", n)
		}
		return math.Abs(regionArea(tr, 0) - math.Pi)
	}
	a, b := err(30), err(60)
	if order := math.Log2(a / b); order < 1.6 {
		t.Errorf("errors %g, %g: order %.2f, want about 2", a, b, order)
	}
}

// Random fields contain every case of a cell, saddles included. The region and its complement fill the box exactly,
// and a node is inside exactly if its value is.
func TestIsolineOfNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for trial := range 30 {
		nx, ny := 3+rng.IntN(12), 3+rng.IntN(12)
		g := &Grid{X: linspace(0, float64(nx-1), nx), Y: linspace(0, float64(ny-1), ny), Z: make([]float64, nx*ny)}
		neg := g.Clone()
		for i := range g.Z {
			g.Z[i] = rng.NormFloat64()
			neg.Z[i] = -g.Z[i]
		}
		level := 0.5 * rng.NormFloat64()
		a, b := newTracer(g.X, g.Y, g.Z), newTracer(neg.X, neg.Y, neg.Z)
		rings := a.region(level)
		total := float64((nx - 1) * (ny - 1))
		// The mean of a saddle's corners decides for both sides alike.
		if got := regionArea(a, level) + regionArea(b, -level); math.Abs(got-total) > 1e-9 {
			t.Fatalf("trial %d: region and complement have the area %g, want %g", trial, got, total)
		}
		for j := 1; j < ny-1; j++ {
			for i := 1; i < nx-1; i++ {
				if got, want := winding(rings, point{g.X[i] + 1e-9, g.Y[j] + 1e-9}) == 1,
					g.at(i, j) >= level; got != want {
					t.Fatalf("trial %d: node (%d,%d) inside: %v, want %v", trial, i, j, got, want)
				}
			}
		}
		// The lines are the boundary of the region without the border of the box.
		length := func(p, q point) float64 { return math.Hypot(p.x-q.x, p.y-q.y) }
		border := func(p, q point) bool {
			return p.x == q.x && (p.x == 0 || p.x == float64(nx-1)) || p.y == q.y && (p.y == 0 || p.y == float64(ny-1))
		}
		around, along := 0.0, 0.0
		for _, r := range rings {
			for i, p := range r {
				if q := r[(i+1)%len(r)]; !border(p, q) {
					around += length(p, q)
				}
			}
		}
		for _, l := range a.lines(level) {
			for i := 1; i < len(l); i++ {
				along += length(l[i-1], l[i])
			}
		}
		if math.Abs(around-along) > 1e-9 {
			t.Fatalf("trial %d: boundary %g, lines %g", trial, around, along)
		}
	}
}
