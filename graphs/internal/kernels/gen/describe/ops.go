// Package describe holds the formulas of the kernels, written once for every instruction set and both element types:
// exponentials, activations with their derivatives, logarithms, sines, normals, the Adam step. A back end says what an
// operation on vectors is and writes the loops around the formulas.
package describe

import "math"

// Value is an operand: a vector register, a constant in every lane, or, where the back end gives one to a formula, a
// vector in memory.
type Value interface{ Asm() string }

// Ops are operations on vectors of one element type. Operands stand in Go's order, destination last; a destination is
// a register.
type Ops interface {
	F64() bool           // whether elements are float64
	Reg() Value          // a new register
	Bits(b uint64) Value // a constant in every lane, given by its bit pattern
	Bcast(c, d Value)    // d = the constant c
	Mov(s, d Value)

	Add(x, y, d Value) // y + x
	Sub(x, y, d Value) // y − x
	Mul(x, y, d Value)
	Div(x, y, d Value) // y / x
	Sqrt(x, d Value)

	// Of zeros of either sign Min and Max may give any. Where one operand is NaN they may give the other if that is x.
	Min(x, y, d Value)
	Max(x, y, d Value)
	Greater(x, y, d Value) // y where it is greater than x, else x

	Fma213(c, y, d Value)  // d = y·d + c
	Fma231(x, y, d Value)  // d += x·y
	Fnma231(x, y, d Value) // d −= x·y
	Fnma213(c, y, d Value) // d = c − y·d
	Fms213(c, y, d Value)  // d = y·d − c

	Fms213Add(c, y, x, d Value) // d = (y·d − c) + x, rounded twice

	And(x, y, d Value)
	Or(x, y, d Value)
	Xor(x, y, d Value)
	Andn(x, y, d Value) // ^y & x
	Iadd(x, y, d Value) // y + x, integers of the size of an element
	Isub(x, y, d Value) // y − x
	Shl(n int, x, d Value)
	Shr(n int, x, d Value)
	Zero(d Value)

	Cmp(predicate int, x, y, d Value)        // the bits of d set where y o x
	SignMask(s Value) Value                  // where the sign bit of s is set, in the form that Blend and MulWhere take
	Blend(mask, a, b, d Value)               // a where the mask is set, b elsewhere; the mask is one of Cmp or of SignMask
	MulWhere(mask Value, c float64, v Value) // v *= c where the mask is set

	Scales() bool         // whether there is Scalef
	Scalef(n, x, d Value) // x·2ⁿ
}

// Predicates of comparisons, quiet.
const (
	Equal     = 0x00
	Unordered = 0x03
	NotEqual  = 0x04 // or unordered
	LessThan  = 0x11
	NotLess   = 0x15 // or unordered
	NotLE     = 0x16 // greater or unordered
)

// vec adds what formulas need often.
type vec struct{ Ops }

func (e vec) size() int {
	if e.F64() {
		return 8
	}
	return 4
}

func (e vec) signBit() uint64 { return 1 << (8*e.size() - 1) }

// k is a constant in every lane.
func (e vec) k(x float64) Value {
	if e.F64() {
		return e.Bits(math.Float64bits(x))
	}
	return e.Bits(uint64(math.Float32bits(float32(x))))
}

// kreg is a constant in a register.
func (e vec) kreg(x float64) Value {
	r := e.Reg()
	e.Bcast(e.k(x), r)
	return r
}

// pick chooses the coefficients for the element type.
func (e vec) pick(f32, f64 []float64) []float64 {
	if e.F64() {
		return f64
	}
	return f32
}

// horner is Σ c[i] x^i, one step after the other: the portable path can repeat it.
func (e vec) horner(c []float64, x Value) Value {
	p := e.kreg(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		e.Fma213(e.k(c[i]), x, p)
	}
	return p
}

// poly is Σ c[i] x^i by Estrin's scheme, halves in parallel: the loops wait for latencies rather than for multipliers.
// powers holds x, x², x⁴, …; those that are missing are made.
func (e vec) poly(c []float64, powers ...Value) Value {
	if !e.F64() { // short enough for Horner, which is a little more accurate
		return e.horner(c, powers[0])
	}
	for n := 1 << len(powers); n < len(c); n *= 2 {
		last := powers[len(powers)-1]
		powers = append(powers, e.mul2(last, last))
	}
	return e.estrin(c, powers)
}

func (e vec) estrin(c []float64, powers []Value) Value {
	if len(c) == 1 {
		return e.kreg(c[0])
	}
	m, k := 1, 0
	for 2*m < len(c) {
		m, k = 2*m, k+1
	}
	if len(c) == 2 {
		p := e.kreg(c[1])
		e.Fma213(e.k(c[0]), powers[0], p)
		return p
	}
	lo := e.estrin(c[:m], powers)
	if len(c) == m+1 {
		e.Fma231(e.k(c[m]), powers[k], lo)
		return lo
	}
	hi := e.estrin(c[m:], powers)
	e.Fma213(lo, powers[k], hi)
	return hi
}

// Helpers with a new register as result.
func (e vec) add2(x, y Value) Value { d := e.Reg(); e.Add(x, y, d); return d } // y + x

func (e vec) sub2(x, y Value) Value { d := e.Reg(); e.Sub(x, y, d); return d } // y − x

func (e vec) mul2(x, y Value) Value { d := e.Reg(); e.Mul(x, y, d); return d }

func (e vec) div2(x, y Value) Value { d := e.Reg(); e.Div(x, y, d); return d } // y / x

func (e vec) xor2(x, y Value) Value { d := e.Reg(); e.Xor(x, y, d); return d }

func (e vec) copy(x Value) Value { d := e.Reg(); e.Mov(x, d); return d }

// negAbs is −|x|.
func (e vec) negAbs(x Value) Value {
	d := e.Reg()
	e.Or(e.Bits(e.signBit()), x, d)
	return d
}

// signOf keeps the sign bit of x.
func (e vec) signOf(x Value) Value {
	d := e.Reg()
	e.And(e.Bits(e.signBit()), x, d)
	return d
}

// bySign is neg where the sign bit of s is set, pos elsewhere.
func (e vec) bySign(s, pos, neg Value) Value {
	d := e.Reg()
	e.Blend(e.SignMask(s), neg, pos, d)
	return d
}
