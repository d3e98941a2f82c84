package datasets

import (
	"fmt"
	"image"
	"math"
)

// inkOf returns the ink of a pixel: (1 − luminance) times opacity, or luminance times opacity if inverted.
func inkOf(img image.Image, x, y int, invert bool) float64 {
	r, g, b, a := img.At(x, y).RGBA() // colours are premultiplied by their opacity
	light := (0.2126*float64(r) + 0.7152*float64(g) + 0.0722*float64(b)) / 0xffff
	if invert {
		return light
	}
	return math.Max(0, float64(a)/0xffff-light)
}

// paper describes what most of a picture looks like.
type paper struct {
	level int     // ink, out of 255
	upper int     // the highest level counted as paper
	share float64 // of the pixels
	less  float64 // share of pixels with less ink
	more  float64 // share of pixels with more
}

// paperOf finds the most frequent level of ink and the spread around it, from at most a million pixels.
func paperOf(img image.Image, invert bool) paper {
	const around, most = 6, 1 << 20
	b := img.Bounds()
	step := 1
	for b.Dx()/step*(b.Dy()/step) > most {
		step++
	}
	var levels [256]int
	total := 0
	for y := b.Min.Y; y < b.Max.Y; y += step {
		for x := b.Min.X; x < b.Max.X; x += step {
			levels[int(math.Round(255*math.Min(1, inkOf(img, x, y, invert))))]++
			total++
		}
	}
	p := paper{}
	for l, n := range levels {
		if n > levels[p.level] {
			p.level = l
		}
	}
	p.upper = p.level
	for l, n := range levels {
		switch {
		case l < p.level-around:
			p.less += float64(n)
		case l > p.level+around:
			p.more += float64(n)
		default:
			p.share += float64(n)
			if 1000*n > levels[p.level] {
				p.upper = max(p.upper, l)
			}
		}
	}
	p.share /= float64(total)
	p.less /= float64(total)
	p.more /= float64(total)
	return p
}

// blank returns the ink up to which a pixel counts as blank, and a note about it: grey paper carries no mass, unless
// part of the picture is lighter or there is nothing else.
func (c ImageConfig) blank(img image.Image) (threshold float64, note string) {
	if c.Threshold != 0 {
		return math.Max(0, c.Threshold), ""
	}
	p := paperOf(img, c.Invert)
	what, grey := "paper", 255-p.level
	if c.Invert {
		what, grey = "background", p.level
	}
	switch {
	case p.share < 0.5 || p.level == 0 || p.more == 0 && p.less == 0:
		return 0, ""
	case p.level >= 128:
		if c.Invert {
			return 0, fmt.Sprintf(
				"%.0f %% of the picture is light and holds most of the mass; if that is the paper, do not invert it",
				100*p.share)
		}
		return 0, fmt.Sprintf(
			"%.0f %% of the picture is dark and holds most of the mass; if that is the background, invert it",
			100*p.share)
	case p.less > 0.02 || p.more == 0:
		return 0, ""
	}
	threshold = (float64(p.upper) + 0.5) / 255
	return threshold, fmt.Sprintf(
		"the %s is grey, %d of 255 on %.0f %% of the picture: it counts as blank, like everything with less ink than "+
			"%.3f; set a threshold to change that",
		what, grey, 100*p.share, threshold)
}
