package kernels

import "unsafe"

// packPanel stores rows k0..k0+kc and columns j0..j0+nc of op(B) as kc rows of nr, padded with zeros.
func packPanel[T Float](dst, b []T, ldb int, trans bool, k0, kc, j0, nc, nr int) {
	if packPanelAsm(dst, b, ldb, trans, k0, kc, j0, nc, nr) {
		return
	}
	if !trans {
		for p := range kc {
			d := dst[p*nr : (p+1)*nr]
			clear(d[copy(d, b[(k0+p)*ldb+j0:(k0+p)*ldb+j0+nc]):])
		}
		return
	}
	for j := range nr {
		if j >= nc {
			for p := range kc {
				dst[p*nr+j] = 0
			}
			continue
		}
		for p, v := range b[(j0+j)*ldb+k0:][:kc] {
			dst[p*nr+j] = v
		}
	}
}

// runGeneric is Run in portable Go: blocks of C in variables, over rows of A and panels of B that are packed without
// gaps.
func (p *Product[T]) runGeneric(work []T) {
	const mr, nr = genericRows, genericPanel
	var rows [kBlock][mr]T
	steps := kBlock
	if p.Packed == nil {
		steps = kUnpacked
	}
	for k0 := 0; k0 < p.K || k0 == 0; k0 += steps {
		kc := min(steps, p.K-k0)
		if p.Packed == nil && kc > 0 {
			for j := 0; j < p.N; j += nr {
				packPanel(work[j*kc:(j+nr)*kc], p.B, p.LdB, p.TransB, k0, kc, j, min(nr, p.N-j), nr)
			}
		}
		for i := 0; i < p.M; i += mr {
			a := rows[:kc]
			p.packRows(a, i, min(mr, p.M-i), k0)
			for j := 0; j < p.N; j += nr {
				var panel []T
				switch {
				case kc == 0:
				case p.Packed != nil:
					panel = p.Packed.data[j*p.Packed.K+(p.from+k0)*nr:][:kc*nr]
				default:
					panel = work[j*kc:][:kc*nr]
				}
				p.tileGeneric(a, panel, i, j, k0, k0+kc >= p.K)
			}
		}
	}
}

// packRows stores mc rows of op(A) from row i on, step by step from k0 on, padded with zeros.
func (p *Product[T]) packRows(dst [][genericRows]T, i, mc, k0 int) {
	kc := len(dst)
	if kc == 0 {
		return
	}
	if !p.TransA {
		var rows [genericRows][]T
		for r := range rows {
			rows[r] = p.A[(i+min(r, mc-1))*p.LdA+k0:][:kc] // rows beyond the end are computed but not stored
		}
		interleave(dst, &rows)
		return
	}
	o := k0*p.LdA + i
	for q := range dst {
		if o+genericRows <= len(p.A) {
			dst[q] = [genericRows]T(p.A[o:])
		} else {
			copy(dst[q][:], p.A[o:])
		}
		o += p.LdA
	}
}

// tileGeneric computes the block of C at row i and column j over the steps from k0 on.
func (p *Product[T]) tileGeneric(a [][genericRows]T, panel []T, i, j, k0 int, last bool) {
	const nr = genericPanel
	mc, nc := min(genericRows, p.M-i), min(nr, p.N-j)
	var c [genericRows * nr]T
	switch {
	case p.Acc || k0 > 0:
		for r := range mc {
			copyFew(c[r*nr:], p.C[(i+r)*p.LdC+j:], nc)
		}
	case p.Bias != nil:
		for r := range mc {
			copyFew(c[r*nr:], p.Bias[j:], nc)
		}
	}
	blockSteps(a, panel, &c)
	if p.Mul != nil && last {
		for r := range mc {
			row := c[r*nr:][:nc]
			for x, f := range p.Mul[(i+r)*p.LdMul+j:][:nc] {
				row[x] *= f
			}
		}
	}
	for r := range mc {
		copyFew(p.C[(i+r)*p.LdC+j:], c[r*nr:], nc)
	}
}

// copyFew copies n ≤ genericPanel elements; whole rows of a block without a call.
func copyFew[T Float](dst, src []T, n int) {
	if n == genericPanel {
		*(*[genericPanel]T)(dst) = [genericPanel]T(src)
		return
	}
	for x := range n {
		dst[x] = src[x]
	}
}

// blockSteps adds the steps of a to a block of C: pairs of them, then the last one if their number is odd.
func blockSteps[T Float](a [][genericRows]T, panel []T, c *[genericRows * genericPanel]T) {
	const mr, nr = genericRows, genericPanel
	k := len(a)
	if n := k / 2; n > 0 {
		block(unsafe.Slice((*[2 * mr]T)(unsafe.Pointer(&a[0])), n),
			unsafe.Slice((*[2 * nr]T)(unsafe.Pointer(&panel[0])), n), c)
	}
	if k%2 != 0 {
		for i, v := range a[k-1] {
			for j, w := range panel[(k-1)*nr:][:nr] {
				c[i*nr+j] += v * w
			}
		}
	}
}
