//go:build !(amd64 || arm64) || purego

package kernels

func transposeAsm[T Float]([]T, []T, int, int) (i, j int) { return 0, 0 }
