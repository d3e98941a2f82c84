package strided

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// short is the length below which a plain loop is faster than calling a kernel.
const short = 12

// Gather stores in dst, in order, the elements of x that v selects.
func Gather[T kernels.Float](v View, dst, x []T) {
	v.blocks(func(i, at, a, b, sa, sb int) {
		d, x := dst[i:i+a*b], x[at:]
		switch {
		case sb == 1 && sa == 0 && b >= short:
			kernels.ExpandRow(d, x[:b])
		case sb == 1 && b >= short:
			for j := range a {
				copy(d[j*b:j*b+b], x[j*sa:])
			}
		case sb == 0 && sa == 1 && b >= short:
			kernels.ExpandCol(d, x[:a])
		case sb == 0:
			for j := range a {
				r, e := d[j*b:j*b+b], x[j*sa]
				for k := range r {
					r[k] = e
				}
			}
		case sa == 1 && sb == a:
			kernels.Transpose(d, x[:a*b], b, a)
		default:
			for j := range a {
				r, k := d[j*b:j*b+b], j*sa
				for l := range r {
					r[l] = x[k]
					k += sb
				}
			}
		}
	})
}

// Put makes dst the array whose view v equals x, with fill elsewhere. v must select no element twice.
func Put[T kernels.Float](v View, dst, x []T, fill T) {
	if v.Len() < v.Size {
		kernels.Fill(dst, fill)
	}
	v.blocks(func(i, at, a, b, sa, sb int) {
		x, d := x[i:i+a*b], dst[at:]
		switch {
		case sb == 1 && b >= short:
			for j := range a {
				copy(d[j*sa:], x[j*b:j*b+b])
			}
		case sa == 1 && sb == a:
			kernels.Transpose(d[:a*b], x, a, b)
		default:
			for j := range a {
				k := j * sa
				for _, e := range x[j*b : j*b+b] {
					d[k] = e
					k += sb
				}
			}
		}
	})
}

// Sum is the adjoint of Gather: it sets dst to zero and adds x to its view v. An element selected several times
// becomes a sum, in the order in which the kernels sum.
func Sum[T kernels.Float](v View, dst, x []T) {
	clear(dst)
	v.blocks(func(i, at, a, b, sa, sb int) {
		x, d := x[i:i+a*b], dst[at:]
		switch {
		case sb == 1 && sa == 0 && b >= short:
			kernels.ColSum(d[:b], x, true)
		case sb == 1 && b >= short:
			for j := range a {
				r := d[j*sa : j*sa+b]
				kernels.Add(r, r, x[j*b:j*b+b])
			}
		case sb == 0 && sa == 1:
			kernels.RowSum(d[:a], x, b, true)
		case sb == 0:
			for j := range a {
				d[j*sa] += kernels.Sum(x[j*b : j*b+b])
			}
		default:
			for j := range a {
				k := j * sa
				for _, e := range x[j*b : j*b+b] {
					d[k] += e
					k += sb
				}
			}
		}
	})
}
