//go:build !(amd64 || arm64) || purego

package kernels

func pool4Asm[T Float](_, _, _ int, _, _, _ []T, _, _, _ int) bool { return false }
