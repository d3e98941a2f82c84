package viz

// The boundary of the region {f ≥ level} of a function that is linear along the edges of a lattice, by marching squares
// (Lorensen and Cline 1987 in two dimensions). Every edge of the lattice is crossed at most once and belongs to at most
// two cells: there the boundary leaves one and enters the other. The segments therefore link into rings and lines by
// edge numbers alone, without comparing coordinates, and the polygons are exact for the interpolant. A cell with two
// opposite corners inside is resolved by the mean of its corners.

// point is a point in the plane of the data.
type point struct{ x, y float64 }

// tracer finds the isolines of one lattice; it keeps its buffers between levels.
type tracer struct {
	x, y []float64
	z    []float64
	next []int32 // crossing → following crossing along the boundary, region to the left; −1 where there is none
	into []bool  // the crossing is the end of a link
	rim  []int32 // the border of the lattice counter-clockwise: edge numbers
	rimN []int32 // the node at the end of each border edge
	at   map[int32]int
}

func newTracer(x, y, z []float64) *tracer {
	nx, ny := len(x), len(y)
	n := (nx-1)*ny + nx*(ny-1)
	t := &tracer{x: x, y: y, z: z, next: make([]int32, n), into: make([]bool, n), at: map[int32]int{}}
	add := func(edge, node int) {
		t.at[int32(edge)] = len(t.rim)
		t.rim, t.rimN = append(t.rim, int32(edge)), append(t.rimN, int32(node))
	}
	for i := 0; i < nx-1; i++ {
		add(t.h(i, 0), i+1)
	}
	for j := 0; j < ny-1; j++ {
		add(t.v(nx-1, j), (j+1)*nx+nx-1)
	}
	for i := nx - 2; i >= 0; i-- {
		add(t.h(i, ny-1), (ny-1)*nx+i)
	}
	for j := ny - 2; j >= 0; j-- {
		add(t.v(0, j), j*nx)
	}
	return t
}

// h and v number the horizontal edge (i,j)–(i+1,j) and the vertical edge (i,j)–(i,j+1).
func (t *tracer) h(i, j int) int { return j*(len(t.x)-1) + i }
func (t *tracer) v(i, j int) int { return (len(t.x)-1)*len(t.y) + j*len(t.x) + i }

// cross returns the place where the level cuts an edge.
func (t *tracer) cross(e int32, level float64) point {
	nx, nh := len(t.x), (len(t.x)-1)*len(t.y)
	if int(e) < nh {
		i, j := int(e)%(nx-1), int(e)/(nx-1)
		a, b := t.z[j*nx+i], t.z[j*nx+i+1]
		return point{t.x[i] + (t.x[i+1]-t.x[i])*(level-a)/(b-a), t.y[j]}
	}
	k := int(e) - nh
	i, j := k%nx, k/nx
	a, b := t.z[j*nx+i], t.z[(j+1)*nx+i]
	return point{t.x[i], t.y[j] + (t.y[j+1]-t.y[j])*(level-a)/(b-a)}
}

// link fills next for a level.
func (t *tracer) link(level float64) {
	for i := range t.next {
		t.next[i] = -1
		t.into[i] = false
	}
	nx, ny := len(t.x), len(t.y)
	for j := 0; j < ny-1; j++ {
		row, up := t.z[j*nx:(j+1)*nx], t.z[(j+1)*nx:(j+2)*nx]
		for i := 0; i < nx-1; i++ {
			a, b, c, d := row[i] >= level, row[i+1] >= level, up[i+1] >= level, up[i] >= level
			if a == b && b == c && c == d {
				continue
			}
			in := [4]bool{a, b, c, d} // corners counter-clockwise; edge k runs from corner k to k+1
			edge := [4]int{t.h(i, j), t.v(i+1, j), t.h(i, j+1), t.v(i, j)}
			turn := 0
			if a == c && b == d { // saddle
				turn = 3
				if (row[i]+row[i+1]+up[i+1]+up[i])/4 >= level {
					turn = 1
				}
			}
			for k := range 4 {
				if !in[k] || in[(k+1)&3] {
					continue
				}
				m := (k + turn) & 3 // the boundary leaves through edge k and comes back through m
				if turn == 0 {
					for m = (k + 1) & 3; in[m] || !in[(m+1)&3]; m = (m + 1) & 3 {
					}
				}
				t.next[edge[k]] = int32(edge[m])
				t.into[edge[m]] = true
			}
		}
	}
}

// lines returns the isolines of a level: polylines that end at the border, and rings, whose last point repeats the
// first.
func (t *tracer) lines(level float64) [][]point {
	t.link(level)
	var out [][]point
	follow := func(e int32) {
		l := []point{t.cross(e, level)}
		for n := t.next[e]; n >= 0; {
			l = append(l, t.cross(n, level))
			t.next[e] = -1
			e, n = n, t.next[n]
		}
		out = append(out, l)
	}
	for e := range t.next {
		if t.next[e] >= 0 && !t.into[e] {
			follow(int32(e))
		}
	}
	for e := range t.next {
		if t.next[e] >= 0 {
			follow(int32(e))
		}
	}
	return out
}

// region returns the rings (without repeated point) that bound {f ≥ level} within the lattice, the region to their
// left.
func (t *tracer) region(level float64) [][]point {
	t.link(level)
	var out [][]point
	nx := len(t.x)
	node := func(n int32) point { return point{t.x[int(n)%nx], t.y[int(n)/nx]} }
	for s := range t.next {
		if t.next[s] < 0 {
			continue
		}
		var ring []point
		for e := int32(s); ; {
			ring = append(ring, t.cross(e, level))
			n := t.next[e]
			if n >= 0 {
				t.next[e] = -1
				e = n
				if e == int32(s) {
					break
				}
				continue
			}
			// The region follows the border, over nodes inside it, to where the border leaves the region.
			k := t.at[e]
			for {
				ring = append(ring, node(t.rimN[k]))
				k = (k + 1) % len(t.rim)
				if inside, end := t.ends(k, level); inside != end {
					break
				}
			}
			e = t.rim[k]
			if e == int32(s) {
				break
			}
		}
		out = append(out, ring)
	}
	for k := range t.rim {
		if a, b := t.ends(k, level); !a || !b {
			return out
		}
	}
	ring := make([]point, len(t.rim)) // the whole border is inside
	for k, n := range t.rimN {
		ring[k] = node(n)
	}
	return append(out, ring)
}

// ends reports whether the start and the end of border edge k are in the region.
func (t *tracer) ends(k int, level float64) (start, end bool) {
	p := (k + len(t.rim) - 1) % len(t.rim)
	return t.z[t.rimN[p]] >= level, t.z[t.rimN[k]] >= level
}
