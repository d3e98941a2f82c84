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

// Add stores a + b.
func Add[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "Add: lengths differ")
	if binaryAsm(opAdd, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// Sub stores a − b.
func Sub[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "Sub: lengths differ")
	if binaryAsm(opSub, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

// Mul stores a·b, element by element.
func Mul[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "Mul: lengths differ")
	if binaryAsm(opMul, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

// Div stores a/b, element by element.
func Div[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "Div: lengths differ")
	if binaryAsm(opDiv, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = a[i] / b[i]
	}
}

// Less stores 1 where a < b, else 0.
func Less[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "Less: lengths differ")
	if binaryAsm(opLess, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = truth[T](a[i] < b[i])
	}
}

// LessEqual stores 1 where a ≤ b, else 0.
func LessEqual[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "LessEqual: lengths differ")
	if binaryAsm(opLessEqual, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = truth[T](a[i] <= b[i])
	}
}

// Equal stores 1 where a = b, else 0.
func Equal[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "Equal: lengths differ")
	if binaryAsm(opEqual, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = truth[T](a[i] == b[i])
	}
}

// NotEqual stores 1 where a ≠ b, else 0.
func NotEqual[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "NotEqual: lengths differ")
	if binaryAsm(opNotEqual, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = truth[T](a[i] != b[i])
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
	check(len(a) == len(dst) && len(b) == len(dst), "Larger: lengths differ")
	if binaryAsm(opLarger, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = max(a[i], b[i])
	}
}

// Smaller stores the smaller of a and b: NaN where either is, −0 rather than 0.
func Smaller[T Float](dst, a, b []T) {
	check(len(a) == len(dst) && len(b) == len(dst), "Smaller: lengths differ")
	if binaryAsm(opSmaller, dst, a, b) {
		return
	}
	for i := range dst {
		dst[i] = min(a[i], b[i])
	}
}

// Scale stores c·a.
func Scale[T Float](dst []T, c T, a []T) {
	check(len(a) == len(dst), "Scale: lengths differ")
	if scalarAsm(opMul, dst, a, c) {
		return
	}
	for i := range dst {
		dst[i] = c * a[i]
	}
}

// Shift stores a + c.
func Shift[T Float](dst, a []T, c T) {
	check(len(a) == len(dst), "Shift: lengths differ")
	if scalarAsm(opAdd, dst, a, c) {
		return
	}
	for i := range dst {
		dst[i] = a[i] + c
	}
}

// SubFrom stores c − a.
func SubFrom[T Float](dst []T, c T, a []T) {
	check(len(a) == len(dst), "SubFrom: lengths differ")
	if scalarAsm(opRSub, dst, a, c) {
		return
	}
	for i := range dst {
		dst[i] = c - a[i]
	}
}

// DivInto stores c/a.
func DivInto[T Float](dst []T, c T, a []T) {
	check(len(a) == len(dst), "DivInto: lengths differ")
	if scalarAsm(opRDiv, dst, a, c) {
		return
	}
	for i := range dst {
		dst[i] = c / a[i]
	}
}

// MulAdd stores a·b + c.
func MulAdd[T Float](dst, a, b, c []T) {
	check(len(a) == len(dst) && len(b) == len(dst) && len(c) == len(dst), "MulAdd: lengths differ")
	if ternaryAsm(opMulAdd, dst, a, b, c) {
		return
	}
	for i := range dst {
		dst[i] = fma(a[i], b[i], c[i])
	}
}

// MulSub stores a·b − c.
func MulSub[T Float](dst, a, b, c []T) {
	check(len(a) == len(dst) && len(b) == len(dst) && len(c) == len(dst), "MulSub: lengths differ")
	if ternaryAsm(opMulSub, dst, a, b, c) {
		return
	}
	for i := range dst {
		dst[i] = fma(a[i], b[i], -c[i])
	}
}

// NegMulAdd stores c − a·b.
func NegMulAdd[T Float](dst, a, b, c []T) {
	check(len(a) == len(dst) && len(b) == len(dst) && len(c) == len(dst), "NegMulAdd: lengths differ")
	if ternaryAsm(opNegMulAdd, dst, a, b, c) {
		return
	}
	for i := range dst {
		dst[i] = fma(-a[i], b[i], c[i])
	}
}

// MulMul stores a·b·c.
func MulMul[T Float](dst, a, b, c []T) {
	check(len(a) == len(dst) && len(b) == len(dst) && len(c) == len(dst), "MulMul: lengths differ")
	if ternaryAsm(opMulMul, dst, a, b, c) {
		return
	}
	for i := range dst {
		dst[i] = a[i] * b[i] * c[i]
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

// AddRow stores a[i,j] + v[j] for the contiguous matrix a with rows of len(v).
func AddRow[T Float](dst, a, v []T) { eachRow(opAdd, dst, a, v) }

// SubRow stores a[i,j] − v[j].
func SubRow[T Float](dst, a, v []T) { eachRow(opSub, dst, a, v) }

// MulRow stores a[i,j]·v[j].
func MulRow[T Float](dst, a, v []T) { eachRow(opMul, dst, a, v) }

// DivRow stores a[i,j]/v[j].
func DivRow[T Float](dst, a, v []T) { eachRow(opDiv, dst, a, v) }

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

// Outer stores u[i]·v[j].
func Outer[T Float](dst, u, v []T) {
	m := len(v)
	check(len(dst) == len(u)*m, "Outer: lengths differ")
	for i, c := range u {
		Scale(dst[i*m:(i+1)*m], c, v)
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

// eachRow applies dst[i,j] = a[i,j] o v[j].
func eachRow[T Float](o op, dst, a, v []T) {
	m := len(v)
	check(len(dst) == len(a), "row broadcast: lengths differ")
	n := rows(dst, m)
	if m >= 8 {
		for i := range n {
			apply(o, dst[i*m:(i+1)*m], a[i*m:(i+1)*m], v)
		}
		return
	}
	for i := range n {
		d, s := dst[i*m:][:m], a[i*m:][:m]
		for j, c := range v {
			d[j] = scalarOp(o, s[j], c)
		}
	}
}

// eachCol applies dst[i,j] = a[i,j] o v[i].
func eachCol[T Float](o op, dst, a, v []T) {
	check(len(dst) == len(a), "column broadcast: lengths differ")
	if len(v) == 0 {
		return
	}
	check(len(dst)%len(v) == 0, "column broadcast: the length is not a multiple of the number of rows")
	m := len(dst) / len(v)
	if m == 1 {
		apply(o, dst, a, v)
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

func apply[T Float](o op, dst, a, b []T) {
	switch o {
	case opAdd:
		Add(dst, a, b)
	case opSub:
		Sub(dst, a, b)
	case opMul:
		Mul(dst, a, b)
	case opDiv:
		Div(dst, a, b)
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
