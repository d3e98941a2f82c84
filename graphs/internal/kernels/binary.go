package kernels

// Fill sets every element of dst to v.
func Fill[T Float](dst []T, v T) {
	if len(dst) >= 8 && fillAsm(dst, v) {
		return
	}
	for i := range dst {
		dst[i] = v
	}
}

// binary runs the assembly of an operation on vectors, if there is some, and reports whether it did.
func binary[T Float](o op, dst, a, b []T) bool {
	check(len(a) == len(dst) && len(b) == len(dst), "lengths differ")
	return binaryAsm(o, dst, a, b)
}

// withScalar does so for a vector and a number.
func withScalar[T Float](o op, dst, a []T, c T) bool {
	check(len(a) == len(dst), "lengths differ")
	return scalarAsm(o, dst, a, c)
}

// ternary does so for three vectors.
func ternary[T Float](o op, dst, a, b, c []T) bool {
	check(len(a) == len(dst) && len(b) == len(dst) && len(c) == len(dst), "lengths differ")
	return ternaryAsm(o, dst, a, b, c)
}

// Add stores a + b.
func Add[T Float](dst, a, b []T) {
	if !binary(opAdd, dst, a, b) {
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	}
}

// Sub stores a − b.
func Sub[T Float](dst, a, b []T) {
	if !binary(opSub, dst, a, b) {
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
	}
}

// Mul stores a·b, element by element.
func Mul[T Float](dst, a, b []T) {
	if !binary(opMul, dst, a, b) {
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	}
}

// Div stores a/b, element by element.
func Div[T Float](dst, a, b []T) {
	if !binary(opDiv, dst, a, b) {
		for i := range dst {
			dst[i] = a[i] / b[i]
		}
	}
}

// Less stores 1 where a < b, else 0.
func Less[T Float](dst, a, b []T) {
	if !binary(opLess, dst, a, b) {
		for i := range dst {
			dst[i] = truth[T](a[i] < b[i])
		}
	}
}

// LessEqual stores 1 where a ≤ b, else 0.
func LessEqual[T Float](dst, a, b []T) {
	if !binary(opLessEqual, dst, a, b) {
		for i := range dst {
			dst[i] = truth[T](a[i] <= b[i])
		}
	}
}

// Equal stores 1 where a = b, else 0.
func Equal[T Float](dst, a, b []T) {
	if !binary(opEqual, dst, a, b) {
		for i := range dst {
			dst[i] = truth[T](a[i] == b[i])
		}
	}
}

// NotEqual stores 1 where a ≠ b, else 0.
func NotEqual[T Float](dst, a, b []T) {
	if !binary(opNotEqual, dst, a, b) {
		for i := range dst {
			dst[i] = truth[T](a[i] != b[i])
		}
	}
}

func truth[T Float](ok bool) T {
	if ok {
		return 1
	}
	return 0
}

// Larger stores the larger of a and b: NaN where either is, 0 rather than −0.
func Larger[T Float](dst, a, b []T) {
	if !binary(opLarger, dst, a, b) {
		for i := range dst {
			dst[i] = max(a[i], b[i])
		}
	}
}

// Smaller stores the smaller of a and b: NaN where either is, −0 rather than 0.
func Smaller[T Float](dst, a, b []T) {
	if !binary(opSmaller, dst, a, b) {
		for i := range dst {
			dst[i] = min(a[i], b[i])
		}
	}
}

// Scale stores c·a.
func Scale[T Float](dst []T, c T, a []T) {
	if !withScalar(opMul, dst, a, c) {
		for i := range dst {
			dst[i] = c * a[i]
		}
	}
}

// Shift stores a + c.
func Shift[T Float](dst, a []T, c T) {
	if !withScalar(opAdd, dst, a, c) {
		for i := range dst {
			dst[i] = a[i] + c
		}
	}
}

// SubFrom stores c − a.
func SubFrom[T Float](dst []T, c T, a []T) {
	if !withScalar(opRSub, dst, a, c) {
		for i := range dst {
			dst[i] = c - a[i]
		}
	}
}

// MulAdd stores a·b + c.
func MulAdd[T Float](dst, a, b, c []T) {
	if !ternary(opMulAdd, dst, a, b, c) {
		for i := range dst {
			dst[i] = fma(a[i], b[i], c[i])
		}
	}
}

// MulSub stores a·b − c.
func MulSub[T Float](dst, a, b, c []T) {
	if !ternary(opMulSub, dst, a, b, c) {
		for i := range dst {
			dst[i] = fma(a[i], b[i], -c[i])
		}
	}
}

// NegMulAdd stores c − a·b.
func NegMulAdd[T Float](dst, a, b, c []T) {
	if !ternary(opNegMulAdd, dst, a, b, c) {
		for i := range dst {
			dst[i] = fma(-a[i], b[i], c[i])
		}
	}
}

// MulMul stores a·b·c.
func MulMul[T Float](dst, a, b, c []T) {
	if !ternary(opMulMul, dst, a, b, c) {
		for i := range dst {
			dst[i] = a[i] * b[i] * c[i]
		}
	}
}

// MulMulAdd stores a·b + c·d (the second product is rounded before the sum).
func MulMulAdd[T Float](dst, a, b, c, d []T) {
	check(len(a) == len(dst) && len(b) == len(dst) && len(c) == len(dst) && len(d) == len(dst),
		"MulMulAdd: lengths differ")
	if quaternaryAsm(dst, a, b, c, d) {
		return
	}
	for i := range dst {
		dst[i] = fma(a[i], b[i], c[i]*d[i])
	}
}

// Axpy stores dst + alpha·x in dst.
func Axpy[T Float](dst []T, alpha T, x []T) { ScaleAdd(dst, alpha, x, dst) }

// ScaleAdd stores alpha·x + y.
func ScaleAdd[T Float](dst []T, alpha T, x, y []T) {
	check(len(x) == len(dst) && len(y) == len(dst), "ScaleAdd: lengths differ")
	if scaleAddAsm(dst, alpha, x, y) {
		return
	}
	for i := range dst {
		dst[i] = fma(alpha, x[i], y[i])
	}
}

// rows checks that x is a contiguous matrix with rows of m and returns their number.
func rows[T Float](x []T, m int) int {
	check(m > 0 && len(x)%m == 0, "the length is not a multiple of the row length")
	return len(x) / m
}

// ExpandRow stores v[j].
func ExpandRow[T Float](dst, v []T) {
	n, m := rows(dst, len(v)), len(v)
	if m == 1 {
		Fill(dst, v[0])
		return
	}
	for i := range n {
		copy(dst[i*m:(i+1)*m], v)
	}
}

// AddCol stores a[i,j] + v[i] for the contiguous matrix a with len(v) rows.
func AddCol[T Float](dst, a, v []T) { eachCol(opAdd, dst, a, v) }

// SubCol stores a[i,j] − v[i].
func SubCol[T Float](dst, a, v []T) { eachCol(opSub, dst, a, v) }

// MulCol stores a[i,j]·v[i].
func MulCol[T Float](dst, a, v []T) { eachCol(opMul, dst, a, v) }

// DivCol stores a[i,j]/v[i].
func DivCol[T Float](dst, a, v []T) { eachCol(opDiv, dst, a, v) }

// ExpandCol stores v[i].
func ExpandCol[T Float](dst, v []T) {
	if len(v) == 0 {
		return
	}
	m := len(dst) / len(v)
	check(len(dst) == m*len(v), "ExpandCol: the length is not a multiple of the number of rows")
	for i, c := range v {
		Fill(dst[i*m:(i+1)*m], c)
	}
}

// op is an element-wise operation of several operands.
type op uint8

const (
	opAdd op = iota
	opSub
	opMul
	opDiv
	opLess
	opLessEqual
	opEqual
	opNotEqual
	opLarger
	opSmaller
	opRSub // b − a
	opRDiv // b/a
	opMulAdd
	opMulSub
	opNegMulAdd
	opMulMul
	numOps
)

// eachCol applies dst[i,j] = a[i,j] o v[i].
func eachCol[T Float](o op, dst, a, v []T) {
	check(len(dst) == len(a), "column broadcast: lengths differ")
	if len(v) == 0 {
		return
	}
	check(len(dst)%len(v) == 0, "column broadcast: the length is not a multiple of the number of rows")
	m := len(dst) / len(v)
	if m == 1 && binaryAsm(o, dst, a, v) {
		return
	}
	for i, c := range v {
		d, s := dst[i*m:][:m], a[i*m:][:m]
		if m >= 8 && scalarAsm(o, d, s, c) {
			continue
		}
		for j, x := range s {
			d[j] = scalarOp(o, x, c)
		}
	}
}

func scalarOp[T Float](o op, a, b T) T {
	switch o {
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	}
	return a / b
}
