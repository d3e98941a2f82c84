package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// elementwiseCase is an operation on vectors of one length, with a plain reference.
type elementwiseCase[T Float] struct {
	name  string
	arity int
	run   func(dst []T, in [][]T, c T)
	ref   func(v []float64, c float64) float64
	ulps  float64 // of the largest term
}

func elementwiseCases[T Float]() []elementwiseCase[T] {
	return []elementwiseCase[T]{
		{"Add", 2, func(d []T, in [][]T, c T) { Add(d, in[0], in[1]) },
			func(v []float64, c float64) float64 { return v[0] + v[1] }, 1},
		{"Sub", 2, func(d []T, in [][]T, c T) { Sub(d, in[0], in[1]) },
			func(v []float64, c float64) float64 { return v[0] - v[1] }, 1},
		{"Mul", 2, func(d []T, in [][]T, c T) { Mul(d, in[0], in[1]) },
			func(v []float64, c float64) float64 { return v[0] * v[1] }, 1},
		{"Div", 2, func(d []T, in [][]T, c T) { Div(d, in[0], in[1]) },
			func(v []float64, c float64) float64 { return v[0] / v[1] }, 1},
		{"Scale", 1, func(d []T, in [][]T, c T) { Scale(d, c, in[0]) },
			func(v []float64, c float64) float64 { return c * v[0] }, 1},
		{"Shift", 1, func(d []T, in [][]T, c T) { Shift(d, in[0], c) },
			func(v []float64, c float64) float64 { return v[0] + c }, 1},
		{"SubFrom", 1, func(d []T, in [][]T, c T) { SubFrom(d, c, in[0]) },
			func(v []float64, c float64) float64 { return c - v[0] }, 1},
		{"MulAdd", 3, func(d []T, in [][]T, c T) { MulAdd(d, in[0], in[1], in[2]) },
			func(v []float64, c float64) float64 { return math.FMA(v[0], v[1], v[2]) }, 1},
		{"MulSub", 3, func(d []T, in [][]T, c T) { MulSub(d, in[0], in[1], in[2]) },
			func(v []float64, c float64) float64 { return math.FMA(v[0], v[1], -v[2]) }, 1},
		{"NegMulAdd", 3, func(d []T, in [][]T, c T) { NegMulAdd(d, in[0], in[1], in[2]) },
			func(v []float64, c float64) float64 { return math.FMA(-v[0], v[1], v[2]) }, 1},
		{"MulMul", 3, func(d []T, in [][]T, c T) { MulMul(d, in[0], in[1], in[2]) },
			func(v []float64, c float64) float64 { return v[0] * v[1] * v[2] }, 2},
		{"MulMulAdd", 4, func(d []T, in [][]T, c T) { MulMulAdd(d, in[0], in[1], in[2], in[3]) },
			func(v []float64, c float64) float64 { return math.FMA(v[0], v[1], v[2]*v[3]) }, 4},
		{"ScaleAdd", 2, func(d []T, in [][]T, c T) { ScaleAdd(d, c, in[0], in[1]) },
			func(v []float64, c float64) float64 { return math.FMA(c, v[0], v[1]) }, 1},
		{"Axpy", 1, func(d []T, in [][]T, c T) { Fill(d, 1); Axpy(d, c, in[0]) },
			func(v []float64, c float64) float64 { return math.FMA(c, v[0], 1) }, 1},
		{"Fill", 0, func(d []T, in [][]T, c T) { Fill(d, c) }, func(v []float64, c float64) float64 { return c }, 0},
		{"Pow3", 1, func(d []T, in [][]T, c T) { Pow(3, 0, d, in[0]) },
			func(v []float64, c float64) float64 { return v[0] * v[0] * v[0] }, 2},
		{"Pow3'", 1, func(d []T, in [][]T, c T) { Pow(3, 1, d, in[0]) },
			func(v []float64, c float64) float64 { return 3 * v[0] * v[0] }, 3},
		{"Pow2", 1, func(d []T, in [][]T, c T) { Pow(2, 0, d, in[0]) },
			func(v []float64, c float64) float64 { return v[0] * v[0] }, 1},
		{"Pow2''", 1, func(d []T, in [][]T, c T) { Pow(2, 2, d, in[0]) },
			func(v []float64, c float64) float64 { return 2 }, 0},
		{"Pow-1'", 1, func(d []T, in [][]T, c T) { Pow(-1, 1, d, in[0]) },
			func(v []float64, c float64) float64 { return -1 / (v[0] * v[0]) }, 3},
		{"SiLU", 1, func(d []T, in [][]T, c T) { Unary(SiLU, 0, d, in[0]) },
			func(v []float64, c float64) float64 { return scalar(SiLU, 0, v[0]) }, 9},
		{"Square'", 1, func(d []T, in [][]T, c T) { Unary(Square, 1, d, in[0]) },
			func(v []float64, c float64) float64 { return 2 * v[0] }, 0},
		{"Sin", 1, func(d []T, in [][]T, c T) { Unary(Sin, 0, d, in[0]) },
			func(v []float64, c float64) float64 { return math.Sin(v[0]) }, 4},
		{"Cos'", 1, func(d []T, in [][]T, c T) { Unary(Cos, 1, d, in[0]) },
			func(v []float64, c float64) float64 { return -math.Sin(v[0]) }, 4},
	}
}

func testElementwise[T Float](t *testing.T, rng *rand.Rand) {
	eps := epsilon[T]()
	for _, c := range elementwiseCases[T]() {
		for n := range 80 {
			if n > 40 {
				n = 40 + rng.IntN(300)
			}
			name := fmt.Sprintf("%s n=%d", c.name, n)
			var in [][]T
			var intact []func(string)
			for range c.arity {
				s, ok := guarded[T](t, n, rng.IntN(9))
				fillRand(s, rng)
				in, intact = append(in, s), append(intact, ok)
			}
			dst, ok := guarded[T](t, n, rng.IntN(9))
			intact = append(intact, ok)
			k := T(rng.NormFloat64())
			want := make([]float64, n)
			size := make([]float64, n)
			v := make([]float64, c.arity)
			for i := range want {
				size[i] = math.Abs(float64(k))
				prod := 1.0
				for j := range v {
					v[j] = float64(in[j][i])
					size[i] = max(size[i], math.Abs(v[j]))
					prod *= max(1, math.Abs(v[j]), math.Abs(float64(k)))
				}
				want[i] = c.ref(v, float64(k))
				size[i] = max(prod, size[i], math.Abs(want[i]))
			}
			c.run(dst, in, k)
			compare(t, name, dst, want, size, c.ulps*eps)
			if c.arity > 0 { // in place
				alias := in[rng.IntN(c.arity)]
				if c.name != "Axpy" {
					c.run(alias, in, k)
					compare(t, name+" in place", alias, want, size, c.ulps*eps)
				}
			}
			for _, ok := range intact {
				ok(name)
			}
		}
	}
}

func compare[T Float](t *testing.T, name string, got []T, want, size []float64, tol float64) {
	t.Helper()
	for i, w := range want {
		if g := float64(got[i]); !(math.Abs(g-w) <= 1.01*tol*size[i]) && T(w) != got[i] {
			t.Fatalf("%s: element %d = %v, want %v", name, i, g, w)
		}
	}
}

func TestElementwise(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		testElementwise[float32](t, rand.New(rand.NewPCG(7, 8)))
		testElementwise[float64](t, rand.New(rand.NewPCG(9, 10)))
	})
}

func testBroadcast[T Float](t *testing.T, rng *rand.Rand) {
	eps := epsilon[T]()
	type kernel struct {
		name string
		run  func(dst, a, v []T)
		ref  func(a, v float64) float64
	}
	add := func(a, v float64) float64 { return a + v }
	sub := func(a, v float64) float64 { return a - v }
	mul := func(a, v float64) float64 { return a * v }
	div := func(a, v float64) float64 { return a / v }
	for n := range 12 {
		for _, m := range []int{1, 2, 3, 7, 8, 9, 16, 31, 33, 64} {
			a, okA := guarded[T](t, n*m, rng.IntN(9))
			d, okD := guarded[T](t, n*m, rng.IntN(9))
			row, okR := guarded[T](t, m, rng.IntN(9))
			col, okC := guarded[T](t, n, rng.IntN(9))
			for _, s := range [][]T{a, row, col} {
				fillRand(s, rng)
			}
			want, size := make([]float64, n*m), make([]float64, n*m)
			name := fmt.Sprintf("n=%d m=%d", n, m)
			verify := func(what string, ref func(i, j int) float64) {
				t.Helper()
				for i := range n {
					for j := range m {
						want[i*m+j] = ref(i, j)
						size[i*m+j] = math.Abs(want[i*m+j]) + 1
					}
				}
				compare(t, what+" "+name, d, want, size, eps)
			}
			for _, k := range []kernel{{"AddCol", AddCol[T], add}, {"SubCol", SubCol[T], sub},
				{"MulCol", MulCol[T], mul}, {"DivCol", DivCol[T], div}} {
				k.run(d, a, col)
				verify(k.name, func(i, j int) float64 { return k.ref(float64(a[i*m+j]), float64(col[i])) })
			}
			ExpandRow(d, row)
			verify("ExpandRow", func(i, j int) float64 { return float64(row[j]) })
			ExpandCol(d, col)
			verify("ExpandCol", func(i, j int) float64 { return float64(col[i]) })
			Transpose(d, a, n, m)
			for i := range n {
				for j := range m {
					if d[j*n+i] != a[i*m+j] {
						t.Fatalf("Transpose %s at %d,%d", name, i, j)
					}
				}
			}
			for _, ok := range []func(string){okA, okD, okR, okC} {
				ok(name)
			}
		}
	}
}

func TestBroadcast(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		testBroadcast[float32](t, rand.New(rand.NewPCG(7, 8)))
		testBroadcast[float64](t, rand.New(rand.NewPCG(9, 10)))
	})
}

func testReduce[T Float](t *testing.T, rng *rand.Rand) {
	eps := epsilon[T]()
	for n := range 14 {
		for _, m := range []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 129, 200} {
			x, okX := guarded[T](t, n*m, rng.IntN(9))
			y, okY := guarded[T](t, n*m, rng.IntN(9))
			work, okW := guarded[T](t, n*m, rng.IntN(9))
			row, okR := guarded[T](t, m, rng.IntN(9))
			col, okC := guarded[T](t, n, rng.IntN(9))
			fillRand(x, rng)
			fillRand(y, rng)
			name := fmt.Sprintf("n=%d m=%d", n, m)
			near := func(what string, got T, terms func(add func(v float64))) {
				t.Helper()
				s, abs, k := 0.0, 0.0, 1
				terms(func(v float64) { s += v; abs += math.Abs(v); k++ })
				if !(math.Abs(float64(got)-s) <= float64(k)*eps*abs) {
					t.Fatalf("%s %s = %v, want %v", what, name, got, s)
				}
			}
			near("Sum", Sum(x), func(add func(float64)) {
				for _, v := range x {
					add(float64(v))
				}
			})
			near("Dot", Dot(x, y), func(add func(float64)) {
				for i, v := range x {
					add(float64(v) * float64(y[i]))
				}
			})
			for _, acc := range []bool{false, true} {
				Fill(col, 2)
				RowSum(col, x, m, acc)
				for i := range n {
					near("RowSum", col[i], func(add func(float64)) {
						if acc {
							add(2)
						}
						for j := range m {
							add(float64(x[i*m+j]))
						}
					})
				}
				Fill(col, 2)
				RowDot(col, x, y, m, acc)
				for i := range n {
					near("RowDot", col[i], func(add func(float64)) {
						if acc {
							add(2)
						}
						for j := range m {
							add(float64(x[i*m+j]) * float64(y[i*m+j]))
						}
					})
				}
				Fill(row, 2)
				ColSum(row, x, acc)
				for j := range m {
					near("ColSum", row[j], func(add func(float64)) {
						if acc {
							add(2)
						}
						for i := range n {
							add(float64(x[i*m+j]))
						}
					})
				}
			}
			RowLogSumExp(col, x, m, work)
			RowSoftmax(y, x, m, work)
			for i := range n {
				s := 0.0
				for j := range m {
					s += math.Exp(float64(x[i*m+j]))
				}
				if w := math.Log(s); !(math.Abs(float64(col[i])-w) <= float64(m+20)*eps*(1+math.Abs(w))) {
					t.Fatalf("RowLogSumExp %s = %v, want %v", name, col[i], w)
				}
				for j := range m {
					if w := math.Exp(float64(x[i*m+j])) / s; !(math.Abs(float64(y[i*m+j])-w) <= float64(m+30)*eps*w) {
						t.Fatalf("RowSoftmax %s = %v, want %v", name, y[i*m+j], w)
					}
				}
			}
			for _, ok := range []func(string){okX, okY, okW, okR, okC} {
				ok(name)
			}
		}
	}
}

func TestReduce(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		testReduce[float32](t, rand.New(rand.NewPCG(7, 8)))
		testReduce[float64](t, rand.New(rand.NewPCG(9, 10)))
	})
}

// TestMax compares with the built-in max, bit for bit, except that any zero is +0.
func TestMax(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		testMax[float32](t)
		testMax[float64](t)
	})
}

func testMax[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	special := []T{T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()), 0, T(math.Copysign(0, -1)), 1e30}
	for n := range 300 {
		for kind := range 2 + len(special) {
			x := make([]T, n)
			fillRand(x, rng)
			switch {
			case kind == 0:
			case kind == 1:
				Fill(x, T(math.Copysign(0, -1)))
			case n > 0:
				x[rng.IntN(n)] = special[kind-2]
				x[rng.IntN(n)] = special[rng.IntN(len(special))]
			}
			want := T(math.Inf(-1))
			for _, v := range x {
				want = max(want, v)
			}
			got := Max(x)
			if got != want && !(got != got && want != want) || got == 0 && math.Signbit(float64(got)) {
				t.Errorf("%T, %d elements: Max(%v) = %v, want %v", got, n, x, got, want)
			}
		}
	}
}

func TestRowLogSumExpExtremes(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		x    []float64
		want float64
	}{
		{[]float64{-inf, -inf}, -inf}, {[]float64{inf, 0}, inf}, {[]float64{-inf, 3}, 3},
		{[]float64{1e300, 1e300}, 1e300}, {[]float64{-1000, -1000}, -1000 + math.Ln2}, {[]float64{math.NaN(), 1}, math.NaN()},
	} {
		var got [1]float64
		RowLogSumExp(got[:], c.x, 2, make([]float64, 2))
		if got[0] != c.want && !(got[0] != got[0] && c.want != c.want) {
			t.Errorf("RowLogSumExp(%v) = %v, want %v", c.x, got[0], c.want)
		}
	}
}

func TestConvert(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	onPaths(t, func(t *testing.T) {
		for n := range 70 {
			a, okA := guarded[float64](t, n, rng.IntN(9))
			b, okB := guarded[float32](t, n, rng.IntN(9))
			c, okC := guarded[float64](t, n, rng.IntN(9))
			fillRand(a, rng)
			ToFloat32(b, a)
			ToFloat64(c, b)
			for i := range a {
				if b[i] != float32(a[i]) || c[i] != float64(float32(a[i])) {
					t.Fatalf("element %d of %d: %v %v %v", i, n, a[i], b[i], c[i])
				}
			}
			okA("a")
			okB("b")
			okC("c")
		}
	})
}

// TestPathsAgree compares sums, products and element-wise results of the paths bit for bit: the fixed order of
// summation is the same everywhere. The portable path is left out where it does not promise that.
func TestPathsAgree(t *testing.T) {
	agree[float32](t)
	agree[float64](t)
}

func agree[T Float](t *testing.T) {
	defer use(Path())
	type result struct {
		path string
		all  []T // on every path
		asm  []T // on the assembly paths
	}
	var results []result
	for _, path := range available() {
		use(path)
		rng := rand.New(rand.NewPCG(3, 4))
		r := result{path: path}
		for n := range 300 {
			x, y := make([]T, n), make([]T, n)
			fillRand(x, rng)
			fillRand(y, rng)
			r.all = append(r.all, Sum(x), Dot(x, y))
			z := make([]T, n)
			MulMulAdd(z, x, y, y, x)
			r.all = append(r.all, z...)
			for f := Sigmoid; f < numFuncs; f++ {
				for k := range 4 {
					Unary(f, k, z, x)
					r.asm = append(r.asm, z...)
				}
			}
		}
		for _, s := range [][3]int{{5, 33, 70}, {37, 1, 65}, {64, 3, 33}, {1, 200, 300}, {3, 129, 12}, {70, 70, 300}} {
			m, n, k := s[0], s[1], s[2]
			for _, ta := range []bool{false, true} {
				a, b, c := make([]T, m*k), make([]T, k*n), make([]T, m*n)
				fillRand(a, rng)
				fillRand(b, rng)
				p := Product[T]{M: m, N: n, K: k, A: a, LdA: k, TransA: ta, B: b, LdB: n, C: c, LdC: n}
				if ta {
					p.LdA = m
				}
				p.Run(make([]T, Workspace[T](m, n, k)))
				r.asm = append(r.asm, c...)
			}
		}
		results = append(results, r)
	}
	same := func(what string, a, b []T, pa, pb string) {
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%T %s: %s and %s differ at %d: %v, %v", a[i], what, pa, pb, i, a[i], b[i])
			}
		}
	}
	for _, r := range results[1:] {
		same("sums", results[0].all, r.all, results[0].path, r.path)
		if r.path != "generic" {
			same("products and activations", results[0].asm, r.asm, results[0].path, r.path)
		}
	}
}

// TestBlocks: a product that is split over rows, or over k with accumulation, has the bits of the whole.
func TestBlocks(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		const m, n, k = 70, 35, 300
		for _, ta := range []bool{false, true} {
			a, b := make([]float32, m*k), make([]float32, k*n)
			fillRand(a, rng)
			fillRand(b, rng)
			whole, split := make([]float32, m*n), make([]float32, m*n)
			work := make([]float32, Workspace[float32](m, n, k))
			lda, row, col := k, k, 1
			if ta {
				lda, row, col = m, 1, m
			}
			p := Product[float32]{M: m, N: n, K: k, A: a, LdA: lda, TransA: ta, B: b, LdB: n, C: whole, LdC: n}
			p.Run(work)
			for i := 0; i < m; i += 13 {
				for q := 0; q < k; q += 47 {
					p := Product[float32]{M: min(13, m-i), N: n, K: min(47, k-q), A: a[i*row+q*col:], LdA: lda, TransA: ta,
						B: b[q*n:], LdB: n, C: split[i*n:], LdC: n, Acc: q > 0}
					p.Run(work)
				}
			}
			for i := range whole {
				if whole[i] != split[i] {
					t.Fatalf("transA %v: element %d: %v whole, %v in blocks", ta, i, whole[i], split[i])
				}
			}
		}
	})
}

// TestHigherOrders compares orders 4 to 6 with central differences of the order below.
func TestHigherOrders(t *testing.T) {
	for _, f := range []Func{Sigmoid, Tanh, Softplus, SiLU, GELU, Exp, Sin, Cos} {
		for k := 4; k <= 6; k++ {
			for _, x := range []float64{-2.3, -0.4, 0, 0.7, 3.1} {
				const h = 1e-4
				var y [2]float64
				Unary(f, k-1, y[:], []float64{x + h, x - h})
				var got [1]float64
				Unary(f, k, got[:], []float64{x})
				if want := (y[0] - y[1]) / (2 * h); math.Abs(got[0]-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%v order %d at %v = %v, want %v", f, k, x, got[0], want)
				}
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	onPaths(t, func(t *testing.T) {
		const n = 48
		a, b, c := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
		work := make([]float32, Workspace[float32](n, n, n))
		p := &Product[float32]{M: n, N: n, K: n, A: a, LdA: n, B: b, LdB: n, C: c, LdC: n}
		thin := &Product[float32]{M: n, N: 2, K: n, A: a, LdA: n, B: b, LdB: 2, C: c, LdC: 2, Bias: b}
		trans := &Product[float32]{M: n, N: 2, K: n, A: a, LdA: n, TransA: true, B: b, LdB: 2, C: c, LdC: 2, Acc: true}
		packed := &Product[float32]{M: n, N: n, K: n, A: a, LdA: n, Packed: new(Packed[float32]), C: c, LdC: n}
		packed.Packed.Pack(b, n, true, n, n)
		x := make([]float64, 100)
		rng := rand.New(rand.NewPCG(1, 2))
		if got := testing.AllocsPerRun(20, func() {
			p.Run(work)
			thin.Run(work)
			trans.Run(work)
			packed.Packed.Pack(b, n, true, n, n)
			packed.Run(nil)
			UnaryMulti(SiLU, a, b, nil, c, a)
			Unary(GELU, 2, a, b)
			Add(a, b, c)
			MulCol(a, b, c[:n])
			RowSum(c[:n], a, n, false)
			ColSum(c[:n], a, true)
			RowLogSumExp(c[:n], a, n, b)
			Normal(x, rng)
			Adam(x, x, x, x, nil, AdamParams{Beta1: 0.9, Beta2: 0.9, GradScale: 1, Decay: 1, Eps: 1})
			ToFloat32(a[:100], x)
		}); got != 0 {
			t.Errorf("%v allocations, want none", got)
		}
	})
}

func TestChoose(t *testing.T) {
	have := []string{"avx2", "generic"}
	for _, c := range []struct{ asked, want string }{{"", "avx2"}, {"avx2", "avx2"}, {"generic", "generic"}} {
		if got, err := choose(c.asked, have); got != c.want || err != nil {
			t.Errorf("choose(%q) = %q, %v, want %q", c.asked, got, err, c.want)
		}
	}
	if _, err := choose("avx512", have); err == nil ||
		err.Error() != "kernels: STHENO_CPU=avx512 is not available here; use one of avx2, generic, or unset it" {
		t.Errorf("choose(avx512): %v", err)
	}
}

// TestSoftFMA compares with math.FMA: random bits, results near ties, cancellation, zeros and the limits.
func TestSoftFMA(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	same := func(a, b, c float64) {
		t.Helper()
		got, want := softFMA(a, b, c), math.FMA(a, b, c)
		if math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
			t.Fatalf("softFMA(%x, %x, %x) = %x, want %x", a, b, c, got, want)
		}
	}
	near := func(e int) float64 { return math.Ldexp(1+rng.Float64(), e) * float64(1-2*rng.IntN(2)) }
	for range 200_000 {
		same(math.Float64frombits(rng.Uint64()), math.Float64frombits(rng.Uint64()), math.Float64frombits(rng.Uint64()))
		a, b := near(rng.IntN(40)-20), near(rng.IntN(40)-20)
		same(a, b, near(rng.IntN(240)-120))
		same(a, b, -a*b)                                              // what the product lost
		same(a, b, -a*b*(1+near(-rng.IntN(60))))                      // nearly
		same(1, 1+near(-rng.IntN(53)), near(-53-rng.IntN(60)))        // about ties
		same(near(-450), near(-450), near(-900)*float64(rng.IntN(2))) // the limits
		same(near(450), near(450), near(900))
	}
	zero, inf := math.Copysign(0, -1), math.Inf(1)
	for _, a := range []float64{0, zero, 1, -1, inf, -inf, math.NaN(), 5e-324, math.MaxFloat64} {
		for _, b := range []float64{0, zero, 1, -1, inf} {
			for _, c := range []float64{0, zero, 1, -1, inf, -inf} {
				same(a, b, c)
			}
		}
	}
}

func TestFMA32(t *testing.T) {
	for _, c := range [][4]float32{
		{1 + 0x1p-12, 1 + 0x1p-12, -1, 0x1p-11 + 0x1p-24},
		{1 + 0x1p-23, 1, 0x1p-24 - 0x1p-48, 1 + 0x1p-23}, // just below a tie
		{1, 1, 0x1p-24 + 0x1p-47, 1 + 0x1p-23},           // just above
		{3, float32(math.Inf(1)), 1, float32(math.Inf(1))},
	} {
		if got := fma32(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("fma32(%v, %v, %v) = %v, want %v", c[0], c[1], c[2], got, c[3])
		}
	}
}

// Comparisons, maxima and minima of all pairs of special numbers.
func TestCompare(t *testing.T) {
	defer use(Path())
	for _, path := range available() {
		use(path)
		testCompare[float32](t, path)
		testCompare[float64](t, path)
	}
}

func testCompare[T Float](t *testing.T, path string) {
	special := []float64{math.Inf(-1), -1, math.Copysign(0, -1), 0, 1, math.Inf(1), math.NaN()}
	var a, b []T
	for _, x := range special {
		for _, y := range special {
			a, b = append(a, T(x)), append(b, T(y))
		}
	}
	for _, c := range arithmetic[T]()[15:] {
		got := make([]T, len(a))
		c.run(got, [][]T{a, b}, 0)
		for i := range a {
			want := c.one([]T{a[i], b[i]}, 0)
			if got[i] != want && want == want || math.Signbit(float64(got[i])) != math.Signbit(float64(want)) &&
				want == want || (got[i] != got[i]) != (want != want) {
				t.Errorf("%s: %s %T of %v, %v: got %v, want %v", path, c.name, want, a[i], b[i], got[i], want)
			}
		}
	}
}
