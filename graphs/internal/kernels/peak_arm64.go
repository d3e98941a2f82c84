//go:build arm64 && !purego

package kernels

// peakLoop returns a loop of fused multiply-adds and the lanes of its vectors.
func peakLoop[T Float]() (func(iters int), int) {
	switch {
	case Path() != "neon":
		return nil, 0
	case isFloat32[T]():
		return peakF32NEON, 4
	}
	return peakF64NEON, 2
}
