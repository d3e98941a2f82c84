//go:build !(amd64 || arm64) || purego

package kernels

type tile struct{}

// Path is the name of the path in use: always generic in this build.
func Path() string { return "generic" }

func panelWidth[T Float]() int { return genericPanel }

func packPanelAsm[T Float](dst, b []T, ldb int, trans bool, k0, kc, j0, nc, nr int) bool {
	return false
}

func pool4Asm[T Float](_, _, _ int, _, _, _ []T, _, _, _ int) bool { return false }

func unaryAsm[T Float](f Func, order int, dst, x []T) bool        { return false }
func multiAsm[T Float](f Func, d0, d1, d2, d3, x []T) bool        { return false }
func binaryAsm[T Float](o op, dst, a, b []T) bool                 { return false }
func scalarAsm[T Float](o op, dst, a []T, c T) bool               { return false }
func ternaryAsm[T Float](o op, dst, a, b, c []T) bool             { return false }
func quaternaryAsm[T Float](dst, a, b, c, d []T) bool             { return false }
func scaleAddAsm[T Float](dst []T, alpha T, x, y []T) bool        { return false }
func sumAsm[T Float](x []T) (T, bool)                             { return 0, false }
func maxAsm[T Float](x []T) (T, int)                              { return 0, 0 }
func dotAsm[T Float](a, b []T) (T, bool)                          { return 0, false }
func colSumAsm[T Float](dst, x []T, n int) bool                   { return false }
func narrowAsm(dst []float32, src []float64) bool                 { return false }
func widenAsm(dst []float64, src []float32) bool                  { return false }
func fillAsm[T Float](dst []T, v T) bool                          { return false }
func normalAsm(dst []float64, s *[4][4]uint64) bool               { return false }
func transposeAsm[T Float]([]T, []T, int, int) (i, j int)         { return 0, 0 }
func (p *Product[T]) runAsm([]T) bool                             { return false }
func (p *Product[T]) piecesAsm([]Piece) bool                      { return false }
func peakLoop[T Float]() (func(iters int), int)                   { return nil, 0 }
func adamAsm(theta, m, v, grad, avg []float64, p *AdamParams) int { return 0 }

func available() []string { return []string{"generic"} }

func use(path string) {}
