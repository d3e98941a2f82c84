//go:build (amd64 || arm64) && !purego

package kernels

import "unsafe"

// piecesAsm takes one panel of B after the other through all pieces, so that its part of C stays in the first-level
// cache.
func (p *Product[T]) piecesAsm(pieces []Piece) bool {
	t := current[T]()
	if t == nil {
		return false
	}
	es, nr := sizeof[T](), t.panel
	x := &p.tile
	*x = tile{rsa: p.LdA * es, csa: es, ldc: p.LdC * es, ldm: p.LdMul * es, ldb: nr * es}
	for j := 0; j < p.N; j += nr {
		x.cols, x.init = min(nr, p.N-j), p.start()
		for i, q := range pieces {
			for k0 := 0; k0 < q.K; k0 += kBlock {
				x.k = min(kBlock, q.K-k0)
				x.a = unsafe.Pointer(&p.A[q.A+k0])
				x.b = unsafe.Pointer(&p.Packed.data[j*p.Packed.K+(q.B+k0)*nr])
				p.place(0, j, i == len(pieces)-1 && k0+x.k == q.K)
				t.runRows(x, p.M)
				x.init = initOld
			}
		}
	}
	x.clear()
	return true
}
