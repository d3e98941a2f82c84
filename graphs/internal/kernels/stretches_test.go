package kernels

import "testing"

func TestStretches(t *testing.T) {
	x := make([]float64, 40)
	for i := range x {
		x[i] = float64(i)
	}
	at := []int{1, 4, 5, 15}
	for n := range 20 {
		dst := make([]float64, 3*23+n)
		Stretches(dst, x, at, n, 23)
		for j, o := range at {
			for k := range n {
				if got := dst[23*j+k]; got != x[o+k] {
					t.Errorf("stretch %d of %d elements: got %v at %d, want %v", j, n, got, k, x[o+k])
				}
			}
		}
	}
	for what, f := range map[string]func(){
		"source":      func() { Stretches(make([]float64, 30), x, []int{2, 38}, 3, 3) },
		"destination": func() { Stretches(make([]float64, 5), x, []int{2, 3}, 3, 3) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic beyond the %s", what)
				}
			}()
			f()
		}()
	}
}
