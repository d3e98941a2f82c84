//go:build 386 || amd64 || arm || s390x || wasm

package kernels

// The portable product keeps 2×4 sums in variables: with operands and products they fit into sixteen registers.
const genericRows, genericPanel = 2, 4

// block adds the products of pairs of steps to a block of C: x is 2×genericRows, y 2×genericPanel, step by step.
func block[T Float](a [][2 * genericRows]T, b [][2 * genericPanel]T, c *[genericRows * genericPanel]T) {
	c00, c01, c02, c03 := c[0], c[1], c[2], c[3]
	c10, c11, c12, c13 := c[4], c[5], c[6], c[7]
	b = b[:len(a)]
	for q := range a {
		x, y := &a[q], &b[q]
		y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
		v := x[0]
		c00 += v * y0
		c01 += v * y1
		c02 += v * y2
		c03 += v * y3
		v = x[1]
		c10 += v * y0
		c11 += v * y1
		c12 += v * y2
		c13 += v * y3
		y0, y1, y2, y3 = y[4], y[5], y[6], y[7]
		v = x[2]
		c00 += v * y0
		c01 += v * y1
		c02 += v * y2
		c03 += v * y3
		v = x[3]
		c10 += v * y0
		c11 += v * y1
		c12 += v * y2
		c13 += v * y3
	}
	c[0], c[1], c[2], c[3] = c00, c01, c02, c03
	c[4], c[5], c[6], c[7] = c10, c11, c12, c13
}

// interleave stores genericRows rows step by step.
func interleave[T Float](dst [][genericRows]T, rows *[genericRows][]T) {
	n := len(dst)
	r0, r1 := rows[0][:n], rows[1][:n]
	for q := range dst {
		dst[q] = [genericRows]T{r0[q], r1[q]}
	}
}
