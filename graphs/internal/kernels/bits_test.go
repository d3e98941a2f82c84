package kernels

import (
	"bufio"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/bits.txt from the best assembly path")

const bitsFile = "testdata/bits.txt"

// TestBits compares the results of every routine on every assembly path with those in a file, bit for bit (of NaN only
// that it is one): AVX-512, AVX2 and NEON agree, whatever machine the test runs on.
func TestBits(t *testing.T) {
	defer use(Path())
	if *update {
		use(available()[0])
		var b strings.Builder
		for _, l := range bitLines() {
			b.WriteString(l + "\n")
		}
		if err := os.WriteFile(bitsFile, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(bitsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want []string
	for s := bufio.NewScanner(f); s.Scan(); {
		want = append(want, s.Text())
	}
	for _, path := range available() {
		if path == "generic" {
			continue
		}
		use(path)
		got := bitLines()
		if len(got) != len(want) {
			t.Fatalf("%s: %d results, want %d", path, len(got), len(want))
		}
		same := 0
		for i, l := range got {
			if l == want[i] {
				same++
				continue
			}
			t.Errorf("%s: got %s, want %s", path, l, want[i])
		}
		t.Logf("%s: %d of %d results have the bits of the file", path, same, len(want))
	}
}

func bitLines() []string { return append(typeBits[float32](100), typeBits[float64](740)...) }

// bitArguments are numbers of all magnitudes up to about most, and special values.
func bitArguments[T Float](n int, most float64) []T {
	rng := rand.New(rand.NewPCG(3, 4))
	x := make([]T, n)
	for i := range x {
		v := 0.0
		switch i % 4 {
		case 0:
			v = bell(rng) * 3
		case 1:
			v = bell(rng) * most / 3
		case 2:
			v = (2*rng.Float64() - 1) * most * 1.2
		default:
			v = math.Ldexp(bell(rng), rng.IntN(70)-60)
		}
		x[i] = T(v)
	}
	for i, v := range []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 88.72284, -87.33655,
		-103.97, -104, 1e-45, -1e-45,
		1e-310, 80, -80, 709.78, -745.2, 600, -600, -708.5, 1, 2, 0.5} {
		x[100+i] = T(v)
	}
	return x
}

// bell is a random number around 0. NormFloat64 would have other last bits where the compiler fuses.
func bell(rng *rand.Rand) float64 { return 2 * (rng.Float64() + rng.Float64() + rng.Float64() - 1.5) }

func fillBell[T Float](x []T, rng *rand.Rand) {
	for i := range x {
		x[i] = T(bell(rng))
	}
}

func typeBits[T Float](most float64) (lines []string) {
	const n = 1<<13 + 3
	name := fmt.Sprintf("%T", T(0))
	add := func(what string, xs ...[]T) {
		h := fnv.New64a()
		for _, x := range xs {
			for _, v := range x {
				b := math.Float64bits(float64(v))
				if v != v {
					b = 1
				}
				for s := 0; s < 64; s += 8 {
					h.Write([]byte{byte(b >> s)})
				}
			}
		}
		lines = append(lines, fmt.Sprintf("%s %s %016x", name, what, h.Sum64()))
	}
	x := bitArguments[T](n, most)
	y := make([]T, n)
	for f := range numFuncs {
		if f == Sin || f == Cos { // the largest arguments are left to Go
			z := bitArguments[T](n, 1000)[200:]
			for i, v := range z {
				z[i] = max(min(v, 8000), -8000)
			}
			Unary(f, 0, y[200:], z)
			add(f.String(), y[200:])
			continue
		}
		Unary(f, 0, y, x)
		add(f.String(), y)
	}
	for _, f := range []Func{Sigmoid, Softplus, Tanh, SiLU, GELU} {
		for k := 1; k <= 4; k++ {
			var d [4][]T
			for i := range k {
				d[i] = make([]T, n)
			}
			UnaryMulti(f, d[0], d[1], d[2], d[3], x)
			for i := range k {
				add(fmt.Sprintf("%v of %d orders: %d", f, k, i), d[i])
			}
		}
	}
	Unary(ReLU, 1, y, x)
	add("step", y)
	rng := rand.New(rand.NewPCG(5, 6))
	in := make([][]T, 4)
	for i := range in {
		in[i] = make([]T, n)
		fillBell(in[i], rng)
		copy(in[i][10*i:], x[90:130])
	}
	for _, c := range arithmetic[T]() {
		c.run(y, in[:c.arity], T(0.3))
		add(c.name, y)
	}
	fillBell(x, rng)
	add("sums", sumBits(x, in[0][200:]))
	for _, s := range [][3]int{{5, 33, 70}, {37, 1, 65}, {64, 3, 33}, {11, 2, 300}, {9, 4, 8}, {1, 200, 300},
		{3, 129, 12}, {2, 67, 31}, {70, 70, 300}, {29, 9, 257}, {6, 16, 1}, {8, 32, 0}} {
		add(fmt.Sprintf("product %d×%d over %d", s[0], s[1], s[2]), productBits[T](s[0], s[1], s[2], rng)...)
	}
	if !isFloat32[T]() {
		z := make([]float64, 1003)
		Normal(z, rand.New(rand.NewPCG(7, 8)))
		add("Normal", any(z).([]T))
		a := any(in).([][]float64)
		Adam(z, a[0][300:1303], a[1][1400:2403], a[2][2500:3503], a[3][3600:4603],
			AdamParams{Beta1: 0.9, Beta2: 0.99, Step: 0.1, Bias2: 1.2, Eps: 1e-8, Decay: 0.99, GradScale: 0.5, EMADecay: 0.9})
		add("Adam", any(z).([]T), in[0], in[1], in[3])
	}
	return lines
}

func sumBits[T Float](x, y []T) []T {
	var s []T
	for n := range 200 {
		s = append(s, Sum(x[:n]), Dot(x[:n], y[:n]), Max(x[:n]))
		c := make([]T, n)
		ColSum(c, x[:n*7], false)
		s = append(s, c...)
	}
	return s
}

// productBits runs a product in all its forms.
func productBits[T Float](m, n, k int, rng *rand.Rand) (out [][]T) {
	a, b, bias, mul := make([]T, m*k), make([]T, k*n), make([]T, n), make([]T, m*n)
	for _, v := range [][]T{a, b, bias, mul} {
		fillBell(v, rng)
	}
	for form := range 32 {
		bit := func(i int) bool { return form>>i&1 != 0 }
		p := Product[T]{M: m, N: n, K: k, A: a, LdA: k, TransA: bit(0), B: b, LdB: n, TransB: bit(1), C: make([]T, m*n),
			LdC: n}
		if p.TransA {
			p.LdA = m
		}
		if p.TransB {
			p.LdB = k
		}
		if bit(2) {
			p.Bias = bias
		} else {
			p.Acc = true
			copy(p.C, mul[m*n/2:])
		}
		if bit(3) {
			p.Mul, p.LdMul = mul, n
		}
		if bit(4) && k > 0 {
			p.Packed = new(Packed[T])
			p.Packed.Pack(b, p.LdB, p.TransB, k, n)
		}
		p.Run(make([]T, Workspace[T](m, n, k)))
		out = append(out, p.C)
	}
	return out
}
