package kernels

// ToFloat32 rounds src to dst.
func ToFloat32(dst []float32, src []float64) {
	check(len(dst) == len(src), "ToFloat32: lengths differ")
	if narrowAsm(dst, src) {
		return
	}
	for i, v := range src {
		dst[i] = float32(v)
	}
}

// ToFloat64 widens src to dst.
func ToFloat64(dst []float64, src []float32) {
	check(len(dst) == len(src), "ToFloat64: lengths differ")
	if widenAsm(dst, src) {
		return
	}
	for i, v := range src {
		dst[i] = float64(v)
	}
}

// Transpose stores the transpose of the contiguous n×m matrix x in the m×n matrix dst, which must not overlap x.
func Transpose[T Float](dst, x []T, n, m int) {
	check(len(x) == n*m && len(dst) == n*m, "Transpose: lengths differ")
	i1, j1 := transposeAsm(dst, x, n, m)
	transposeRest(dst, x, n, m, i1, n, 0, m)
	transposeRest(dst, x, n, m, 0, i1, j1, m)
}

// transposeRest transposes the rows i0 … and columns j0 … of x.
func transposeRest[T Float](dst, x []T, n, m, i0, i1, j0, j1 int) {
	const b = 16
	first := j0
	for ; i0 < i1; i0 += b {
		for j0 = first; j0 < j1; j0 += b {
			for i := i0; i < min(i0+b, i1); i++ {
				for j := j0; j < min(j0+b, j1); j++ {
					dst[j*n+i] = x[i*m+j]
				}
			}
		}
	}
}
