package mcmc

// variance is Welford's running mean and variance of vectors.
type variance struct {
	n        float64
	mean, m2 []float64
}

func (v *variance) init(d int) {
	if v.mean == nil {
		v.mean, v.m2 = make([]float64, d), make([]float64, d)
	}
	v.n = 0
	clear(v.mean)
	clear(v.m2)
}

func (v *variance) add(x []float64) {
	v.n++
	for j, a := range x {
		d := a - v.mean[j]
		v.mean[j] += d / v.n
		v.m2[j] += d * (a - v.mean[j])
	}
}
