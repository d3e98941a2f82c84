package kernels

import "time"

// PeakFLOPS is the highest rate of fused multiply-adds seen in short runs, in floating-point operations per second; 0
// on the portable path.
func PeakFLOPS[T Float]() float64 {
	run, lanes := peakLoop[T]()
	if run == nil {
		return 0
	}
	best := 0.0
	const iters = 100000
	for range 10 {
		t := time.Now()
		run(iters)
		best = max(best, 2*48*float64(lanes)*iters/time.Since(t).Seconds())
	}
	return best
}
