package viz

import (
	"image/color"
	"sync"
	"unicode"

	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// Text is drawn as the outlines of its glyphs in every format: an SVG needs no installed font, a PDF no encoding, and
// all formats look alike.

// glyph is an outline in font units, y upwards.
type glyph struct {
	segs    []sfnt.Segment
	index   sfnt.GlyphIndex
	advance float64
	left    float64 // the outline spans left…right
	right   float64
}

type glyphKey struct {
	font *opentype.Font
	r    rune
}

var glyphs = struct {
	sync.Mutex
	m   map[glyphKey]glyph
	buf sfnt.Buffer
}{m: map[glyphKey]glyph{}}

// lookupGlyph is called with the lock held.
func lookupGlyph(f *opentype.Font, r rune) glyph {
	k := glyphKey{f, r}
	if g, ok := glyphs.m[k]; ok {
		return g
	}
	var g glyph
	g.index, _ = f.GlyphIndex(&glyphs.buf, r)
	ppem := fixed.Int26_6(f.UnitsPerEm())
	if segs, err := f.LoadGlyph(&glyphs.buf, g.index, ppem, nil); err == nil {
		g.segs = append(g.segs, segs...)
		b := segs.Bounds()
		g.left, g.right = float64(b.Min.X), float64(b.Max.X)
	}
	if adv, err := f.GlyphAdvance(&glyphs.buf, g.index, ppem, 0); err == nil {
		g.advance = float64(adv)
	}
	glyphs.m[k] = g
	return g
}

// textPath returns the outlines of a line of text whose baseline starts at pt.
func textPath(face font.Face, pt vg.Point, text string) vg.Path {
	glyphs.Lock()
	defer glyphs.Unlock()
	upem := float64(face.Face.UnitsPerEm())
	s := vg.Length(float64(face.Font.Size) / upem)
	var path vg.Path
	x := pt.X
	prev, first, before := sfnt.GlyphIndex(0), true, rune(0)
	middle, line := 0.0, pt.Y // middle of the previous glyph, from the pen
	for _, r := range text {
		g := lookupGlyph(face.Face, r)
		back := x
		// the combining circumflex goes over the middle of the previous letter, higher on a capital
		if r == '\u0302' && !first {
			x += vg.Length(middle-(g.left+g.right)/2) * s
			if unicode.IsUpper(before) {
				pt.Y += 0.19 * face.Font.Size
			}
		} else if !first {
			if k, err := face.Face.Kern(&glyphs.buf, prev, g.index, fixed.Int26_6(upem), 0); err == nil {
				x += vg.Length(k) * s
			}
		}
		if r >= '₀' && r <= '₉' { // these glyphs are centred in a full digit's width: move them towards the letter
			x -= vg.Length(0.1 * float64(face.Font.Size))
		}
		prev, first, before = g.index, false, r
		at := func(p fixed.Point26_6) vg.Point {
			return vg.Point{X: x + vg.Length(p.X)*s, Y: pt.Y - vg.Length(p.Y)*s}
		}
		open := false
		for _, seg := range g.segs {
			switch seg.Op {
			case sfnt.SegmentOpMoveTo:
				if open {
					path.Close()
				}
				path.Move(at(seg.Args[0]))
				open = true
			case sfnt.SegmentOpLineTo:
				path.Line(at(seg.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(at(seg.Args[0]), at(seg.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(at(seg.Args[0]), at(seg.Args[1]), at(seg.Args[2]))
			}
		}
		if open {
			path.Close()
		}
		if r == '\u0302' {
			x, pt.Y = back, line
			continue
		}
		x += vg.Length(g.advance) * s
		middle = (g.left+g.right)/2 - g.advance
	}
	return path
}

// outlined is a canvas that draws text as outlines.
type outlined struct {
	vg.Canvas
	straight bool // the canvas wrongly assumes straight alpha, as vgpdf does (v0.17), which darkens translucent colours
	lean     bool // the canvas writes text, whose size grows with what is drawn
}

func (o outlined) SetColor(c color.Color) {
	if o.straight && c != nil {
		c = straight(color.NRGBAModel.Convert(c).(color.NRGBA))
	}
	o.Canvas.SetColor(c)
}

// straight is a colour whose RGBA method does not premultiply by alpha.
type straight color.NRGBA

func (s straight) RGBA() (r, g, b, a uint32) {
	return uint32(s.R) * 257, uint32(s.G) * 257, uint32(s.B) * 257, uint32(s.A) * 257
}

func (o outlined) FillString(f font.Face, pt vg.Point, text string) {
	if p := textPath(f, pt, text); len(p) > 0 && f.Font.Size > 0 {
		o.Canvas.Fill(p)
	}
}
