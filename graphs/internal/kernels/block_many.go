//go:build !386 && !amd64 && !arm && !s390x && !wasm

package kernels

// The portable product keeps 4×4 sums in variables: with the operands they need 24 of 32 registers.
const genericRows, genericPanel = 4, 4

// block adds the products of pairs of steps to a block of C: x is 2×genericRows, y 2×genericPanel, step by step.
func block[T Float](a [][2 * genericRows]T, b [][2 * genericPanel]T, c *[genericRows * genericPanel]T) {
	c00, c01, c02, c03 := c[0], c[1], c[2], c[3]
	c10, c11, c12, c13 := c[4], c[5], c[6], c[7]
	c20, c21, c22, c23 := c[8], c[9], c[10], c[11]
	c30, c31, c32, c33 := c[12], c[13], c[14], c[15]
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
		v = x[2]
		c20 += v * y0
		c21 += v * y1
		c22 += v * y2
		c23 += v * y3
		v = x[3]
		c30 += v * y0
		c31 += v * y1
		c32 += v * y2
		c33 += v * y3
		y0, y1, y2, y3 = y[4], y[5], y[6], y[7]
		v = x[4]
		c00 += v * y0
		c01 += v * y1
		c02 += v * y2
		c03 += v * y3
		v = x[5]
		c10 += v * y0
		c11 += v * y1
		c12 += v * y2
		c13 += v * y3
		v = x[6]
		c20 += v * y0
		c21 += v * y1
		c22 += v * y2
		c23 += v * y3
		v = x[7]
		c30 += v * y0
		c31 += v * y1
		c32 += v * y2
		c33 += v * y3
	}
	c[0], c[1], c[2], c[3] = c00, c01, c02, c03
	c[4], c[5], c[6], c[7] = c10, c11, c12, c13
	c[8], c[9], c[10], c[11] = c20, c21, c22, c23
	c[12], c[13], c[14], c[15] = c30, c31, c32, c33
}

// interleave stores genericRows rows step by step.
func interleave[T Float](dst [][genericRows]T, rows *[genericRows][]T) {
	n := len(dst)
	r0, r1, r2, r3 := rows[0][:n], rows[1][:n], rows[2][:n], rows[3][:n]
	for q := range dst {
		dst[q] = [genericRows]T{r0[q], r1[q], r2[q], r3[q]}
	}
}
