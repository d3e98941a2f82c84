package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// activations writes, for each smooth activation and n = 1 … 4, the routine that stores the derivatives of orders 0 … n−1.
//
// All of them are built on e = exp(z), z = −|x|, −2|x| or −x²/2, which never overflows. What is small there, e itself included, is
// kept as E = e·2^B and multiplied by 2^−B at the very end, so that results below the least normal number are rounded once.
// Arguments are clamped where e has vanished altogether, so that infinite ones need no care; NaN passes every step.
func activations(e vec) {
	for _, f := range []struct {
		name  string
		body  func(a *activation)
		short func(a *activation)
		limit func(e vec) float64
	}{{"sigmoid", sigmoid, shortSigmoid, vec.lim}, {"softplus", softplus, nil, vec.lim}, {"tanh", tanh, nil, vec.lim},
		{"silu", silu, shortSiLU, vec.lim}, {"gelu", gelu, nil, vec.geluLim}} {
		for n := 1; n <= 4; n++ {
			name := e.name(fmt.Sprintf("%s%d", f.name, n))
			args := ""
			for i := range n {
				args += fmt.Sprintf(", d%d", i)
			}
			text(name, fmt.Sprintf("func(n int%s, x *%s)", args, e.typ()),
				fmt.Sprintf("%s stores the derivatives of orders 0 to %d; a destination may be given twice: the highest order is stored last.", name, n-1))
			a := &activation{vec: e, orders: n}
			cnt := Load(Param("n"), GP64())
			px := Load(Param("x"), GP64())
			out := make([]Register, n)
			for i := range out {
				out[i] = Load(Param(fmt.Sprintf("d%d", i)), GP64())
			}
			a.least = a.kreg(-f.limit(e))
			if f.short == nil {
				e.each(cnt, []Register{px}, out, a.loopBody(f.body))
			} else {
				e.eachOr(a.short(f.short), cnt, []Register{px}, out, a.either(f.short, f.body))
			}
		}
	}
}

// loopBody makes a body of f.
func (a *activation) loopBody(f func(*activation)) loopBody {
	return func(x []VecVirtual, store func(v VecVirtual, i int)) {
		a.x, a.mask = x[0], nil
		f(a)
		for i := range a.orders {
			store(a.out[i], i)
		}
	}
}

// short is the loop body f for vectors of arguments within shortLimit.
func (a *activation) short(f func(*activation)) *short {
	s := &short{limit: a.shortLimit(), side: 1, body: a.loopBody(f)}
	if a.wide() {
		s.side = 2
	}
	return s
}

// shortLimit is the greatest |x| for which no exponential overflows and no result is denormal.
func (e vec) shortLimit() float64 {
	if e.f64 {
		return 600
	}
	return 80
}

// either makes a body that takes the results of short for elements within shortLimit and those of long for the others: what becomes of
// an element does not depend on its neighbours.
func (a *activation) either(short, long func(*activation)) loopBody {
	var far [4]Mem
	for i := range a.orders {
		far[i] = AllocLocal(a.bytes())
	}
	return func(x []VecVirtual, store func(v VecVirtual, i int)) {
		a.x, a.mask = x[0], nil
		long(a)
		for i := range a.orders {
			a.mov(a.out[i], far[i])
		}
		a.x, a.mask = a.reg(), nil
		a.max(x[0], a.kreg(-a.shortLimit()), a.x)
		a.min(a.x, a.kreg(a.shortLimit()), a.x)
		short(a)
		m := a.negAbs(x[0])
		a.add(a.k(a.shortLimit()), m, m) // its sign bit is set outside, or it is NaN
		for i := range a.orders {
			v := a.out[i]
			store(a.bySign(m, v, a.load(far[i])), i)
		}
	}
}

// activation is the state of one routine: x is the argument, out the results.
type activation struct {
	vec
	orders int
	x      VecVirtual
	least  VecVirtual // the least argument, below which everything has vanished
	mask   Op         // where x has its sign bit set; AVX-512, made when it is first needed
	out    [4]VecVirtual
}

// Helpers with a new register as result.
func (e vec) add2(x, y Op) VecVirtual { d := e.reg(); e.add(x, y, d); return d } // y + x
func (e vec) sub2(x, y Op) VecVirtual { d := e.reg(); e.sub(x, y, d); return d } // y − x
func (e vec) mul2(x, y Op) VecVirtual { d := e.reg(); e.mul(x, y, d); return d }
func (e vec) div2(x, y Op) VecVirtual { d := e.reg(); e.div(x, y, d); return d } // y / x
func (e vec) xor2(x, y Op) VecVirtual { d := e.reg(); e.xor(x, y, d); return d }
func (e vec) copy(x Op) VecVirtual    { d := e.reg(); e.mov(x, d); return d }

// negClamped is −|x|, not less than a.least.
func (a *activation) negClamped(x VecVirtual) VecVirtual {
	z := a.negAbs(x)
	a.max(z, a.least, z) // z itself where it is NaN
	return z
}

// negAbs is −|x|.
func (e vec) negAbs(x Op) VecVirtual {
	d := e.reg()
	e.or(e.bits(e.signBit()), x, d)
	return d
}

// signOf keeps the sign bit of x.
func (e vec) signOf(x Op) VecVirtual {
	d := e.reg()
	e.and(e.bits(e.signBit()), x, d)
	return d
}

// signMask is where the sign bit of s is set. AVX-512 only.
func (e vec) signMask(s Op) Op {
	k := K()
	emit(func() {
		if e.f64 {
			VPMOVQ2M(s, k)
		} else {
			VPMOVD2M(s, k)
		}
	})
	return k
}

// negative is the mask of negative x.
func (a *activation) negative() Op {
	if a.mask == nil {
		a.mask = a.signMask(a.x)
	}
	return a.mask
}

// choose is neg where x is negative, pos elsewhere.
func (a *activation) choose(pos, neg VecVirtual) VecVirtual {
	if !a.wide() {
		return a.bySign(a.x, pos, neg)
	}
	d := a.reg()
	a.sel(VBLENDMPS, VBLENDMPD)(neg, pos, a.negative(), d)
	return d
}

// unscaleNegative multiplies v by 2^−B where x is negative.
func (a *activation) unscaleNegative(v VecVirtual) {
	if a.wide() {
		a.sel(VMULPS_BCST, VMULPD_BCST)(a.k(a.down()), v, a.negative(), v)
		return
	}
	a.mul(a.choose(a.kreg(1), a.kreg(a.down())), v, v)
}

// bySign is neg where the sign bit of s is set, pos elsewhere.
func (e vec) bySign(s, pos, neg VecVirtual) VecVirtual {
	d := e.reg()
	if e.wide() {
		e.sel(VBLENDMPS, VBLENDMPD)(neg, pos, e.signMask(s), d)
		return d
	}
	e.blend(s, neg, pos, d)
	return d
}
