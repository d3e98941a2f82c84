package x86

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// activations writes, for each smooth activation and n = 1 … 4, the routine that stores the derivatives of orders 0 …
// n−1.
func activations(e vec) {
	for _, f := range describe.Activations() {
		for n := 1; n <= 4; n++ {
			name := e.name(fmt.Sprintf("%s%d", f.Name, n))
			args := ""
			for i := range n {
				args += fmt.Sprintf(", d%d", i)
			}
			text(name, fmt.Sprintf("func(n int%s, x *%s)", args, e.typ()),
				fmt.Sprintf("%s stores the derivatives of orders 0 to %d; a destination may be given twice: the highest "+
					"order is stored last.", name, n-1))
			cnt := Load(Param("n"), GP64())
			px := Load(Param("x"), GP64())
			out := make([]Register, n)
			for i := range out {
				out[i] = Load(Param(fmt.Sprintf("d%d", i)), GP64())
			}
			a := f.New(e, n)
			if f.Short == nil {
				e.each(nil, cnt, []Register{px}, out, body(a, f.Body), nil)
				continue
			}
			s := &short{limit: describe.ShortLimit(e), side: 1, body: body(a, f.Short)}
			if e.wide() {
				s.side = 2
			}
			e.each(s, cnt, []Register{px}, out, e.either(a, n, f.Short, f.Body), nil)
		}
	}
}

// body makes a loop body of f.
func body(a *describe.Activation, f func(*describe.Activation)) loopBody {
	return func(x []Value, store func(v Value, i int)) {
		for i, v := range a.Run(f, x[0]) {
			store(v, i)
		}
	}
}

// either makes a body that takes the results of short for elements within the short limit and those of long for the
// others: what becomes of an element does not depend on its neighbours.
func (e vec) either(a *describe.Activation, orders int, short, long func(*describe.Activation)) loopBody {
	var far [4]Mem
	for i := range orders {
		far[i] = AllocLocal(e.bytes())
	}
	return func(x []Value, store func(v Value, i int)) {
		for i, v := range a.Run(long, x[0]) {
			e.Mov(v, far[i])
		}
		near := a.Run(short, a.Within(x[0]))
		m := a.Beyond(x[0])
		for i, v := range near {
			store(a.Pick(m, v, e.load(far[i])), i)
		}
	}
}

// functions writes the other functions of one variable. Only the exponential gains by AVX-512.
func functions(e vec) {
	list := describe.Functions()
	if e.wide() {
		list = list[:1]
	}
	for _, f := range list {
		name := e.name(f.Name)
		text(name, fmt.Sprintf("func(n int, dst, x *%s)", e.typ()), name+" applies the function of its name to n elements.")
		n := Load(Param("n"), GP64())
		dst := Load(Param("dst"), GP64())
		x := Load(Param("x"), GP64())
		e.each(nil, n, []Register{x}, []Register{dst}, func(v []Value, store func(v Value, i int)) {
			store(f.Body(e, v[0]), 0)
		}, nil)
	}
}

// trigonometric writes the sine, and sine and cosine together. Arguments beyond the limit give anything; the result of
// the routine says whether there were some.
func trigonometric(e vec) {
	for _, both := range []bool{false, true} {
		name, args := e.name("sin"), ", s"
		if both {
			name, args = e.name("sinCos"), ", s, c"
		}
		text(name, fmt.Sprintf("func(n int%s, x *%s) (far int)", args, e.typ()),
			name+" reports by a number other than 0 that an element is beyond trigLimit, or NaN.")
		n := Load(Param("n"), GP64())
		px := Load(Param("x"), GP64())
		out := []Register{Load(Param("s"), GP64())}
		if both {
			out = append(out, Load(Param("c"), GP64()))
		}
		far := e.reg() // sign bits
		e.Zero(far)
		e.each(nil, n, []Register{px}, out, func(x []Value, store func(v Value, i int)) {
			s, c := describe.SinCos(e, x[0], far, both)
			store(s, 0)
			if both {
				store(c, 1)
			}
		}, func() {
			Store(e.signs(far), ReturnIndex(0))
		})
	}
}

// signs is a number other than 0 if a sign bit of v is set.
func (e vec) signs(v VecVirtual) Register {
	r := GP64()
	switch {
	case e.wide():
		KMOVW(e.SignMask(v), r.As32())
	case e.f64:
		VMOVMSKPD(v, r.As32())
	default:
		VMOVMSKPS(v, r.As32())
	}
	return r
}
