//go:build (amd64 || arm64) && !purego

package kernels

import "unsafe"

// tile is the argument of the innermost loop: blocks of rows of one panel of C. Strides are in bytes. The assembly
// knows the offsets of the fields.
type tile struct {
	a        unsafe.Pointer
	rsa, csa int // distance between rows and between columns of op(A)
	b        unsafe.Pointer
	ldb      int
	c        unsafe.Pointer
	ldc      int
	k        int
	init     int // 0: zero, 1: bias, 2: old C
	bias     unsafe.Pointer
	mul      unsafe.Pointer // nil: no factor
	ldm      int
	cols     int // of this panel
	blocks   int
}

const (
	initZero = iota
	initBias
	initOld
)

// rowBlockBytes is the size of a block of A that stays in the second-level cache while the panels of B pass by.
const rowBlockBytes = 128 << 10

// start is what the sums start from.
func (p *Product[T]) start() int {
	switch {
	case p.Acc:
		return initOld
	case p.Bias != nil:
		return initBias
	}
	return initZero
}

// place lets the tile point to row i and column j of C and of what belongs to it: the bias, and the factor if these
// are the last steps.
func (p *Product[T]) place(i, j int, last bool) {
	x := &p.tile
	x.c, x.mul = unsafe.Pointer(&p.C[i*p.LdC+j]), nil
	if x.init == initBias {
		x.bias = unsafe.Pointer(&p.Bias[j])
	}
	if last && p.Mul != nil {
		x.mul = unsafe.Pointer(&p.Mul[i*p.LdMul+j])
	}
}

func (p *Product[T]) runAsm(work []T) bool {
	t := current[T]()
	if t == nil {
		return false
	}
	p.runTable(t, p.start(), work)
	p.tile.clear()
	return true
}

// runTable chooses the way to compute a product.
func (p *Product[T]) runTable(t *table[T], init int, work []T) {
	if p.N <= thinN && p.K >= t.lanes {
		if p.TransA {
			p.runThinTrans(t, work, init)
		} else {
			p.runRowDots(t, work)
		}
		return
	}
	es := sizeof[T]()
	rsa, csa := p.LdA*es, es
	if p.TransA {
		rsa, csa = es, p.LdA*es
	}
	if p.K == 0 {
		rsa = 0 // A is nil: no pointer may be made from it
	}
	x := &p.tile
	*x = tile{rsa: rsa, csa: csa, ldc: p.LdC * es, ldm: p.LdMul * es}
	if p.Packed == nil && !p.TransB && p.M < len(t.wide) && p.K > 0 {
		x.a, x.b, x.ldb, x.init = unsafe.Pointer(&p.A[0]), unsafe.Pointer(&p.B[0]), p.LdB*es, init
		p.place(0, 0, true)
		t.runFewRows(x, p.M, p.N, p.K, p.B, p.LdB, work)
		return
	}
	if p.Packed == nil && p.K > 0 {
		p.runUnpacked(t, x, init, work)
		return
	}
	nr := t.panel
	mc := p.M
	if p.M*p.K*es > 2*rowBlockBytes {
		mc = max(rowBlockBytes/(min(p.K, kBlock)*es)/24*24, 48)
	}
	for i0 := 0; i0 < p.M; i0 += mc {
		rows := min(mc, p.M-i0)
		for k0 := 0; k0 < p.K || k0 == 0; k0 += kBlock {
			x.k = min(kBlock, p.K-k0)
			x.init = init
			if k0 > 0 {
				x.init = initOld
			}
			var a unsafe.Pointer
			if x.k > 0 {
				a = unsafe.Add(unsafe.Pointer(&p.A[0]), i0*rsa+k0*csa)
			}
			for j := 0; j < p.N; j += nr {
				x.cols = min(nr, p.N-j)
				x.ldb = nr * es
				if x.k > 0 {
					x.b = unsafe.Pointer(&p.Packed.data[j*p.K+k0*nr])
				}
				x.a = a
				p.place(i0, j, k0+x.k >= p.K)
				t.runRows(x, rows)
			}
		}
	}
}

// inPlace reports whether a panel of k rows, ld bytes apart, can be used in place. The rows fall into as many sets of
// the first-level cache (64 sets of 8 lines) as ld allows, and do not fit if ld is a multiple of a large power of
// two. AVX-512 does more work per row of a panel, and can afford to fetch two rows of three from the second-level
// cache.
func (t *table[T]) inPlace(k, ld int) bool {
	const line, sets, ways, most = 64, 64, 8, 256 << 10
	apart := max(ld&-ld, line) // the power of two in ld
	rows := ways * max(sets*line/apart, 1)
	if t.panel*sizeof[T]() > line {
		rows *= 3
	}
	return k <= rows && k*ld <= most
}

// runUnpacked computes a product whose B is used once, such as the gradient of a weight. B is packed, all columns of
// one block of k at a time, unless it can stay in place; so is a transposed A, transRows rows at a time.
func (p *Product[T]) runUnpacked(t *table[T], x *tile, init int, work []T) {
	es, nr := sizeof[T](), t.panel
	kc := min(p.K, kUnpacked)
	directB := t.anyRows && !p.TransB && p.N%nr == 0 && t.inPlace(kc, p.LdB*es)
	packA := p.TransA && !t.inPlace(kc, p.LdA*es)
	rsa, csa := x.rsa, x.csa
	mc := p.M
	if packA {
		mc = transRows
	}
	for k0 := 0; k0 < p.K; k0 += kUnpacked {
		x.k = min(kUnpacked, p.K-k0)
		if k0 > 0 {
			init = initOld
		}
		x.init = init
		pb := work[:(p.N+nr-1)/nr*nr*x.k]
		pa := work[len(pb):]
		for i0 := 0; i0 < p.M; i0 += mc {
			rows := min(mc, p.M-i0)
			var a unsafe.Pointer
			if packA {
				t.copyColumns(pa, p.A[k0*p.LdA+i0:], p.LdA, x.k, rows)
				a, x.rsa, x.csa = unsafe.Pointer(&pa[0]), es, rows*es
			} else {
				a, x.rsa, x.csa = unsafe.Add(unsafe.Pointer(&p.A[0]), i0*rsa+k0*csa), rsa, csa
			}
			for j := 0; j < p.N; j += nr {
				x.cols = min(nr, p.N-j)
				if directB {
					x.b, x.ldb = unsafe.Pointer(&p.B[k0*p.LdB+j]), p.LdB*es
				} else {
					panel := pb[j*x.k : (j+nr)*x.k]
					if i0 == 0 {
						packPanel(panel, p.B, p.LdB, p.TransB, k0, x.k, j, x.cols, nr)
					}
					x.b, x.ldb = unsafe.Pointer(&panel[0]), nr*es
				}
				x.a = a
				p.place(i0, j, k0+x.k == p.K)
				t.runRows(x, rows)
			}
		}
	}
}

// copyColumns copies k rows of m elements, ld apart, without gaps.
func (t *table[T]) copyColumns(dst, src []T, ld, k, m int) {
	var rows func(rows int, src *byte, ld int, dst *byte)
	switch m * sizeof[T]() {
	case 64:
		rows = copyRows2
	case 96:
		rows = copyRows3
	case 128:
		rows = copyRows4
	case 192:
		rows = copyRows6
	}
	if rows != nil {
		rows(k, (*byte)(unsafe.Pointer(&src[0])), ld*sizeof[T](), (*byte)(unsafe.Pointer(&dst[0])))
		return
	}
	for q := range k {
		copy(dst[q*m:(q+1)*m], src[q*ld:])
	}
}

// clear drops the pointers, so that a Product keeps alive only what its slices do.
func (x *tile) clear() { x.a, x.b, x.c, x.bias, x.mul = nil, nil, nil, nil, nil }

// runRows covers rows with tiles. Tiles of fewer than 4 rows have too few accumulators to keep the multipliers busy:
// if 1 to 3 rows are left over, the last full tiles are divided into tiles of 4 and 5.
func (t *table[T]) runRows(x *tile, rows int) {
	n, r := rows/t.maxRows, rows%t.maxRows
	var split [3]int
	switch {
	case r == 0:
	case r >= 4 || n == 0:
		split[0] = r
	case t.maxRows == 6 && r == 1 && n >= 2:
		n -= 2
		split = [3]int{5, 4, 4}
	default:
		n--
		r += t.maxRows
		split[0], split[1] = (r+1)/2, r/2
	}
	if n > 0 {
		t.runTiles(x, t.maxRows, n, &rows)
	}
	for i := 0; i < len(split) && split[i] > 0; i++ {
		t.runTiles(x, split[i], 1, &rows)
	}
}

// runTiles runs blocks tiles of mr rows. It counts down rows and advances the pointers only if there is a next row: a
// pointer past the end would mislead the garbage collector.
func (t *table[T]) runTiles(x *tile, mr, blocks int, rows *int) {
	x.blocks = blocks
	f := &t.product
	if 2*x.cols <= t.panel {
		f = &t.narrow
	}
	f[mr]((*int)(unsafe.Pointer(x)))
	done := mr * blocks
	*rows -= done
	if *rows == 0 {
		return
	}
	x.a = unsafe.Add(x.a, done*x.rsa)
	x.c = unsafe.Add(x.c, done*x.ldc)
	if x.mul != nil {
		x.mul = unsafe.Add(x.mul, done*x.ldm)
	}
}

// runFewRows computes a product with at most three or four rows, whose B is used once and therefore read in place;
// only a partial last panel is packed. The tile holds the operands for column 0.
func (t *table[T]) runFewRows(x *tile, m, n, k int, b []T, ldb int, work []T) {
	es := sizeof[T]()
	x.k, x.blocks = k, 1
	f, w := t.product[m], t.panel
	advance := func(cols int) {
		x.b, x.c = unsafe.Add(x.b, cols*es), unsafe.Add(x.c, cols*es)
		if x.bias != nil {
			x.bias = unsafe.Add(x.bias, cols*es)
		}
		if x.mul != nil {
			x.mul = unsafe.Add(x.mul, cols*es)
		}
	}
	j := 0
	if m < len(t.wide) && t.wide[m] != nil {
		for x.cols = t.wideCols[m]; j+x.cols <= n; j += x.cols {
			t.wide[m]((*int)(unsafe.Pointer(x)))
			if j+x.cols < n {
				advance(x.cols)
			}
		}
	}
	for x.cols = w; j+w <= n; j += w {
		f((*int)(unsafe.Pointer(x)))
		if j+w < n {
			advance(w)
		}
	}
	if j == n {
		return
	}
	x.cols = n - j
	mul, a := x.mul, x.a
	x.ldb = w * es
	for k0 := 0; k0 < k; k0 += kBlock {
		x.k = min(kBlock, k-k0)
		packPanel(work[:x.k*w], b, ldb, false, k0, x.k, j, n-j, w)
		x.a, x.b = unsafe.Add(a, k0*x.csa), unsafe.Pointer(&work[0])
		x.mul = nil
		if k0+x.k == k {
			x.mul = mul
		}
		f((*int)(unsafe.Pointer(x)))
		x.init = initOld
	}
}

// runThinTrans computes C = Aᵀ·op(B) with few columns as Cᵀ = op(B)ᵀ·A.
func (p *Product[T]) runThinTrans(t *table[T], work []T, init int) {
	es := sizeof[T]()
	m, n := p.M, p.N
	if p.Packed != nil { // in this case Run may have been given no workspace
		p.runThinPacked(t, init)
		return
	}
	ct := work[:n*m]
	work = work[n*m:]
	x := &p.tile
	*x = tile{a: unsafe.Pointer(&p.B[0]), rsa: es, csa: p.LdB * es, b: unsafe.Pointer(&p.A[0]), ldb: p.LdA * es,
		c: unsafe.Pointer(&ct[0]), ldc: m * es}
	if p.TransB {
		x.rsa, x.csa = x.csa, x.rsa
	}
	if init != initZero {
		for j := range n {
			row := ct[j*m : (j+1)*m]
			if init == initBias {
				Fill(row, p.Bias[j])
				continue
			}
			for i := range row {
				row[i] = p.C[i*p.LdC+j]
			}
		}
		x.init = initOld
	}
	t.runFewRows(x, n, m, p.K, p.A, p.LdA, work)
	for j := range n {
		for i, v := range ct[j*m : (j+1)*m] {
			if p.Mul != nil {
				v *= p.Mul[i*p.LdMul+j]
			}
			p.C[i*p.LdC+j] = v
		}
	}
}

// runThinPacked is the same chain of sums by the general tiles.
func (p *Product[T]) runThinPacked(t *table[T], init int) {
	es := sizeof[T]()
	x := &p.tile
	*x = tile{rsa: es, csa: p.LdA * es, ldb: t.panel * es, ldc: p.LdC * es, ldm: p.LdMul * es, cols: p.N, init: init}
	for k0 := 0; k0 < p.K; k0 += kBlock {
		x.k = min(kBlock, p.K-k0)
		x.a, x.b = unsafe.Pointer(&p.A[k0*p.LdA]), unsafe.Pointer(&p.Packed.data[k0*t.panel])
		p.place(0, 0, k0+x.k == p.K)
		t.runRows(x, p.M)
		x.init = initOld
	}
}

// runRowDots computes a product with few columns: dot products of the rows of A with those of op(B)ᵀ.
func (p *Product[T]) runRowDots(t *table[T], work []T) {
	es := sizeof[T]()
	n, k := p.N, p.K
	kp := thinStride[T](k)
	var thin []T
	if p.Packed != nil {
		thin = p.Packed.thin
	} else {
		thin = work[:n*kp]
		copyThin(thin, p.B, p.LdB, p.TransB, k, n)
	}
	direct := p.LdC == n && !p.Acc && p.Bias == nil && p.Mul == nil
	const chunk = len(p.sums) / thinN // rows at a time when there is an epilogue
	sums := &p.sums
	if direct {
		t.rowDots(p.M, n, &p.A[0], p.LdA*es, &thin[0], kp*es, &p.C[0], k)
		return
	}
	for i0 := 0; i0 < p.M; i0 += chunk {
		rows := min(chunk, p.M-i0)
		t.rowDots(rows, n, &p.A[i0*p.LdA], p.LdA*es, &thin[0], kp*es, &sums[0], k)
		for i := range rows {
			c := p.C[(i0+i)*p.LdC:][:n]
			for j := range c {
				v := sums[i*n+j]
				if p.Acc {
					v += c[j]
				} else if p.Bias != nil {
					v += p.Bias[j]
				}
				if p.Mul != nil {
					v *= p.Mul[(i0+i)*p.LdMul+j]
				}
				c[j] = v
			}
		}
	}
}

// rowDots stores m×n dot products without gaps.
func (t *table[T]) rowDots(m, n int, a *T, lda int, b *T, ldb int, c *T, k int) {
	r := rowDotRows[n]
	if q := m / r; q > 0 {
		t.rowDot[n](q, a, lda, b, ldb, c, k)
		m -= q * r
		if m == 0 {
			return
		}
		a = (*T)(unsafe.Add(unsafe.Pointer(a), q*r*lda))
		c = (*T)(unsafe.Add(unsafe.Pointer(c), q*r*n*sizeof[T]()))
	}
	t.rowDot1[n](m, a, lda, b, ldb, c, k)
}

// rowDotRows is the number of rows that rowDot handles at a time, by the number of columns.
var rowDotRows = [thinN + 1]int{0, 8, 4, 4, 2}

func packPanelAsm[T Float](dst, b []T, ldb int, trans bool, k0, kc, j0, nc, nr int) bool {
	t := current[T]()
	if t == nil || nc != nr || kc < t.lanes {
		return false
	}
	es, l := sizeof[T](), t.lanes
	if !trans {
		t.copyColumns(dst, b[k0*ldb+j0:], ldb, kc, nr)
		return true
	}
	blocks := kc / l
	for j := 0; j < nr; j += l {
		t.packTrans(blocks, &b[(j0+j)*ldb+k0], ldb*es, &dst[j], nr*es)
	}
	for p := blocks * l; p < kc; p++ {
		for j := range nr {
			dst[p*nr+j] = b[(j0+j)*ldb+k0+p]
		}
	}
	return true
}
