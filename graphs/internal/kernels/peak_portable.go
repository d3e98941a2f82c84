//go:build !(amd64 || arm64) || purego

package kernels

// peakLoop does nothing on the portable path.
func peakLoop[T Float]() (func(iters int), int) { return nil, 0 }
