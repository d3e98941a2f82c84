//go:build !(amd64 || arm64) || purego

package kernels

// peakLoop has no loop to offer on the portable path.
func peakLoop[T Float]() (func(iters int), int) { return nil, 0 }
