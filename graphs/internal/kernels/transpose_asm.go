//go:build (amd64 || arm64) && !purego

package kernels

// transposeAsm transposes the first j columns of the first i rows of x, in blocks that fit in registers.
func transposeAsm[T Float](dst, x []T, n, m int) (i, j int) {
	t := current[T]()
	if t == nil || n < t.lanes || m < t.lanes {
		return 0, 0
	}
	es, l := sizeof[T](), t.lanes
	blocks := m / l
	for ; i+l <= n; i += l {
		t.packTrans(blocks, &x[i*m], m*es, &dst[i], n*es)
	}
	return i, blocks * l
}
