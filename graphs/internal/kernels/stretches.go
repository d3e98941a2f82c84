package kernels

import "unsafe"

// Stretches copies stretches of n elements of x that begin at the given increasing places to dst, where they begin
// apart elements from each other. For short stretches, calling copy or checking the length of a slice for each would
// take most of the time.
func Stretches[T Float](dst, x []T, at []int, n, apart int) {
	if len(at) == 0 || n == 0 {
		return
	}
	last := len(at) - 1
	check(at[0] >= 0 && at[last]+n <= len(x) && last*apart+n <= len(dst), "Stretches: beyond the end")
	d, s, size := unsafe.Pointer(&dst[0]), unsafe.Pointer(&x[0]), sizeof[T]()
	switch n {
	case 2:
		for j, o := range at {
			*(*[2]T)(unsafe.Add(d, j*apart*size)) = *(*[2]T)(unsafe.Add(s, o*size))
		}
	case 3:
		for j, o := range at {
			*(*[3]T)(unsafe.Add(d, j*apart*size)) = *(*[3]T)(unsafe.Add(s, o*size))
		}
	case 4, 5, 6, 7:
		for j, o := range at { // what is copied twice is the same
			to, from := unsafe.Add(d, j*apart*size), unsafe.Add(s, o*size)
			*(*[4]T)(to) = *(*[4]T)(from)
			*(*[4]T)(unsafe.Add(to, (n-4)*size)) = *(*[4]T)(unsafe.Add(from, (n-4)*size))
		}
	case 8, 9, 10, 11, 12, 13, 14, 15, 16:
		for j, o := range at {
			to, from := unsafe.Add(d, j*apart*size), unsafe.Add(s, o*size)
			*(*[8]T)(to) = *(*[8]T)(from)
			*(*[8]T)(unsafe.Add(to, (n-8)*size)) = *(*[8]T)(unsafe.Add(from, (n-8)*size))
		}
	default:
		for j, o := range at {
			copy(dst[j*apart:j*apart+n], x[o:])
		}
	}
}
