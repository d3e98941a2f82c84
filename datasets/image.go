package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/datasets/table"
)

// ImageConfig says how to turn a picture into a density. The zero value is the default.
type ImageConfig struct {
	Invert     bool    // put mass where the picture is light; default: where it is dark
	HalfWidth  float64 // half of the longer side, 1e-6 to 1e6; 0 means 3
	Blur       float64 // standard deviation of the blur in pixels, at most 8; 0 means 1
	MaxSide    int     // larger pictures are scaled down to this many pixels on the longer side; 0 means 256
	Background float64 // weight of the background, below 1; 0 means 0.001
	Threshold  float64 // ink (white 0, black 1) up to which a pixel is blank; 0: that of the paper, if grey; < 0: none
	MaxMemory  int64   // memory limit for reading a picture, in bytes; 0 means 1 GiB
}

func (c ImageConfig) withDefaults() ImageConfig {
	c.HalfWidth = cmp.Or(c.HalfWidth, 3)
	c.Blur = cmp.Or(c.Blur, 1)
	c.MaxSide = cmp.Or(c.MaxSide, 256)
	c.Background = cmp.Or(c.Background, 0.001)
	c.MaxMemory = cmp.Or(c.MaxMemory, table.DefaultMemory)
	return c
}

// Image is a picture as a two-dimensional density: a pixel drawn with probability proportional to its ink, a point
// uniform in it, plus N(0, σ²I) with σ = Blur pixels; mixed with a small share of N(0, s²I), s = 0.4 HalfWidth, so that
// log p is finite and slopes inwards where the picture is blank:
//
//	p(x) = (1−ε) Σ_ij m_ij f(x₁ − c_j) f(x₂ − c_i) + ε N(x; 0, s²I)
//
// with f the blurred uniform density of a pixel. Pixels more than nine σ away contribute less than 1e-17 and are left
// out.
type Image struct {
	plane
	pic  *picture
	one  sync.Once
	note string
}

// Note says in one line how the picture was read if that may not be what was meant, else "".
func (d *Image) Note() string { return d.note }

// loadImage reads a .png file.
func loadImage(ctx context.Context, path string, cfg ImageConfig) (*Image, error) {
	img, err := decodeImage(ctx, path, cfg.withDefaults())
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, table.ErrMemory) {
			return nil, err // it says where it is from
		}
		return nil, fmt.Errorf("datasets: %w", err)
	}
	d, err := NewImage(img, cfg)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, files.Line(path))
	}
	return d, nil
}

// decodeImage reads a picture, checking its size before allocating memory for it.
func decodeImage(ctx context.Context, path string, cfg ImageConfig) (image.Image, error) {
	f, size, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	name := files.Line(path)
	head, err := png.DecodeConfig(f)
	if err != nil {
		first := make([]byte, files.SniffLen)
		n, _ := f.ReadAt(first, 0)
		if says := files.Sniff(first[:n]); says != "" && !strings.HasPrefix(says, "a PNG") {
			return nil, fmt.Errorf("%s: is %s", name, says)
		}
		return nil, fmt.Errorf("%s: not a .png picture: %w", name, err)
	}
	pixels := int64(head.Width) * int64(head.Height)
	const pixel = 8 + 4 // bytes: four channels of 16 bits, and what decoding needs besides
	if pixels > cfg.MaxMemory/pixel {
		return nil, &table.Error{
			Path: path, Option: "MaxMemory", Err: table.ErrMemory,
			Text: fmt.Sprintf("%d×%d pixels take %d MB of memory, and reading may take %d MB", head.Width, head.Height,
				pixels*pixel>>20, cfg.MaxMemory>>20),
		}
	}
	// Deflate compresses at most 1032 to 1 and a pixel has at least one bit, which bounds the pixels of a file of this
	// size.
	if pixels/8 > 1032*size {
		return nil, fmt.Errorf("%s: %d×%d pixels do not fit in the file: it is truncated", name, head.Width,
			head.Height)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	img, err := png.Decode(files.Context(ctx, f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return img, nil
}

// NewImage turns a picture into a density. The ink of a pixel is 1 − luminance (luminance if Invert) times its opacity,
// less the threshold.
func NewImage(img image.Image, cfg ImageConfig) (*Image, error) {
	cfg = cfg.withDefaults()
	if !(cfg.HalfWidth >= 1e-6 && cfg.HalfWidth <= 1e6) || !(cfg.Blur >= 0.1 && cfg.Blur <= 8) || cfg.MaxSide < 1 ||
		!(cfg.Background > 0 && cfg.Background < 1) || !(cfg.Threshold < 1) {
		return nil, fmt.Errorf(
			"datasets: image with HalfWidth %g (want 1e-6 to 1e6), Blur %g (0.1 to 8), MaxSide %d (> 0), Background %g "+
				"(between 0 and 1), Threshold %g (below 1)",
			cfg.HalfWidth, cfg.Blur, cfg.MaxSide, cfg.Background, cfg.Threshold)
	}
	if img.Bounds().Empty() {
		return nil, errors.New("datasets: the picture has no pixels")
	}
	threshold, note := cfg.blank(img)
	ink, w, h := reduce(img, cfg, threshold)
	var total float64
	for _, v := range ink {
		total += v
	}
	if total < 1e-9*float64(len(ink)) {
		if cfg.Invert {
			return nil, errors.New(
				"datasets: the picture is black, or transparent: nothing to draw from; inverted, points are where it is light")
		}
		return nil, errors.New(
			"datasets: the picture is white, or transparent: nothing to draw from; points are where it is dark, so " +
				"invert it or darken what should be drawn")
	}
	pixel := 2 * cfg.HalfWidth / float64(max(w, h))
	p := &picture{
		w: w, h: h, pixel: pixel, background: cfg.Background, sd: 0.4 * cfg.HalfWidth,
		mass: ink, sums: make([]float64, len(ink)),
		box:   newSmoothBox(pixel/2, cfg.Blur*pixel),
		reach: int(math.Ceil(9*cfg.Blur)) + 1,
	}
	var sum float64
	for i := range ink {
		ink[i] /= total
		sum += ink[i]
		p.sums[i] = sum
	}
	d := &Image{pic: p, note: note}
	d.plane = plane{planar: p, centres: []float64{0, 0}, weights: []float64{1}}
	// Outside lie at most 9e-7 of the mass from the background, over both axes, and 4e-9 from the picture.
	far := math.Max(3.6, math.Sqrt2*math.Erfcinv(math.Min(1, 4.5e-7/cfg.Background)))
	for j, side := range []int{w, h} {
		d.hi[j] = math.Max(float64(side)*pixel/2+6*cfg.Blur*pixel, far*p.sd)
		d.lo[j] = -d.hi[j]
	}
	return d, nil
}

// Entropy is computed on the first call.
func (d *Image) Entropy() float64 {
	d.one.Do(func() { d.entropy = d.pic.entropy() })
	return d.entropy
}

// entropy is −∫ p log p, by the midpoint rule on the pixels within reach of the picture, with nodes at most σ/2 apart.
// Farther out there is only the background, q = ε N(x; 0, s²I), and
//
//	∫ q log q = ε (log ε/(2πs²) P_x P_y − (Q_x P_y + P_x Q_y)/2),   P = ∫ φ(u) du,   Q = ∫ u² φ(u) du,
//
// over a box |u| < a on each axis is in closed form: P = erf(a/√2), Q = P − 2aφ(a).
func (p *picture) entropy() float64 {
	per := max(2, int(math.Ceil(2*p.pixel/p.box.sd))) // nodes per pixel
	step := p.pixel / float64(per)
	// f at node k of a pixel, for the pixels −reach to reach from it
	f := make([][]float64, per)
	for k := range f {
		f[k] = make([]float64, 2*p.reach+1)
		for o := range f[k] {
			f[k][o] = math.Exp(p.box.logProb((float64(p.reach-o) + (float64(k)+0.5)/float64(per) - 0.5) * p.pixel))
		}
	}
	// around stores Σ_o f_o m_(at+o) for a line of pixels.
	around := func(f []float64, at, n int, m func(i int) []float64, sum []float64) {
		clear(sum)
		for i := max(0, at-p.reach); i <= min(n-1, at+p.reach); i++ {
			w := f[i-at+p.reach]
			for j, v := range m(i) {
				sum[j] += w * v
			}
		}
	}
	normal := func(n, at, k int) float64 {
		z := ((float64(at)-float64(n)/2)*p.pixel + (float64(k)+0.5)*step) / p.sd
		return normalPDF(z) / p.sd
	}
	nx := (p.w + 2*p.reach) * per
	background := make([]float64, nx)
	for i := range background {
		background[i] = normal(p.w, i/per-p.reach, i%per)
	}
	row := make([]float64, p.w)
	var total float64
	for y := -p.reach; y < p.h+p.reach; y++ {
		for ky := range per {
			around(f[ky], y, p.h, func(i int) []float64 { return p.mass[i*p.w:][:p.w] }, row)
			q := p.background * normal(p.h, y, ky)
			for x := -p.reach; x < p.w+p.reach; x++ {
				lo, hi := max(0, x-p.reach), min(p.w-1, x+p.reach)
				for kx, fx := range f {
					var ink float64
					for j := lo; j <= hi; j++ {
						ink += fx[j-x+p.reach] * row[j]
					}
					if v := (1-p.background)*ink + q*background[(x+p.reach)*per+kx]; v > 0 {
						total -= v * math.Log(v)
					}
				}
			}
		}
	}
	total *= step * step
	part := func(n int) (mass, square float64) {
		a := (float64(n)/2 + float64(p.reach)) * p.pixel / p.sd
		mass = math.Erf(a / math.Sqrt2)
		return mass, mass - 2*a*normalPDF(a)
	}
	px, qx := part(p.w)
	py, qy := part(p.h)
	top := math.Log(p.background / (2 * math.Pi * p.sd * p.sd))
	return total - p.background*(top*(1-px*py)-(2-qx*py-px*qy)/2)
}

// reduce returns the ink above a threshold of every pixel, row by row from the bottom, after averaging the picture down
// to MaxSide.
func reduce(img image.Image, cfg ImageConfig, threshold float64) (ink []float64, w, h int) {
	b := img.Bounds()
	w, h = b.Dx(), b.Dy()
	if long := max(w, h); long > cfg.MaxSide {
		w = max(1, w*cfg.MaxSide/long)
		h = max(1, h*cfg.MaxSide/long)
	}
	ink, count := make([]float64, w*h), make([]float64, w*h)
	for y := range b.Dy() {
		row := h - 1 - y*h/b.Dy()
		for x := range b.Dx() {
			k := row*w + x*w/b.Dx()
			if v := inkOf(img, b.Min.X+x, b.Min.Y+y, cfg.Invert); v > threshold {
				ink[k] += (v - threshold) / (1 - threshold)
			}
			count[k]++
		}
	}
	for k := range ink {
		ink[k] /= count[k]
	}
	return ink, w, h
}

// picture is the density of an Image.
type picture struct {
	oneMode
	w, h           int
	pixel          float64
	background, sd float64   // ε and s
	mass, sums     []float64 // of the pixels, row by row from the bottom; sums are cumulative
	box            *smoothBox
	reach          int // pixels
}

func (p *picture) draw(rng *rand.Rand) (x, y float64) {
	if rng.Float64() < p.background {
		return p.sd * rng.NormFloat64(), p.sd * rng.NormFloat64()
	}
	k := density.Pick(p.sums, rng)
	return p.centre(k%p.w, p.w) + p.pixel*(rng.Float64()-0.5) + p.box.sd*rng.NormFloat64(),
		p.centre(k/p.w, p.h) + p.pixel*(rng.Float64()-0.5) + p.box.sd*rng.NormFloat64()
}

// centre returns the coordinate of the centre of pixel i of n.
func (p *picture) centre(i, n int) float64 { return (float64(i) + 0.5 - float64(n)/2) * p.pixel }

// maxWindow is the number of pixels within reach, at the largest blur.
const maxWindow = 2*(9*8+1) + 1

// axis stores f(z − c_i) and its derivative for the pixels of an axis within reach of z, and returns the first of them.
func (p *picture) axis(z float64, n int, f, slope *[maxWindow]float64) (first, count int) {
	near := math.Floor(z/p.pixel + float64(n)/2)
	if near < -float64(p.reach) || near > float64(n+p.reach) || math.IsNaN(near) {
		return 0, 0
	}
	first = max(0, int(near)-p.reach)
	last := min(n-1, int(near)+p.reach)
	for i := first; i <= last; i++ {
		g, s := p.box.score(z - p.centre(i, n))
		f[i-first] = math.Exp(g)
		slope[i-first] = s * f[i-first]
	}
	return first, max(0, last-first+1)
}

// terms returns the density of the blurred picture and its derivatives, without its weight 1−ε.
func (p *picture) terms(x, y float64) (sum, dx, dy float64) {
	var fx, fy, sx, sy [maxWindow]float64
	j0, nx := p.axis(x, p.w, &fx, &sx)
	i0, ny := p.axis(y, p.h, &fy, &sy)
	for i := range ny {
		row := p.mass[(i0+i)*p.w+j0:][:nx]
		var value, slope float64
		for j, m := range row {
			value += m * fx[j]
			slope += m * sx[j]
		}
		sum += fy[i] * value
		dx += fy[i] * slope
		dy += sy[i] * value
	}
	return sum, dx, dy
}

// far returns the log of the background's term.
func (p *picture) far(x, y float64) float64 {
	v := p.sd * p.sd
	return math.Log(p.background/(2*math.Pi*v)) - (x*x+y*y)/(2*v)
}

func (p *picture) logProb(x, y float64) float64 {
	sum, _, _ := p.terms(x, y)
	s := newLogSum()
	s.add(p.far(x, y), 0, 0)
	if sum > 0 {
		s.add(math.Log1p(-p.background)+math.Log(sum), 0, 0)
	}
	return s.log()
}

func (p *picture) score(x, y float64) (sx, sy float64) {
	sum, dx, dy := p.terms(x, y)
	v := p.sd * p.sd
	s := newLogSum()
	s.add(p.far(x, y), -x/v, -y/v)
	if sum > 0 {
		s.add(math.Log1p(-p.background)+math.Log(sum), dx/sum, dy/sum)
	}
	return s.slope()
}
