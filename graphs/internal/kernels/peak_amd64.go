//go:build amd64 && !purego

package kernels

// peakLoop returns a loop of fused multiply-adds and the lanes of its vectors.
func peakLoop[T Float]() (func(iters int), int) {
	l := 64 / sizeof[T]()
	switch {
	case Path() == "avx512" && isFloat32[T]():
		return peakF32AVX512, l
	case Path() == "avx512":
		return peakF64AVX512, l
	case Path() == "avx2" && isFloat32[T]():
		return peakF32AVX2, l / 2
	case Path() == "avx2":
		return peakF64AVX2, l / 2
	}
	return nil, 0
}
