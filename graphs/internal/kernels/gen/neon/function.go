package neon

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/a64"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels/gen/describe"
)

// activations writes, for each smooth activation and n = 1 … 4, the routine that stores the derivatives of orders 0 …
// n−1.
func (g *generator) activations(f64 bool) {
	for _, f := range describe.Activations() {
		for n := 1; n <= 4; n++ {
			var names []string
			var out []int
			for i := range n {
				names = append(names, fmt.Sprintf("d%d", i))
				out = append(out, 1+i)
			}
			names = append(names, "x")
			in := []int{1 + n}
			v := vec{f64: f64}
			name := v.name(fmt.Sprintf("%s%d", f.Name, n))
			doc := fmt.Sprintf("%s stores the derivatives of orders 0 to %d; a destination may be given twice: the "+
				"highest order is stored last.", name, n-1)
			sig := fmt.Sprintf("(n int, %s *%s)", params(names), v.typ())
			g.function(f64, name, doc, sig, 8*(n+2), 4, func(e vec) {
				e.args(append([]string{"n"}, names...)...)
				a := f.New(e, n)
				if f.Short == nil {
					e.each(nil, in, out, run(a, f.Body), nil)
					return
				}
				e.each(&short{describe.ShortLimit(e), run(a, f.Short)}, in, out, either(a, f.Short, f.Body), nil)
			})
		}
	}
}

// run makes a loop body of f.
func run(a *describe.Activation, f func(*describe.Activation)) loopBody {
	return func(x []Value, store func(v Value, i int)) {
		for i, v := range a.Run(f, x[0]) {
			store(v, i)
		}
	}
}

// either makes a body that takes the results of short for elements within the short limit and those of long for the
// others.
func either(a *describe.Activation, short, long func(*describe.Activation)) loopBody {
	return func(x []Value, store func(v Value, i int)) {
		far := append([]Value(nil), a.Run(long, x[0])...)
		near := a.Run(short, a.Within(x[0]))
		m := a.Beyond(x[0])
		for i, v := range near {
			store(a.Pick(m, v, far[i]), i)
		}
	}
}

// functions writes the other functions of one variable.
func (g *generator) functions(f64 bool) {
	for _, f := range describe.Functions() {
		v := vec{f64: f64}
		name := v.name(f.Name)
		g.function(f64, name, name+" applies the function of its name to n elements.",
			fmt.Sprintf("(n int, dst, x *%s)", v.typ()), 24, 4, func(e vec) {
				e.args("n", "dst", "x")
				e.each(nil, []int{2}, []int{1}, func(x []Value, store func(v Value, i int)) { store(f.Body(e, x[0]), 0) }, nil)
			})
	}
}

// trigonometric writes the sine, and sine and cosine together. Arguments beyond the limit give anything; the result of
// the routine says whether there were some.
func (g *generator) trigonometric(f64 bool) {
	for _, both := range []bool{false, true} {
		name, names, out := "sin", []string{"s", "x"}, []int{1}
		if both {
			name, names, out = "sinCos", []string{"s", "c", "x"}, []int{1, 2}
		}
		v := vec{f64: f64}
		name = v.name(name)
		in := len(names)
		doc := name + " reports by a number other than 0 that an element is beyond trigLimit, or NaN."
		g.function(f64, name, doc, fmt.Sprintf("(n int, %s *%s) (far int)", params(names), v.typ()), 8*(in+2), 4,
			func(e vec) {
				e.args(append([]string{"n"}, names...)...)
				far := e.reg() // sign bits
				e.clear(far)
				e.each(nil, []int{in}, out, func(x []Value, store func(v Value, i int)) {
					here := e.reg()
					e.do(func() { e.copyTo(far, here) })
					s, c := describe.SinCos(e, x[0], here, both)
					e.do(func() { e.copyTo(here, far) })
					store(s, 0)
					if both {
						store(c, 1)
					}
				}, func() {
					mask := e.SignMask(far).(V)
					e.f.Op([]V{mask}, []V{mask}, func(r func(V) int) a64.Enc { return a64.Across("umaxv", e.arr(), r(mask), r(mask)) })
					e.f.GoUse(mask, "FMOVS %%F, R0")
					e.f.Go("MOVW R0, R0")
					e.f.Go("MOVD R0, far+%d(FP)", 8*(in+1))
				})
			})
	}
}

// elementwise writes the operations of several operands.
func (g *generator) elementwise(f64 bool) {
	for _, o := range describe.Elementwise() {
		v := vec{f64: f64}
		name := v.name(o.Name)
		names := append([]string{"dst"}, o.Arrays...)
		sig := fmt.Sprintf("(n int, %s *%s", params(names), v.typ())
		args := 8 * (1 + len(names))
		at := args
		if o.Scalar {
			sig += ", s " + v.typ()
			args += v.size()
		}
		g.function(f64, name, name+" handles n elements.", sig+")", args, 4, func(e vec) {
			e.args(append([]string{"n"}, names...)...)
			var in []int
			for i := range o.Arrays {
				in = append(in, 2+i)
			}
			var s V
			if o.Scalar {
				s = e.reg()
				move := "FMOVS"
				if f64 {
					move = "FMOVD"
				}
				e.f.GoDef(s, move+" s+%d(FP), %%F", at)
				e.f.Op([]V{s}, []V{s}, func(r func(V) int) a64.Enc { return a64.Dup(e.arr(), r(s), r(s), 0) })
			}
			e.each(nil, in, []int{1}, func(x []Value, store func(v Value, i int)) {
				c := Value(s)
				if len(x) == 0 {
					store(s, 0)
					return
				}
				store(o.Body(e, x, c), 0)
			}, nil)
		})
	}
}

// normals writes Box and Muller's transform on four lanes of xoshiro256++, two vectors of two.
func (g *generator) normals() {
	doc := "normalVectors writes 8·blocks normal numbers; state[i] is word i of the four lanes."
	g.function(true, "normalVectors", doc, "(blocks int, dst *float64, state *[4][4]uint64)", 24, 1, func(e vec) {
		f := e.f
		e.args("blocks", "dst", "state")
		var s [2][4]V
		for h := range s {
			for i := range s[h] {
				s[h][i] = e.reg()
				e.load(2, 32*i+16*h, s[h][i])
			}
		}
		f.Label("loop")
		e.interleave(2, func(h int) {
			var now [4]Value
			for i, v := range s[h] {
				here := e.reg()
				e.do(func() { e.copyTo(v, here) })
				now[i] = here
			}
			c, d := describe.BoxMuller(e, func() Value { return describe.Xoshiro(e, &now) })
			e.Mov(c, place{1, 16 * h})
			e.Mov(d, place{1, 32 + 16*h})
			for i, v := range s[h] {
				e.do(func() { e.copyTo(now[i].(V), v) })
			}
		})
		f.Go("ADD $64, R1")
		f.Go("SUBS $1, R0")
		f.Jump("BNE", "loop")
		for h := range s {
			for i, v := range s[h] {
				e.store(v, 2, 32*i+16*h)
			}
		}
		f.Ret()
	})
}

// adam writes the Adam step on vectors of four, two of two.
func (g *generator) adam() {
	doc := "adamVectors updates 4·blocks parameters; p holds scale, 1−β1, 1−β2, β1, β2, bias2, ε, decay, −step, d, " +
		"1−d; avg may be nil."
	g.function(true, "adamVectors", doc, "(blocks int, theta, m, v, grad, avg, p *float64)", 56, 1, func(e vec) {
		f := e.f
		e.args("blocks", "theta", "m", "v", "grad", "avg", "p")
		var c [11]Value
		for i := range c {
			v := e.reg()
			c[i] = v
			f.Op([]V{v}, nil, func(r func(V) int) a64.Enc { return a64.Ld1r(e.arr(), r(v), 6) })
			f.Go("ADD $8, R6")
		}
		f.Label("loop")
		var th [2]Value
		e.interleave(2, func(h int) {
			off := 16 * h
			th[h] = describe.Adam(e, &c, place{1, off}, place{2, off}, place{3, off}, place{4, off})
		})
		for p := 1; p <= 4; p++ {
			f.Go("ADD $32, R%d", p)
		}
		f.Jump("CBZ R5,", "next")
		for h := range th {
			describe.AdamAverage(e, &c, th[h], place{5, 16 * h})
		}
		f.Go("ADD $32, R5")
		f.Label("next")
		f.Go("SUBS $1, R0")
		f.Jump("BNE", "loop")
		f.Ret()
	})
}
