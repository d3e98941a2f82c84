package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// FuzzProduct compares products of any shape, leading dimension, offset and epilogue with plain sums on every path,
// with guards around all operands and the workspace.
func FuzzProduct(f *testing.F) {
	f.Add(uint64(1), uint16(31), uint16(1), uint16(257), uint8(1))
	f.Add(uint64(2), uint16(256), uint16(128), uint16(2), uint8(0b101010))
	f.Add(uint64(3), uint16(5), uint16(33), uint16(0), uint8(0b010100))
	f.Add(uint64(4), uint16(3), uint16(97), uint16(300), uint8(0b000011))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, flags uint8) {
		m, n, k = m%300+1, n%300+1, k%600
		bit := func(i int) bool { return flags>>i&1 != 0 }
		onPaths(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			check := checkProduct[float32]
			if bit(6) {
				check = checkProduct[float64]
			}
			check(t, int(m), int(n), int(k), bit(0), bit(1), bit(2), bit(3) && !bit(2), bit(4), bit(5) && k > 0, rng)
		})
	})
}

// FuzzUnary compares functions and their derivatives, at any number, with the scalar form of the portable path:
// alone, with the other orders, in place, at any position of a vector. The result for an element does not depend on
// its neighbours.
func FuzzUnary(f *testing.F) {
	for fn := range numFuncs {
		f.Add(uint64(fn), uint8(fn), uint8(19), 1.5, -88.5)
		f.Add(uint64(fn), uint8(fn), uint8(70), math.Inf(1), math.NaN())
	}
	f.Fuzz(func(t *testing.T, seed uint64, fn, n uint8, u, v float64) {
		onPaths(t, func(t *testing.T) {
			fuzzUnary[float32](t, seed, Func(fn)%numFuncs, int(n), u, v)
			fuzzUnary[float64](t, seed, Func(fn)%numFuncs, int(n), u, v)
		})
	})
}

func fuzzUnary[T Float](t *testing.T, seed uint64, f Func, n int, u, v float64) {
	if n == 0 {
		return
	}
	rng := rand.New(rand.NewPCG(seed, uint64(f)))
	x, xOK := guarded[T](t, n, rng.IntN(9))
	for i := range x {
		x[i] = T(3 * rng.NormFloat64())
	}
	x[rng.IntN(n)], x[rng.IntN(n)] = T(u), T(v)
	var multi [4][]T
	for k := range multi {
		if rng.IntN(3) > 0 {
			multi[k] = make([]T, n)
		}
	}
	smooth := f == SiLU || f == Tanh || f == Softplus || f == GELU || f == Sigmoid
	if smooth {
		UnaryMulti(f, multi[0], multi[1], multi[2], multi[3], x)
	}
	for k := range 4 {
		dst, ok := guarded[T](t, n, rng.IntN(9))
		Unary(f, k, dst, x)
		ok(f.String())
		xOK(f.String())
		alone, place := make([]T, 1), append([]T(nil), x...)
		Unary(f, k, place, place)
		for i, z := range x {
			Unary(f, k, alone, x[i:i+1])
			if same := func(a, b T) bool { return a == b || a != a && b != b }; !same(dst[i], alone[0]) ||
				!same(dst[i], place[i]) {
				t.Fatalf("%v order %d at %v = %v among others, %v alone, %v in place", f, k, z, dst[i], alone[0], place[i])
			}
			want := scalar(f, k, float64(z))
			if d := math.Abs(float64(dst[i]) - want); d > 16*epsilon[T]()*(1+math.Abs(want)) &&
				!math.IsInf(float64(T(want)), 0) && want == want {
				t.Fatalf("%v order %d at %v = %v, want %v", f, k, z, dst[i], want)
			}
			if smooth && multi[k] != nil &&
				!(math.Abs(float64(multi[k][i]-dst[i])) <= 8*epsilon[T]()*(1+math.Abs(want))) && want == want &&
				!math.IsInf(want, 0) {
				t.Fatalf("%v order %d at %v = %v with the others, %v alone", f, k, z, multi[k][i], dst[i])
			}
		}
	}
}

// FuzzBinary compares operations on several operands, at any numbers and any position of a vector, separate and in
// place, with Go's arithmetic on every path: the same bits, including signed zeros and infinities.
func FuzzBinary(f *testing.F) {
	for k := range arithmetic[float64]() {
		f.Add(uint64(k), uint8(k), uint8(19), uint8(3), 1.5, -1e300, 3e-310)
		f.Add(uint64(k), uint8(k), uint8(70), uint8(9), math.Inf(1), math.NaN(), math.Copysign(0, -1))
	}
	f.Fuzz(func(t *testing.T, seed uint64, op, n, rows uint8, u, v, c float64) {
		defer use(Path())
		for _, p := range available() {
			use(p)
			fuzzBinary[float32](t, p, seed, int(op), int(n), int(rows)%12, u, v, c)
			fuzzBinary[float64](t, p, seed, int(op), int(n), int(rows)%12, u, v, c)
		}
	})
}

// arithmeticCase is an operation on vectors, or on a matrix and a vector, and its effect on an element.
type arithmeticCase[T Float] struct {
	name  string
	arity int
	run   func(d []T, in [][]T, c T)
	one   func(v []T, c T) T
	col   func(d, a, v []T) // of the same operation; may be nil
}

func arithmetic[T Float]() []arithmeticCase[T] {
	return []arithmeticCase[T]{
		{"Add", 2, func(d []T, in [][]T, c T) { Add(d, in[0], in[1]) }, func(v []T, c T) T { return v[0] + v[1] },
			AddCol[T]},
		{"Sub", 2, func(d []T, in [][]T, c T) { Sub(d, in[0], in[1]) }, func(v []T, c T) T { return v[0] - v[1] },
			SubCol[T]},
		{"Mul", 2, func(d []T, in [][]T, c T) { Mul(d, in[0], in[1]) }, func(v []T, c T) T { return v[0] * v[1] },
			MulCol[T]},
		{"Div", 2, func(d []T, in [][]T, c T) { Div(d, in[0], in[1]) }, func(v []T, c T) T { return v[0] / v[1] },
			DivCol[T]},
		{"Scale", 1, func(d []T, in [][]T, c T) { Scale(d, c, in[0]) }, func(v []T, c T) T { return c * v[0] }, nil},
		{"Shift", 1, func(d []T, in [][]T, c T) { Shift(d, in[0], c) }, func(v []T, c T) T { return v[0] + c }, nil},
		{"SubFrom", 1, func(d []T, in [][]T, c T) { SubFrom(d, c, in[0]) }, func(v []T, c T) T { return c - v[0] }, nil},
		{"MulAdd", 3, func(d []T, in [][]T, c T) { MulAdd(d, in[0], in[1], in[2]) },
			func(v []T, c T) T { return fma(v[0], v[1], v[2]) }, nil},
		{"MulSub", 3, func(d []T, in [][]T, c T) { MulSub(d, in[0], in[1], in[2]) },
			func(v []T, c T) T { return fma(v[0], v[1], -v[2]) }, nil},
		{"NegMulAdd", 3, func(d []T, in [][]T, c T) { NegMulAdd(d, in[0], in[1], in[2]) },
			func(v []T, c T) T { return fma(-v[0], v[1], v[2]) }, nil},
		{"MulMul", 3, func(d []T, in [][]T, c T) { MulMul(d, in[0], in[1], in[2]) },
			func(v []T, c T) T { return T(v[0]*v[1]) * v[2] }, nil},
		{"MulMulAdd", 4, func(d []T, in [][]T, c T) { MulMulAdd(d, in[0], in[1], in[2], in[3]) },
			func(v []T, c T) T { return fma(v[0], v[1], T(v[2]*v[3])) }, nil},
		{"ScaleAdd", 2, func(d []T, in [][]T, c T) { ScaleAdd(d, c, in[0], in[1]) },
			func(v []T, c T) T { return fma(c, v[0], v[1]) }, nil},
		{"Fill", 0, func(d []T, in [][]T, c T) { Fill(d, c) }, func(v []T, c T) T { return c }, nil},
		{"Less", 2, func(d []T, in [][]T, c T) { Less(d, in[0], in[1]) },
			func(v []T, c T) T { return truth[T](v[0] < v[1]) }, nil},
		{"LessEqual", 2, func(d []T, in [][]T, c T) { LessEqual(d, in[0], in[1]) },
			func(v []T, c T) T { return truth[T](v[0] <= v[1]) }, nil},
		{"Equal", 2, func(d []T, in [][]T, c T) { Equal(d, in[0], in[1]) },
			func(v []T, c T) T { return truth[T](v[0] == v[1]) }, nil},
		{"NotEqual", 2, func(d []T, in [][]T, c T) { NotEqual(d, in[0], in[1]) },
			func(v []T, c T) T { return truth[T](v[0] != v[1]) }, nil},
		{"Larger", 2, func(d []T, in [][]T, c T) { Larger(d, in[0], in[1]) },
			func(v []T, c T) T { return max(v[0], v[1]) }, nil},
		{"Smaller", 2, func(d []T, in [][]T, c T) { Smaller(d, in[0], in[1]) },
			func(v []T, c T) T { return min(v[0], v[1]) }, nil},
	}
}

func fuzzBinary[T Float](t *testing.T, path string, seed uint64, op, n, rows int, u, v, c float64) {
	cases := arithmetic[T]()
	k := cases[op%len(cases)]
	rng := rand.New(rand.NewPCG(seed, uint64(op)))
	vector := func(n int) ([]T, func(string)) {
		x, ok := guarded[T](t, n, rng.IntN(9))
		fillRand(x, rng)
		if n > 0 {
			x[rng.IntN(n)], x[rng.IntN(n)] = T(u), T(v)
		}
		return x, ok
	}
	var in [][]T
	var intact []func(string)
	add := func(x []T, ok func(string)) []T {
		intact = append(intact, ok)
		return x
	}
	for range k.arity {
		in = append(in, add(vector(n)))
	}
	dst := add(vector(n))
	equal := func(what string, i int, got, want T) {
		t.Helper()
		if !(got == want && math.Signbit(float64(got)) == math.Signbit(float64(want)) || got != got && want != want) {
			t.Fatalf("%s %s %T: element %d of %d = %v, want %v", path, what, got, i, n, got, want)
		}
	}
	k.run(dst, in, T(c))
	want, at := make([]T, n), make([]T, k.arity)
	for i := range want {
		for j := range at {
			at[j] = in[j][i]
		}
		want[i] = k.one(at, T(c))
		equal(k.name, i, dst[i], want[i])
	}
	if k.arity > 0 {
		alias := in[rng.IntN(k.arity)]
		k.run(alias, in, T(c))
		for i := range want {
			equal(k.name+" in place", i, alias[i], want[i])
		}
	}
	if k.col != nil && n > 0 {
		a, col, m := add(vector(rows*n)), add(vector(rows)), add(vector(rows*n))
		k.col(m, a, col)
		for i := range m {
			equal(k.name+"Col", i, m[i], k.one([]T{a[i], col[i/n]}, 0))
		}
	}
	for _, ok := range intact {
		ok(k.name)
	}
}
