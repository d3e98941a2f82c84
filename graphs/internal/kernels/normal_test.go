package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestNormalPaths: the numbers are the same on every path, and a short vector is the beginning of a long one.
func TestNormalPaths(t *testing.T) {
	fill := func(n int) []float64 {
		x, ok := guarded[float64](t, n, n%5)
		Normal(x, rand.New(rand.NewPCG(1, 2)))
		ok("Normal")
		return x
	}
	defer use(Path())
	use("generic")
	want := fill(100_000)
	onPaths(t, func(t *testing.T) {
		for n := range 40 {
			for i, v := range fill(n) {
				if v != want[i] {
					t.Fatalf("element %d of %d: %v, want %v", i, n, v, want[i])
				}
			}
		}
		for i, v := range fill(len(want)) {
			if v != want[i] {
				t.Fatalf("element %d: %v, want %v", i, v, want[i])
			}
		}
	})
}

// TestBoxMuller compares the transform with math at the ends of the uniforms and inside.
func TestBoxMuller(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 10000 {
		u1, u2 := rng.Uint64(), rng.Uint64()
		switch i {
		case 0:
			u1, u2 = 0, 0
		case 1:
			u1, u2 = math.MaxUint64, math.MaxUint64
		}
		a := 1 - float64(u1>>12)/(1<<52)
		r, phi := math.Sqrt(-2*math.Log(a)), 2*math.Pi*(float64(u2>>12)/(1<<52))
		c, s := boxMuller(u1, u2)
		if e := math.Abs(c - r*math.Cos(phi)); !(e <= 1e-10) {
			t.Fatalf("cosine branch of %x, %x: %v, want %v", u1, u2, c, r*math.Cos(phi))
		}
		if e := math.Abs(s - r*math.Sin(phi)); !(e <= 1e-10) {
			t.Fatalf("sine branch of %x, %x: %v, want %v", u1, u2, s, r*math.Sin(phi))
		}
	}
}

// TestAdamPaths: the step has the same bits on every path, and stays inside its vectors.
func TestAdamPaths(t *testing.T) {
	p := AdamParams{Beta1: 0.9, Beta2: 0.999, Step: 1.3e-3, Bias2: 1.7, Eps: 1e-8, Decay: 0.999, GradScale: 0.7,
		EMADecay: 0.95}
	step := func(n int, average bool) [5][]float64 {
		rng := rand.New(rand.NewPCG(3, 4))
		var s [5][]float64
		var ok [5]func(string)
		for i := range s {
			s[i], ok[i] = guarded[float64](t, n, i)
			fillRand(s[i], rng)
		}
		for i := range s[2] {
			s[2][i] *= s[2][i]
		}
		avg := s[4]
		if !average {
			avg = nil
		}
		Adam(s[0], s[1], s[2], s[3], avg, p)
		for _, f := range ok {
			f("Adam")
		}
		return s
	}
	defer use(Path())
	for n := range 30 {
		for _, average := range []bool{false, true} {
			use("generic")
			want := step(n, average)
			for _, path := range available() {
				use(path)
				got := step(n, average)
				for j := range got {
					for i := range got[j] {
						if got[j][i] != want[j][i] {
							t.Fatalf("%s: vector %d, element %d of %d: %v, want %v", path, j, i, n, got[j][i], want[j][i])
						}
					}
				}
			}
		}
	}
}
