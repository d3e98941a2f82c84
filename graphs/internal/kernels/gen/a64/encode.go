// Package a64 writes Go assembly for arm64: vector instructions that the Go assembler lacks become WORDs with the
// mnemonic in a comment; vector registers are virtual and are assigned when a function ends.
package a64

import "fmt"

// Enc is an encoded instruction: its bits and its text in the syntax of the architecture manual, which GNU as and
// llvm-mc read.
type Enc struct {
	Word uint32
	Text string
}

// Arr is an arrangement of a vector of floating-point numbers.
type Arr struct{ F64 bool }

func (a Arr) String() string {
	if a.F64 {
		return "2d"
	}
	return "4s"
}

// Elem is the letter of one element.
func (a Arr) Elem() string { return a.String()[1:] }

func (a Arr) sz() uint32 { // bit 22 of floating-point instructions
	if a.F64 {
		return 1 << 22
	}
	return 0
}

// three same, floating point: base of the 4s form
var fp3 = map[string]uint32{
	"fadd": 0x4E20D400, "fsub": 0x4EA0D400, "fmul": 0x6E20DC00, "fdiv": 0x6E20FC00, "fmla": 0x4E20CC00, "fmls": 0x4EA0CC00,
	"fmax": 0x4E20F400, "fmin": 0x4EA0F400, "fmaxnm": 0x4E20C400, "fminnm": 0x4EA0C400, "faddp": 0x6E20D400,
	"fcmeq": 0x4E20E400, "fcmge": 0x6E20E400, "fcmgt": 0x6EA0E400, "facge": 0x6E20EC00, "facgt": 0x6EA0EC00,
	"frecps": 0x4E20FC00,
}

// three same, integer of the element's size, and permutations: 4s form; 2d adds 1<<22
var int3 = map[string]uint32{
	"add": 0x4EA08400, "sub": 0x6EA08400, "zip1": 0x4E803800, "zip2": 0x4E807800, "trn1": 0x4E802800, "trn2": 0x4E806800,
	"uzp1": 0x4E801800, "uzp2": 0x4E805800,
}

// three same, bitwise, 16b
var bit3 = map[string]uint32{
	"and": 0x4E201C00, "bic": 0x4E601C00, "orr": 0x4EA01C00, "orn": 0x4EE01C00, "eor": 0x6E201C00, "bsl": 0x6E601C00,
	"bit": 0x6EA01C00, "bif": 0x6EE01C00,
}

// two-register, floating point: 4s form
var fp2 = map[string]uint32{
	"fabs": 0x4EA0F800, "fneg": 0x6EA0F800, "fsqrt": 0x6EA1F800, "frintn": 0x4E218800, "frintm": 0x4E219800,
	"frintz": 0x4EA19800, "frinta": 0x6E218800, "fcvtzs": 0x4EA1B800, "fcvtns": 0x4E21A800, "scvtf": 0x4E21D800,
	"frecpe": 0x4EA1D800,
}

// comparison with zero: 4s form. cmlt is that of integers: the sign bit in every bit.
var zero2 = map[string]uint32{
	"fcmgt": 0x4EA0C800, "fcmge": 0x6EA0C800, "fcmeq": 0x4EA0D800, "fcmlt": 0x4EA0E800, "fcmle": 0x6EA0D800,
	"cmlt": 0x4EA0A800,
}

// by element: 4s form; 2d adds 1<<22
var elem = map[string]uint32{"fmla": 0x4F801000, "fmls": 0x4F805000, "fmul": 0x4F809000}

func look(m map[string]uint32, mn string) uint32 {
	b, ok := m[mn]
	if !ok {
		panic("a64: no instruction " + mn)
	}
	return b
}

func rdnm(d, n, m int) uint32 { return uint32(m)<<16 | uint32(n)<<5 | uint32(d) }

// FP3 is d = n op m; fmla and fmls add to d.
func FP3(mn string, a Arr, d, n, m int) Enc {
	return Enc{look(fp3, mn) + a.sz() | rdnm(d, n, m), fmt.Sprintf("%s v%d.%s, v%d.%[3]s, v%[5]d.%[3]s", mn, d, a, n, m)}
}

// Int3 is d = n op m on integers of the size of an element.
func Int3(mn string, a Arr, d, n, m int) Enc {
	return Enc{look(int3, mn) + a.sz() | rdnm(d, n, m), fmt.Sprintf("%s v%d.%s, v%d.%[3]s, v%[5]d.%[3]s", mn, d, a, n, m)}
}

// Bit3 is d = n op m; bsl, bit and bif read d, too.
func Bit3(mn string, d, n, m int) Enc {
	return Enc{look(bit3, mn) | rdnm(d, n, m), fmt.Sprintf("%s v%d.16b, v%d.16b, v%d.16b", mn, d, n, m)}
}

// FP2 is d = op n.
func FP2(mn string, a Arr, d, n int) Enc {
	return Enc{look(fp2, mn) + a.sz() | rdnm(d, n, 0), fmt.Sprintf("%s v%d.%s, v%d.%[3]s", mn, d, a, n)}
}

// Not is d = ^n.
func Not(d, n int) Enc {
	return Enc{0x6E205800 | rdnm(d, n, 0), fmt.Sprintf("mvn v%d.16b, v%d.16b", d, n)}
}

// Zero2 is d = n op 0.
func Zero2(mn string, a Arr, d, n int) Enc {
	z := "#0.0"
	if mn == "cmlt" {
		z = "#0"
	}
	return Enc{look(zero2, mn) + a.sz() | rdnm(d, n, 0), fmt.Sprintf("%s v%d.%s, v%d.%[3]s, %[5]s", mn, d, a, n, z)}
}

// Elem is d = d ± n·m[i], or n·m[i].
func Elem(mn string, a Arr, d, n, m, i int) Enc {
	w := look(elem, mn) + a.sz() | rdnm(d, n, m)
	if a.F64 {
		w |= uint32(i) << 11
	} else {
		w |= uint32(i&1)<<21 | uint32(i>>1)<<11
	}
	return Enc{w, fmt.Sprintf("%s v%d.%s, v%d.%[3]s, v%[5]d.%s[%d]", mn, d, a, n, m, a.Elem(), i)}
}

// Shift by a constant: shl, ushr or sshr.
func Shift(mn string, a Arr, d, n, by int) Enc {
	bits := 32
	if a.F64 {
		bits = 64
	}
	base := map[string]uint32{"shl": 0x4F005400, "ushr": 0x6F000400, "sshr": 0x4F000400}[mn]
	imm := 2*bits - by
	if mn == "shl" {
		imm = bits + by
	}
	return Enc{base | uint32(imm)<<16 | rdnm(d, n, 0), fmt.Sprintf("%s v%d.%s, v%d.%[3]s, #%[5]d", mn, d, a, n, by)}
}

// Dup puts element i of n into every lane.
func Dup(a Arr, d, n, i int) Enc {
	imm := i<<3 | 4
	if a.F64 {
		imm = i<<4 | 8
	}
	return Enc{0x4E000400 | uint32(imm)<<16 | rdnm(d, n, 0), fmt.Sprintf("dup v%d.%s, v%d.%s[%d]", d, a, n, a.Elem(), i)}
}

// Ext is bytes by… of the pair (n, m).
func Ext(d, n, m, by int) Enc {
	return Enc{0x6E000000 | uint32(by)<<11 | rdnm(d, n, m), fmt.Sprintf("ext v%d.16b, v%d.16b, v%d.16b, #%d", d, n, m, by)}
}

// Clear is d = 0.
func Clear(d int) Enc { return Enc{0x6F00E400 | uint32(d), fmt.Sprintf("movi v%d.2d, #0", d)} }

// Across: faddp of a pair (scalar), fmaxv, fmaxnmv, umaxv, uminv of four.
func Across(mn string, a Arr, d, n int) Enc {
	if mn == "faddp" || mn == "fmaxnmp" {
		base := map[string]uint32{"faddp": 0x7E30D800, "fmaxnmp": 0x7E30C800}[mn]
		src := "2s"
		if a.F64 {
			src = "2d"
		}
		return Enc{base + a.sz() | rdnm(d, n, 0), fmt.Sprintf("%s %s%d, v%d.%s", mn, a.Elem(), d, n, src)}
	}
	base := map[string]uint32{"fmaxv": 0x6E30F800, "fmaxnmv": 0x6E30C800, "umaxv": 0x6EB0A800, "uminv": 0x6EB1A800}[mn]
	return Enc{base | rdnm(d, n, 0), fmt.Sprintf("%s s%d, v%d.4s", mn, d, n)}
}

// Cvt: fcvtn, fcvtn2 (2d → 2s), fcvtl, fcvtl2 (2s → 2d).
func Cvt(mn string, d, n int) Enc {
	e := map[string]Enc{"fcvtn": {0x0E616800, "fcvtn v%d.2s, v%d.2d"}, "fcvtn2": {0x4E616800, "fcvtn2 v%d.4s, v%d.2d"},
		"fcvtl": {0x0E617800, "fcvtl v%d.2d, v%d.2s"}, "fcvtl2": {0x4E617800, "fcvtl2 v%d.2d, v%d.4s"}}[mn]
	return Enc{e.Word | rdnm(d, n, 0), fmt.Sprintf(e.Text, d, n)}
}

// Ldr and Str move a vector; off is a multiple of 16. A load within reach of ldur, which does not scale its offset, is
// one: on Neoverse N1 ldr of a whole vector is two micro-operations, of the three that are dispatched in a cycle.
func Ldr(t, base, off int) Enc {
	if off < 256 {
		return Enc{0x3CC00000 | imm(off, 1, 0, 255)<<12 | rdnm(t, base, 0), fmt.Sprintf("ldur q%d, [x%d, #%d]", t, base, off)}
	}
	return Enc{0x3DC00000 | imm(off, 16, 0, 4095)<<10 | rdnm(t, base, 0), fmt.Sprintf("ldr q%d, [x%d, #%d]", t, base, off)}
}
func Str(t, base, off int) Enc {
	return Enc{0x3D800000 | imm(off, 16, 0, 4095)<<10 | rdnm(t, base, 0), fmt.Sprintf("str q%d, [x%d, #%d]", t, base, off)}
}

// Ldp and Stp move two vectors.
func Ldp(t, u, base, off int) Enc {
	return Enc{0xAD400000 | imm(off, 16, -64, 63)<<15 | uint32(u)<<10 | rdnm(t, base, 0),
		fmt.Sprintf("ldp q%d, q%d, [x%d, #%d]", t, u, base, off)}
}
func Stp(t, u, base, off int) Enc {
	return Enc{0xAD000000 | imm(off, 16, -64, 63)<<15 | uint32(u)<<10 | rdnm(t, base, 0),
		fmt.Sprintf("stp q%d, q%d, [x%d, #%d]", t, u, base, off)}
}

// LdrPart loads the first bytes of a register, 4 or 8 of them, and clears the others; off is a multiple of their
// number.
func LdrPart(bytes, t, base, off int) Enc {
	if bytes == 8 {
		return Enc{0xFD400000 | imm(off, 8, 0, 4095)<<10 | rdnm(t, base, 0), fmt.Sprintf("ldr d%d, [x%d, #%d]", t, base, off)}
	}
	return Enc{0xBD400000 | imm(off, 4, 0, 4095)<<10 | rdnm(t, base, 0), fmt.Sprintf("ldr s%d, [x%d, #%d]", t, base, off)}
}

// Ld1 loads one element at base + index into lane 0 and clears the others.
func Ld1(a Arr, t, base, index int) Enc {
	w := uint32(0xBC606800)
	if a.F64 {
		w = 0xFC606800
	}
	return Enc{w | rdnm(t, base, index), fmt.Sprintf("ldr %s%d, [x%d, x%d]", a.Elem(), t, base, index)}
}

// Ldrx loads a vector at base + index.
func Ldrx(t, base, index int) Enc {
	return Enc{0x3CE06800 | rdnm(t, base, index), fmt.Sprintf("ldr q%d, [x%d, x%d]", t, base, index)}
}

// Ld1r loads one element into every lane.
func Ld1r(a Arr, t, base int) Enc {
	w := uint32(0x4D40C800)
	if a.F64 {
		w = 0x4D40CC00
	}
	return Enc{w | rdnm(t, base, 0), fmt.Sprintf("ld1r {v%d.%s}, [x%d]", t, a, base)}
}

func imm(off, scale, lo, hi int) uint32 {
	v := off / scale
	if off%scale != 0 || v < lo || v > hi {
		panic(fmt.Sprintf("a64: offset %d", off))
	}
	return uint32(v)&0x7f*b2u(lo < 0) | uint32(v)*b2u(lo >= 0)
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
