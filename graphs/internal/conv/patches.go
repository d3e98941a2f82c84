package conv

import "github.com/stheno-ebm/stheno/graphs/internal/kernels"

// Patches writes the patches of n pictures, (n·oh·ow, kh·kw·c), for a plan of role Out with one group.
func (r *Runner[T]) Patches(n int, dst, x []T) { r.patches(dst, x, 0, n*r.dh*r.dw, 0) }

// Fold is the adjoint of Patches: it adds every patch back to where it was taken from.
func (r *Runner[T]) Fold(n int, dst, patches []T) {
	clear(dst[:n*r.source()])
	k := r.depth()
	for i := range n {
		picture := dst[i*r.source():][:r.source()]
		for _, sy := range r.y.spans {
			for _, sx := range r.x.spans {
				r.unpatch(picture, patches[:k], sy, sx)
				patches = patches[k:]
			}
		}
	}
}

// unpatch adds a patch to its picture.
func (r *Runner[T]) unpatch(picture, patch []T, sy, sx span) {
	for i := range sy.n {
		for j := range sx.n {
			d := picture[((sy.first+i*r.y.step)*r.sw+sx.first+j*r.x.step)*r.cs:][:r.cs]
			s := patch[((sy.tap+i)*r.KW+sx.tap+j)*r.cs:][:r.cs]
			if len(d) >= 16 {
				kernels.Add(d, d, s)
				continue
			}
			for c, v := range s {
				d[c] += v
			}
		}
	}
}
