package kernels

// Piece is a run of K columns of A that meets K rows of a packed B: one stretch of a window over pictures.
type Piece struct{ A, B, K int }

// RunPieces computes
//
//	C = ( [C | Bias | 0] + Σ_q A[:, A_q : A_q+K_q] · B[B_q : B_q+K_q, :] ) ⊙ [Mul]
//
// as one sum, in order: what Run would compute if the columns of A lie apart, or where its rows overlap (LdA < K). p.K
// is not looked at, A is not transposed, B is packed, with more columns than a product takes for thin.
func (p *Product[T]) RunPieces(pieces []Piece) {
	m, n := p.M, p.N
	if m == 0 || n == 0 {
		return
	}
	check(p.Packed != nil && p.Packed.N == n && p.Packed.nr == panelWidth[T](), "Product: Packed has another shape")
	check(p.LdC >= n && len(p.C) >= (m-1)*p.LdC+n, "Product: C is too short")
	check(p.Bias == nil || len(p.Bias) >= n && !p.Acc, "Product: Bias is too short or given together with Acc")
	check(p.Mul == nil || p.LdMul >= n && len(p.Mul) >= (m-1)*p.LdMul+n, "Product: Mul is too short")
	for _, q := range pieces {
		check(q.A >= 0 && q.K > 0 && len(p.A) >= (m-1)*p.LdA+q.A+q.K, "Product: A is too short")
		check(q.B >= 0 && q.B+q.K <= p.Packed.K, "Product: Packed is too short")
	}
	if len(pieces) > 0 && p.piecesAsm(pieces) {
		return
	}
	p.piecesGeneric(pieces)
}

// piecesGeneric runs one product after the other, each continuing the sums of the previous one.
func (p *Product[T]) piecesGeneric(pieces []Piece) {
	a, acc, mul := p.A, p.Acc, p.Mul
	p.Mul = nil
	for i, q := range pieces {
		p.A, p.K, p.from = a[q.A:], q.K, q.B
		if i == len(pieces)-1 {
			p.Mul = mul
		}
		p.runGeneric(nil)
		p.Acc = true
	}
	if len(pieces) == 0 {
		p.K, p.Mul = 0, mul
		p.runGeneric(nil)
	}
	p.A, p.Acc, p.Mul, p.from, p.K = a, acc, mul, 0, 0
}
