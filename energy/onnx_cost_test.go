package energy

import (
	"runtime"
	"testing"
	"time"
)

// A convolutional energy of 28×28 pictures becomes a model in less than a second and 200 MiB, for any number of rows.
func TestONNXCost(t *testing.T) {
	for name, cfg := range map[string]ConvConfig{
		"strided": {Height: 28, Width: 28, Widths: []int{32, 64}, Hidden: []int{128}},
		"pooled":  {Height: 28, Width: 28, Widths: []int{32, 64}, Pool: 2, Hidden: []int{128}},
	} {
		e := must(NewConv(cfg))
		p := Init(e, newRNG(1))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		b, err := MarshalONNX(e, p, ONNXConfig{})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%s: %v, %d MiB allocated, a model of %d kB", name, took, allocated, len(b)>>10)
		if took > time.Second || allocated > 200 {
			t.Errorf("%s: %v and %d MiB", name, took, allocated)
		}
	}
}
