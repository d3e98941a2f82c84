//go:build !(amd64 || arm64) || purego

package kernels

func (p *Product[T]) piecesAsm([]Piece) bool { return false }
