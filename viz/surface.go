package viz

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Camera is the viewpoint of a surface.
type Camera struct {
	Azimuth   float64 // degrees about the vertical; 0 means −60 unless Elevation is set
	Elevation float64 // degrees above the horizon, in (0, 90]; 0 means 32
	Distance  float64 // from the centre, in widths of the box; 0 means 4; large values approach a parallel projection
}

func (v Camera) orDefault() Camera {
	if v.Elevation == 0 {
		v.Azimuth = cmp.Or(v.Azimuth, -60)
		v.Elevation = 32
	}
	v.Distance = cmp.Or(v.Distance, 4)
	return v
}

// Surface draws the graph of a grid in three dimensions: shaded faces with mesh lines over a contour shadow on the
// floor, within a box with ticks. Everything is drawn as polygons, in vector formats too.
//
// Hidden surfaces are removed by painting back to front. For a height field seen from a point whose foot lies at (u,
// v), a face can hide another only if it is no farther in columns from u and no farther in rows from v. Painting
// columns in order of decreasing distance from u, and within them rows in order of decreasing distance from v, is
// therefore exact, not a heuristic.
type Surface struct {
	Grid   *Grid
	Scale  Scale
	Camera Camera
	Style  *Style // nil means Light

	Cells  int  // faces along an axis; 0 means 80; at most leanCells in SVG, which takes a line of text for each
	Mesh   int  // faces between mesh lines; 0 means Cells/16, negative no lines
	Shadow bool // contours on the floor
	Labels [3]string
}

// leanCells keeps the SVG of a surface below a megabyte; in print its faces are less than two millimetres wide.
const leanCells = 84

// The box has unit width; the heights of the surface span surfaceHeight above a floor floorGap below them.
const (
	surfaceHeight = 0.5
	floorGap      = 0.2
)

type vec3 [3]float64

// view projects the box onto the page.
type view struct {
	eye            vec3
	right, up, out vec3 // out points to the eye
	centre         vec3
	distance       float64
	scale          float64
	ox, oy         float64
}

func newView(cam Camera) view {
	cam = cam.orDefault()
	sa, ca := math.Sincos(cam.Azimuth * math.Pi / 180)
	se, ce := math.Sincos(cam.Elevation * math.Pi / 180)
	v := view{distance: cam.Distance, scale: 1}
	v.out = vec3{ce * ca, ce * sa, se}
	v.right = vec3{-sa, ca, 0}
	v.up = vec3{-se * ca, -se * sa, ce}
	v.centre = vec3{0, 0, (surfaceHeight - floorGap) / 2}
	for k := range 3 {
		v.eye[k] = v.centre[k] + v.distance*v.out[k]
	}
	return v
}

func dot(a, b vec3) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func (v *view) project(p vec3) vg.Point {
	for k := range 3 {
		p[k] -= v.centre[k]
	}
	s := v.scale * v.distance / (v.distance - dot(p, v.out))
	return vg.Point{X: vg.Length(v.ox + s*dot(p, v.right)), Y: vg.Length(v.oy + s*dot(p, v.up))}
}

// fit scales and moves the projection so that the box fills a rectangle.
func (v *view) fit(r vg.Rectangle) {
	x0, x1, y0, y1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for k := range 8 {
		p := v.project(vec3{float64(k&1) - 0.5, float64(k>>1&1) - 0.5,
			-floorGap + float64(k>>2)*(surfaceHeight+floorGap)})
		x0, x1 = math.Min(x0, float64(p.X)), math.Max(x1, float64(p.X))
		y0, y1 = math.Min(y0, float64(p.Y)), math.Max(y1, float64(p.Y))
	}
	size := r.Size()
	v.scale = math.Min(float64(size.X)/(x1-x0), float64(size.Y)/(y1-y0))
	v.ox = float64(r.Min.X+r.Max.X)/2 - v.scale*(x0+x1)/2
	v.oy = float64(r.Min.Y+r.Max.Y)/2 - v.scale*(y0+y1)/2
}

// Draw draws the surface on the canvas.
func (f *Surface) Draw(c draw.Canvas) {
	sane := *f
	sane.Scale = f.Scale.sane()
	f = &sane
	st := styleOr(f.Style)
	v := newView(f.Camera)
	fs := st.FontSize
	inner := vg.Rectangle{
		Min: vg.Point{X: c.Min.X + 3.4*fs, Y: c.Min.Y + 2.6*fs},
		Max: vg.Point{X: c.Max.X - 1.6*fs, Y: c.Max.Y - 0.4*fs},
	}
	v.fit(inner)
	f.box(c, st, &v)
	if f.Shadow {
		f.shadow(c, &v)
	}
	f.faces(c, st, &v)
}

// place maps the plane of the data to the box.
func (f *Surface) place(x, y float64) (bx, by float64) {
	x0, x1, y0, y1 := f.Grid.rectangle()
	return (x-x0)/(x1-x0) - 0.5, (y-y0)/(y1-y0) - 0.5
}

func sign(x float64) float64 {
	if x < 0 {
		return -1
	}
	return 1
}

// box draws the floor, the two walls behind the surface, and the axes.
func (f *Surface) box(c draw.Canvas, st *Style, v *view) {
	const top, floor = surfaceHeight, -floorGap
	bx, by := -0.5*sign(v.out[0]), -0.5*sign(v.out[1]) // the walls behind
	P := v.project
	for _, a := range [3][4]vec3{
		{{-0.5, -0.5, floor}, {0.5, -0.5, floor}, {0.5, 0.5, floor}, {-0.5, 0.5, floor}},
		{{bx, -0.5, floor}, {bx, 0.5, floor}, {bx, 0.5, top}, {bx, -0.5, top}},
		{{-0.5, by, floor}, {0.5, by, floor}, {0.5, by, top}, {-0.5, by, top}},
	} {
		c.FillPolygon(blend(st.Ink, st.Face, 0.035), []vg.Point{P(a[0]), P(a[1]), P(a[2]), P(a[3])})
	}

	rule := draw.LineStyle{Color: blend(st.Ink, st.Face, 0.16), Width: 0.5}
	edge := draw.LineStyle{Color: blend(st.Ink, st.Face, 0.75), Width: 0.7}
	line := func(s draw.LineStyle, a, b vec3) {
		p, q := P(a), P(b)
		c.StrokeLine2(s, p.X, p.Y, q.X, q.Y)
	}
	x0, x1, y0, y1 := f.Grid.rectangle()
	labels := f.Labels
	if labels == [3]string{} {
		labels = [3]string{"x₁", "x₂", "energy"}
	}
	var marks [3][]plot.Tick
	for k, r := range [3][2]float64{{x0, x1}, {y0, y1}, {f.Scale.Lo, f.Scale.Hi}} {
		marks[k], labels[k] = Ticks{N: 4}.short(r[0], r[1], labels[k])
	}
	text := st.text(st.FontSize*0.92, draw.XCenter, draw.YCenter)
	name := st.text(st.FontSize+0.5, draw.XCenter, draw.YCenter)

	for _, t := range marks[0] {
		x, _ := f.place(t.Value, y0)
		line(rule, vec3{x, -0.5, floor}, vec3{x, 0.5, floor})
		line(rule, vec3{x, by, floor}, vec3{x, by, top})
		line(edge, vec3{x, -by, floor}, vec3{x, -by * 1.05, floor})
		c.FillText(text, P(vec3{x, -by * 1.19, floor}), t.Label)
	}
	for _, t := range marks[1] {
		_, y := f.place(x0, t.Value)
		line(rule, vec3{-0.5, y, floor}, vec3{0.5, y, floor})
		line(rule, vec3{bx, y, floor}, vec3{bx, y, top})
		line(edge, vec3{-bx, y, floor}, vec3{-bx * 1.05, y, floor})
		c.FillText(text, P(vec3{-bx * 1.19, y, floor}), t.Label)
	}
	// The vertical axis is at the leftmost corner of the silhouette.
	cx, cy := -bx, by
	if P(vec3{bx, -by, 0}).X < P(vec3{-bx, by, 0}).X {
		cx, cy = bx, -by
	}
	zt := st.text(st.FontSize*0.92, draw.XRight, draw.YCenter)
	reach := P(vec3{cx, cy, surfaceHeight / 2}).X
	for _, t := range marks[2] {
		z := (t.Value - f.Scale.Lo) / (f.Scale.Hi - f.Scale.Lo) * surfaceHeight
		line(rule, vec3{bx, -0.5, z}, vec3{bx, 0.5, z})
		line(rule, vec3{-0.5, by, z}, vec3{0.5, by, z})
		p := P(vec3{cx, cy, z})
		c.StrokeLine2(edge, p.X, p.Y, p.X-3, p.Y)
		c.FillText(zt, vg.Point{X: p.X - 5, Y: p.Y}, t.Label)
		reach = min(reach, p.X-5-zt.Width(t.Label))
	}
	line(edge, vec3{-0.5, -by, floor}, vec3{0.5, -by, floor})
	line(edge, vec3{-bx, -0.5, floor}, vec3{-bx, 0.5, floor})
	line(edge, vec3{cx, cy, floor}, vec3{cx, cy, top})

	for k, at := range [2]vec3{{0, -by * 1.42, floor}, {-bx * 1.42, 0, floor}} {
		p, half := P(at), name.Width(labels[k])/2
		if more := half - st.FontSize; more > 0 { // a long name extends outwards, not over the floor
			p.X += vg.Length(sign(float64(p.X-P(vec3{0, 0, floor}).X))) * more
			p.X = max(c.Min.X+half, min(c.Max.X-half, p.X))
		}
		c.FillText(name, p, labels[k])
	}
	if labels[2] != "" {
		name.Rotation = math.Pi / 2
		p := P(vec3{cx, cy, surfaceHeight / 2})
		c.FillText(name, vg.Point{X: reach - 4 - st.FontSize/2, Y: p.Y}, labels[2])
	}
}

// shadow draws the contours on the floor.
func (f *Surface) shadow(c draw.Canvas, v *view) {
	n := min(max(len(f.Grid.X), len(f.Grid.Y)), 97)
	lo, hi := beyond(f.Scale)
	g := f.Grid.resample(n, n, lo, hi)
	t := newTracer(g.X, g.Y, g.Z)
	sc := f.Scale
	sc.Bands = cmp.Or(sc.Bands, 10)
	st := styleOr(f.Style)
	project := func(q point) vg.Point {
		x, y := f.place(q.x, q.y)
		return v.project(vec3{x, y, -floorGap})
	}
	x0, x1, y0, y1 := g.rectangle()
	pale := func(k int) color.RGBA { return blend(sc.band(k), st.Face, 0.8) }
	c.SetColor(pale(0))
	fillRings(c, [][]point{{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}}, project)
	for k, level := range sc.levels() {
		c.SetColor(pale(k + 1))
		fillRings(c, t.region(level), project)
	}
}

// faces draws the surface back to front.
func (f *Surface) faces(c draw.Canvas, st *Style, v *view) {
	n := cmp.Or(f.Cells, 80)
	o, _ := c.Canvas.(outlined)
	if o.lean {
		n = min(n, leanCells)
	}
	mesh := cmp.Or(f.Mesh, max(1, n/16))
	lo, hi := beyond(f.Scale)
	g := f.Grid.resample(n+1, n+1, lo, hi)
	pos := make([]vec3, (n+1)*(n+1))
	for j := range n + 1 {
		for i := range n + 1 {
			k := j*(n+1) + i
			h := (g.Z[k] - f.Scale.Lo) / (f.Scale.Hi - f.Scale.Lo)
			pos[k] = vec3{float64(i)/float64(n) - 0.5, float64(j)/float64(n) - 0.5, h * surfaceHeight}
		}
	}
	slopes := slopesOf(pos, n)
	w := faceWriter{c: c, v: v, cm: f.Scale.Map, lean: o.lean}
	// The light is above and to the left of the viewer.
	for k := range 3 {
		w.light[k] = 0.45*v.out[k] - 0.45*v.right[k] + 0.55*v.up[k]
	}
	w.light[2] += 0.35
	norm := math.Sqrt(dot(w.light, w.light))
	for k := range w.light {
		w.light[k] /= norm
	}
	cols, rows := farToNear(n, v.eye[0]), farToNear(n, v.eye[1])
	line := draw.LineStyle{Color: color.NRGBA{0, 0, 0, 70}, Width: 0.35}
	// rows in their order or its reverse
	strips := o.lean && max(rows[0], rows[n-1]) == n-1 && min(rows[0], rows[n-1]) == 0
	for _, i := range cols {
		for first, run := 0, 1; first < n; first += run {
			j, top := rows[first], rows[first]
			run = 1
			// flat faces between two mesh lines are drawn as one
			if level := beyondLimit(pos, n, i, j); strips && level != 0 {
				for k := first + 1; k < n && k%max(mesh, 1) != 0 && beyondLimit(pos, n, i, rows[k]) == level; k++ {
					j, top, run = min(j, rows[k]), max(top, rows[k]), run+1
				}
			}
			a, b := j*(n+1)+i, (top+1)*(n+1)+i
			q := [4]vec3{pos[a], pos[a+1], pos[b+1], pos[b]}
			w.cell(q, [4]slope{slopes[a], slopes[a+1], slopes[b+1], slopes[b]})
			if mesh > 0 {
				// On the far edges, next to which nothing more is painted, and on the near edges of the rim.
				x0, x1, y0, y1 := i, i+1, j, top+1
				west, south := [2]vec3{q[0], q[3]}, [2]vec3{q[0], q[1]}
				east, north := [2]vec3{q[1], q[2]}, [2]vec3{q[3], q[2]}
				if q[0][0] > v.eye[0] {
					x0, x1, west, east = n-x1, n-x0, east, west
				}
				if q[0][1] > v.eye[1] {
					y0, y1, south, north = n-y1, n-y0, north, south
				}
				for _, e := range []struct {
					on   bool
					line [2]vec3
				}{{x0%mesh == 0, west}, {y0%mesh == 0, south}, {x1 == n, east}, {y1 == n, north}} {
					if e.on {
						w.segment(line, e.line[0], e.line[1])
					}
				}
			}
		}
	}
}

// slopesOf returns central differences at the corners of n×n cells, one-sided at the border.
func slopesOf(pos []vec3, n int) []slope {
	slopes := make([]slope, len(pos))
	for j := range n + 1 {
		for i := range n + 1 {
			l, r, b, t := pos[j*(n+1)+max(i-1, 0)], pos[j*(n+1)+min(i+1, n)], pos[max(j-1, 0)*(n+1)+i],
				pos[min(j+1, n)*(n+1)+i]
			slopes[j*(n+1)+i] = slope{(r[2] - l[2]) / (r[0] - l[0]), (t[2] - b[2]) / (t[1] - b[1])}
		}
	}
	return slopes
}

// beyondLimit is 1 where a whole cell lies above the upper limit, −1 where it lies below the lower one.
func beyondLimit(pos []vec3, n, i, j int) int {
	a := j*(n+1) + i
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, k := range [4]int{a, a + 1, a + n + 1, a + n + 2} {
		lo, hi = min(lo, pos[k][2]), max(hi, pos[k][2])
	}
	switch {
	case lo > surfaceHeight:
		return 1
	case hi < 0:
		return -1
	}
	return 0
}

// slope is the gradient of the height.
type slope [2]float64

// faceWriter paints faces, cut at the upper and lower limits of the scale, beyond which the surface continues flat: the
// crease lies where the interpolant meets the limit, not at the next node.
type faceWriter struct {
	c     draw.Canvas
	v     *view
	cm    *ColorMap
	light vec3
	path  vg.Path
	lean  bool // one polygon per face where it has the same outline as its triangles
}

// cell paints the bilinear patch over a cell, corners counter-clockwise. A face has a single colour: a steep patch is
// divided so that no face rises by more than one visible step of colour. Lighting uses slopes interpolated from the
// corners.
func (w *faceWriter) cell(q [4]vec3, s [4]slope) {
	const most = 8
	step := surfaceHeight / 24
	if w.lean {
		step = surfaceHeight / 20
	}
	limit := func(z float64) float64 { return math.Max(0, math.Min(surfaceHeight, z)) }
	pieces := func(a, b, c, d vec3) int {
		rise := math.Max(math.Abs(limit(a[2])-limit(b[2])), math.Abs(limit(c[2])-limit(d[2])))
		return min(max(int(math.Ceil(rise/step)), 1), most)
	}
	nx, ny := pieces(q[0], q[1], q[3], q[2]), pieces(q[0], q[3], q[1], q[2])
	at := func(i, j int) vec3 {
		u, v := float64(i)/float64(nx), float64(j)/float64(ny)
		return vec3{q[0][0] + u*(q[1][0]-q[0][0]), q[0][1] + v*(q[3][1]-q[0][1]),
			(1-v)*((1-u)*q[0][2]+u*q[1][2]) + v*((1-u)*q[3][2]+u*q[2][2])}
	}
	for i := range nx {
		if q[0][0] > w.v.eye[0] { // farther pieces first
			i = nx - 1 - i
		}
		for j := range ny {
			if q[0][1] > w.v.eye[1] {
				j = ny - 1 - j
			}
			u, v := (float64(i)+0.5)/float64(nx), (float64(j)+0.5)/float64(ny)
			var m slope
			for k := range m {
				m[k] = (1-v)*((1-u)*s[0][k]+u*s[1][k]) + v*((1-u)*s[3][k]+u*s[2][k])
			}
			w.quad([4]vec3{at(i, j), at(i+1, j), at(i+1, j+1), at(i, j+1)}, m)
		}
	}
}

// quad paints a piece of a cell.
func (w *faceWriter) quad(q [4]vec3, m slope) {
	above, below := 0, 0
	for _, p := range q {
		if p[2] > surfaceHeight {
			above++
		}
		if p[2] < 0 {
			below++
		}
	}
	// The diagonal joins the corners that are closer in height, which keeps creases straight.
	d := 0
	if math.Abs(q[0][2]-q[2][2]) > math.Abs(q[1][2]-q[3][2]) {
		d = 1
	}
	switch {
	case above == 4 || below == 4:
		for k := range q {
			q[k][2] = math.Max(0, math.Min(surfaceHeight, q[k][2]))
		}
		m = slope{}
		fallthrough
	case above == 0 && below == 0:
		w.lit((q[0][2]+q[1][2]+q[2][2]+q[3][2])/4, m)
		w.path = w.path[:0]
		if !w.whole(q[:]) {
			w.add(q[d], q[d+1], q[d+2])
			w.add(q[d], q[d+2], q[(d+3)&3])
		}
		w.c.Fill(w.path)
	default:
		// The triangle farther from the eye first.
		t := [2][3]vec3{{q[d], q[d+1], q[d+2]}, {q[d], q[d+2], q[(d+3)&3]}}
		ground := func(p [3]vec3) float64 {
			return (p[0][0]+p[1][0]+p[2][0])*w.v.eye[0] + (p[0][1]+p[1][1]+p[2][1])*w.v.eye[1]
		}
		if ground(t[0]) > ground(t[1]) {
			t[0], t[1] = t[1], t[0]
		}
		for _, tri := range t {
			w.cut(tri[:], surfaceHeight, 0, m)
		}
	}
}

// cut paints the parts of a triangle above hi (flattened), between lo and hi, and below lo (flattened).
func (w *faceWriter) cut(p []vec3, hi, lo float64, m slope) {
	mid := slicePlane(slicePlane(p, hi, -1), lo, 1)
	for k, part := range [3][]vec3{slicePlane(p, hi, 1), slicePlane(p, lo, -1), mid} {
		if len(part) < 3 {
			continue
		}
		z := 0.0
		for i := range part {
			if k < 2 {
				part[i][2] = math.Max(lo, math.Min(hi, part[i][2]))
			}
			z += part[i][2] / float64(len(part))
		}
		if k < 2 {
			w.lit(z, slope{})
		} else {
			w.lit(z, m)
		}
		w.path = w.path[:0]
		for i := 1; i+1 < len(part) && (i > 1 || !w.whole(part)); i++ {
			w.add(part[0], part[i], part[i+1])
		}
		w.c.Fill(w.path)
	}
}

// slicePlane returns the part of a convex polygon with sign·(z − level) ≥ 0.
func slicePlane(p []vec3, level, sign float64) []vec3 {
	var out []vec3
	for i, a := range p {
		b := p[(i+1)%len(p)]
		da, db := sign*(a[2]-level), sign*(b[2]-level)
		if da >= 0 {
			out = append(out, a)
		}
		if (da >= 0) != (db >= 0) {
			t := da / (da - db)
			out = append(out, vec3{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1]), level})
		}
	}
	return out
}

// lit sets the colour: the map's at that height, shaded by the slope.
func (w *faceWriter) lit(z float64, m slope) {
	cos := (-m[0]*w.light[0] - m[1]*w.light[1] + w.light[2]) / math.Sqrt(1+m[0]*m[0]+m[1]*m[1])
	w.c.SetColor(shade(w.cm.At(z/surfaceHeight), cos))
}

func (w *faceWriter) add(a, b, c vec3) {
	w.path = outset(w.path, []vg.Point{w.v.project(a), w.v.project(b), w.v.project(c)})
}

// whole adds a polygon if lean is set and it is convex on the page.
func (w *faceWriter) whole(q []vec3) bool {
	if !w.lean {
		return false
	}
	p := make([]vg.Point, len(q))
	for k := range q {
		p[k] = w.v.project(q[k])
	}
	left, right := false, false
	for k := range p {
		a, b, c := p[k], p[(k+1)%len(p)], p[(k+2)%len(p)]
		turn := (b.X-a.X)*(c.Y-b.Y) - (b.Y-a.Y)*(c.X-b.X)
		left, right = left || turn > 0, right || turn < 0
	}
	if left == right {
		return false
	}
	w.path = outset(w.path, p)
	return true
}

// segment draws a mesh line, cut and flattened like the faces.
func (w *faceWriter) segment(line draw.LineStyle, a, b vec3) {
	pts := make([]vg.Point, 0, 4)
	clip := func(p vec3) vg.Point {
		p[2] = math.Max(0, math.Min(surfaceHeight, p[2]))
		return w.v.project(p)
	}
	pts = append(pts, clip(a))
	var ts []float64
	for _, level := range [2]float64{0, surfaceHeight} {
		if (a[2] < level) != (b[2] < level) {
			ts = append(ts, (level-a[2])/(b[2]-a[2]))
		}
	}
	if len(ts) == 2 && ts[0] > ts[1] {
		ts[0], ts[1] = ts[1], ts[0]
	}
	for _, t := range ts {
		pts = append(pts, clip(vec3{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1]), a[2] + t*(b[2]-a[2])}))
	}
	w.c.StrokeLines(line, append(pts, clip(b)))
}

// farToNear orders the n cells of an axis by decreasing distance from the coordinate e of the eye.
func farToNear(n int, e float64) []int {
	at := (e + 0.5) * float64(n)
	out := make([]int, 0, n)
	for lo, hi := 0, n-1; lo <= hi; {
		if math.Abs(float64(lo)+0.5-at) >= math.Abs(float64(hi)+0.5-at) {
			out = append(out, lo)
			lo++
		} else {
			out = append(out, hi)
			hi--
		}
	}
	return out
}

// outset appends a convex polygon, counter-clockwise and with every edge moved outwards by a third of a point, so that
// no background shows through the seams between faces.
func outset(path vg.Path, p []vg.Point) vg.Path {
	const by, longest = 0.3, 0.5
	n := len(p)
	var area vg.Length
	for k := 1; k+1 < n; k++ {
		area += (p[k].X-p[0].X)*(p[k+1].Y-p[0].Y) - (p[k].Y-p[0].Y)*(p[k+1].X-p[0].X)
	}
	if area < 0 {
		slices.Reverse(p[1:])
	}
	out := make([]vg.Point, n, 8) // normals of the edges that begin at a corner
	for k := range p {
		dx, dy := float64(p[(k+1)%n].X-p[k].X), float64(p[(k+1)%n].Y-p[k].Y)
		if d := math.Hypot(dx, dy); d > 1e-9 {
			out[k] = vg.Point{X: vg.Length(dy / d), Y: vg.Length(-dx / d)}
		}
	}
	for k := range p {
		// Moved edges with normals m and n meet at by·(m+n)/(1+m·n), far away if they are nearly opposite.
		before, after := out[(k+n-1)%n], out[k]
		x, y := float64(before.X+after.X), float64(before.Y+after.Y)
		s := by / math.Max(1+float64(before.X*after.X+before.Y*after.Y), 1e-9)
		s = math.Min(s, longest/math.Max(math.Hypot(x, y), 1e-9))
		q := vg.Point{X: p[k].X + vg.Length(s*x), Y: p[k].Y + vg.Length(s*y)}
		if k == 0 {
			path.Move(q)
		} else {
			path.Line(q)
		}
	}
	path.Close()
	return path
}

// shade darkens a face turned away from the light and lightens one that faces it; cos is the cosine of its angle to the
// light.
func shade(c color.RGBA, cos float64) color.RGBA {
	if cos < 0 {
		cos *= 0.3
	}
	k := 0.72 + 0.32*cos
	spec := 0.12 * math.Pow(math.Max(cos, 0), 18)
	lit := func(v uint8) uint8 {
		x := float64(v)*k + 255*spec
		return uint8(math.Max(0, math.Min(255, x)) + 0.5)
	}
	return color.RGBA{lit(c.R), lit(c.G), lit(c.B), 255}
}
