package kernels

// genericPanel is the panel width of the portable product.
const genericPanel = 4

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

// runGeneric is Run in portable Go: 4×4 blocks of C in registers over panels of B.
func (p *Product[T]) runGeneric(work []T) {
	const nr = genericPanel
	for k0 := 0; k0 < p.K || k0 == 0; k0 += kBlock {
		kc := min(kBlock, p.K-k0)
		last := k0+kc >= p.K
		for j := 0; j < p.N; j += nr {
			nc := min(nr, p.N-j)
			var panel []T
			if p.Packed != nil && p.K > 0 {
				panel = p.Packed.data[j*p.K+k0*nr:][:kc*nr]
			} else {
				panel = work[:kc*nr]
				if kc > 0 {
					packPanel(panel, p.B, p.LdB, p.TransB, k0, kc, j, nc, nr)
				}
			}
			for i := 0; i < p.M; i += 4 {
				p.block(panel, i, min(4, p.M-i), j, nc, k0, kc, last)
			}
		}
	}
}

// block computes C[i:i+mc, j:j+nc] over kc steps from k0.
func (p *Product[T]) block(panel []T, i, mc, j, nc, k0, kc int, last bool) {
	var c [4][4]T
	for r := range mc {
		switch {
		case p.Acc || k0 > 0:
			copy(c[r][:nc], p.C[(i+r)*p.LdC+j:])
		case p.Bias != nil:
			copy(c[r][:nc], p.Bias[j:])
		}
	}
	rsa, csa := p.LdA, 1
	if p.TransA {
		rsa, csa = 1, p.LdA
	}
	if mc == 4 {
		o0 := i*rsa + k0*csa
		o1, o2, o3 := o0+rsa, o0+2*rsa, o0+3*rsa
		a := p.A
		r0, r1, r2, r3 := c[0], c[1], c[2], c[3]
		for len(panel) >= 4 {
			b0, b1, b2, b3 := panel[0], panel[1], panel[2], panel[3]
			panel = panel[4:]
			a0, a1, a2, a3 := a[o0], a[o1], a[o2], a[o3]
			o0, o1, o2, o3 = o0+csa, o1+csa, o2+csa, o3+csa
			r0[0] += a0 * b0
			r0[1] += a0 * b1
			r0[2] += a0 * b2
			r0[3] += a0 * b3
			r1[0] += a1 * b0
			r1[1] += a1 * b1
			r1[2] += a1 * b2
			r1[3] += a1 * b3
			r2[0] += a2 * b0
			r2[1] += a2 * b1
			r2[2] += a2 * b2
			r2[3] += a2 * b3
			r3[0] += a3 * b0
			r3[1] += a3 * b1
			r3[2] += a3 * b2
			r3[3] += a3 * b3
		}
		c[0], c[1], c[2], c[3] = r0, r1, r2, r3
	} else {
		for r := range mc {
			o := (i+r)*rsa + k0*csa
			s := c[r]
			for q := 0; q < kc; q++ {
				v := p.A[o]
				o += csa
				for x := range s {
					s[x] += v * panel[4*q+x]
				}
			}
			c[r] = s
		}
	}
	for r := range mc {
		dst := p.C[(i+r)*p.LdC+j:][:nc]
		if p.Mul != nil && last {
			f := p.Mul[(i+r)*p.LdMul+j:][:nc]
			for x := range dst {
				dst[x] = c[r][x] * f[x]
			}
			continue
		}
		copy(dst, c[r][:nc])
	}
}
