package kernels

// Most pools have windows of four elements: n windows, step elements apart, each of c channels, with taps at its
// beginning, to the right of it, below it, and diagonally. Numbers 0 … 3 identify the tap; what belongs to windows is
// stored contiguously.

// ArgMax4 stores the number of the largest of the four; of equal ones, the first.
func ArgMax4[T Float](n, c int, dst, x []T, right, down, step int) {
	check4(n, c, dst, dst, x, right, down, step)
	if pool4Asm(argMax4, n, c, x, dst, dst, right, down, step) {
		return
	}
	for i := range n {
		d := dst[i*c:][:c]
		p, q, r, s := quad(x, i*step, c, right, down)
		for j := range d {
			u, v, k, m := max(p[j], q[j]), max(r[j], s[j]), 0, 2
			if q[j] > p[j] {
				k = 1
			}
			if s[j] > r[j] {
				m = 3
			}
			if v > u {
				k = m
			}
			d[j] = T(k)
		}
	}
}

// Pick4 stores the elements of x with the given numbers.
func Pick4[T Float](n, c int, dst, number, x []T, right, down, step int) {
	check4(n, c, dst, number, x, right, down, step)
	if pool4Asm(pick4, n, c, x, dst, number, right, down, step) {
		return
	}
	for i := range n {
		d, k := dst[i*c:][:c], number[i*c:][:c]
		at := [4]int{0, right, down, down + right}
		y := x[i*step:]
		for j := range d {
			d[j] = y[j+at[int(k[j])&3]]
		}
	}
}

// Place4 stores the elements of u at the given numbers, and zeros in the other three places.
func Place4[T Float](n, c int, dst, number, u []T, right, down, step int) {
	check4(n, c, u, number, dst, right, down, step)
	if pool4Asm(place4, n, c, dst, u, number, right, down, step) {
		return
	}
	for i := range n {
		v, k := u[i*c:][:c], number[i*c:][:c]
		at := [4]int{0, right, down, down + right}
		y := dst[i*step:]
		p, q, r, s := quad(dst, i*step, c, right, down)
		clear(p)
		clear(q)
		clear(r)
		clear(s)
		for j := range v {
			y[j+at[int(k[j])&3]] = v[j]
		}
	}
}

// quad is the four places of the window at i.
func quad[T Float](x []T, i, c, right, down int) (p, q, r, s []T) {
	return x[i:][:c], x[i+right:][:c], x[i+down:][:c], x[i+down+right:][:c]
}

func check4[T Float](n, c int, dense, number, wide []T, right, down, step int) {
	check(n > 0 && c > 0 && right >= 0 && down >= 0 && step >= 0, "pool: sizes must be positive")
	check(len(dense) >= n*c && len(number) >= n*c && len(wide) >= (n-1)*step+right+down+c, "pool: too short")
}

// The three of them.
const (
	argMax4 = iota
	pick4
	place4
)
