package viz

import (
	"image/color"
	"math"
	"slices"
)

// ColorMap is a sequence of colours, linear in sRGB between equally spaced stops.
type ColorMap struct {
	Name  string
	stops []uint32 // 0xRRGGBB
}

// The maps of this package. Viridis and Magma (van der Walt and Smith, 2015) are perceptually uniform, monotone in
// lightness, and legible to colour-blind readers and in grey. Vik (Crameri, 2018) is diverging, from blue through
// near-white to brown, uniform and colour-blind safe. Dusk is its counterpart for dark pages: from light blue through
// near-black to light orange. In CIELAB both arms run through the same lightness (12 to 86) and chroma (at most 44), at
// hues 258° and 62°, in steps of equal ΔE, so that differences of either sign show equally well, and none fades into
// the background.
var (
	Viridis = &ColorMap{"viridis", []uint32{
		0x440154, 0x470D60, 0x48186A, 0x482374, 0x472D7B, 0x453781, 0x424086, 0x3E4989, 0x3B528B, 0x375B8D, 0x33638D,
		0x2F6B8E, 0x2C728E, 0x297A8E, 0x26828E, 0x23898E, 0x21908C, 0x1F978B, 0x1F9F88, 0x21A685, 0x27AD81, 0x31B57B,
		0x3EBC74, 0x4DC26C, 0x5DC863, 0x6ECE58, 0x82D34D, 0x95D840, 0xAADC32, 0xC0DF25, 0xD5E21A, 0xEAE51A, 0xFDE725}}
	Magma = &ColorMap{"magma", []uint32{
		0x000004, 0x030312, 0x0A0822, 0x130D34, 0x1D1147, 0x29115A, 0x36106B, 0x440F76, 0x51127C, 0x5D177F, 0x691C81,
		0x762181, 0x822681, 0x8F2A81, 0x9C2E7F, 0xA9337D, 0xB63679, 0xC33C75, 0xCF406F, 0xDB476A, 0xE65164, 0xEE5C5E,
		0xF46A5C, 0xF9785D, 0xFB8861, 0xFD9668, 0xFEA571, 0xFEB47B, 0xFEC287, 0xFED194, 0xFDE0A1, 0xFCEEB0, 0xFCFDBF}}
	Vik = &ColorMap{"vik", []uint32{
		0x002E60, 0x004576, 0x005E95, 0x1B77AA, 0x5A90BB, 0x84A9CC, 0xAAC2DD, 0xCEDBEB, 0xF1F1F1, 0xE6D7C8, 0xD3BCA1,
		0xBFA079, 0xA9854D, 0x926905, 0x784F00, 0x5A3700, 0x3E2000}}
	Dusk = &ColorMap{"dusk", []uint32{
		0xB7DBFE, 0x8AC9FD, 0x4EB8FC, 0x1A99DB, 0x127AAF, 0x0B5C85, 0x063F5E, 0x1B2D3C, 0x1F1F1F, 0x38281C, 0x53351D,
		0x774D2C, 0x9C663C, 0xC4814D, 0xE69F69, 0xF0B78E, 0xF7D0B4}}
)

// At returns the colour at t in [0, 1]; other values are clamped, NaN counts as 1. A nil or empty map is Viridis.
func (m *ColorMap) At(t float64) color.RGBA {
	m = m.orDefault()
	if !(t < 1) {
		t = 1
	}
	t = math.Max(t, 0) * float64(len(m.stops)-1)
	k := min(int(t), len(m.stops)-2)
	f := t - float64(k)
	a, b := m.stops[k], m.stops[k+1]
	mix := func(shift uint) uint8 {
		return uint8(float64(a>>shift&255)*(1-f) + float64(b>>shift&255)*f + 0.5)
	}
	return color.RGBA{mix(16), mix(8), mix(0), 255}
}

func (m *ColorMap) orDefault() *ColorMap {
	if m == nil || len(m.stops) < 2 {
		return Viridis
	}
	return m
}

// Reversed returns the map run backwards.
func (m *ColorMap) Reversed() *ColorMap {
	m = m.orDefault()
	r := &ColorMap{m.Name + "-reversed", slices.Clone(m.stops)}
	slices.Reverse(r.stops)
	return r
}

// Slice returns the part of the map between the fractions a and b.
func (m *ColorMap) Slice(a, b float64) *ColorMap {
	m = m.orDefault()
	r := &ColorMap{m.Name, make([]uint32, len(m.stops))}
	for i := range r.stops {
		c := m.At(a + (b-a)*float64(i)/float64(len(r.stops)-1))
		r.stops[i] = uint32(c.R)<<16 | uint32(c.G)<<8 | uint32(c.B)
	}
	return r
}

// Scale maps values to colours: Lo and everything below it to one end of Map, Hi and everything above it to the other,
// in Bands equal steps (0: continuously). A scale of zero width is widened about its value; an end that is not finite
// is placed at a distance of max(1, |other end|) from the other; ends in the wrong order are swapped and the map
// reversed. A nil map is Viridis.
type Scale struct {
	Lo, Hi float64
	Map    *ColorMap
	Bands  int
}

// sane returns the scale with a map and finite ends, Lo < Hi, neither too close nor too far apart for the arithmetic.
func (s Scale) sane() Scale {
	s.Map, s.Bands = s.Map.orDefault(), max(s.Bands, 0)
	if s.Lo > s.Hi {
		s.Lo, s.Hi, s.Map = s.Hi, s.Lo, s.Map.Reversed()
	}
	const most = 1e300
	lo, hi := finite(s.Lo), finite(s.Hi)
	s.Lo, s.Hi = max(-most, min(s.Lo, most)), max(-most, min(s.Hi, most))
	switch {
	case !lo && !hi:
		s.Lo, s.Hi = 0, 1
	case !lo:
		s.Lo = s.Hi - max(1, math.Abs(s.Hi))
	case !hi:
		s.Hi = s.Lo + max(1, math.Abs(s.Lo))
	}
	if least := max(1e-290, 1e-13*max(math.Abs(s.Lo), math.Abs(s.Hi))); !(s.Hi-s.Lo > least) {
		half := math.Abs(s.Lo) / 2
		if half < 1e-290 {
			half = 0.5
		}
		s.Lo, s.Hi = s.Lo-half, s.Hi+half
	}
	return s
}

// Color returns the colour of a value.
func (s Scale) Color(v float64) color.RGBA {
	s = s.sane()
	t := (v - s.Lo) / (s.Hi - s.Lo)
	if s.Bands > 0 {
		if !(t < 1) {
			t = 1
		}
		return s.band(min(int(math.Max(t, 0)*float64(s.Bands)), s.Bands-1))
	}
	return s.Map.At(t)
}

// band returns the colour of step k of Bands.
func (s Scale) band(k int) color.RGBA {
	s = s.sane()
	return s.Map.At(float64(k) / float64(max(s.Bands-1, 1)))
}

// levels returns the Bands−1 boundaries between the steps.
func (s Scale) levels() []float64 {
	s = s.sane()
	l := make([]float64, max(s.Bands-1, 0))
	for k := range l {
		l[k] = s.Lo + (s.Hi-s.Lo)*float64(k+1)/float64(s.Bands)
	}
	return l
}

// blend returns a over b with opacity t.
func blend(a, b color.RGBA, t float64) color.RGBA {
	mix := func(x, y uint8) uint8 { return uint8(float64(x)*t + float64(y)*(1-t) + 0.5) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// fade returns c with opacity a.
func fade(c color.RGBA, a float64) color.NRGBA {
	return color.NRGBA{c.R, c.G, c.B, uint8(math.Max(0, math.Min(1, a))*255 + 0.5)}
}
