package strided

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// random returns the sizes and strides of a random view of a few elements, and the size of the array under it.
func random(rng *rand.Rand) (size, offset int, dims, strides []int) {
	for range rng.IntN(6) {
		dims = append(dims, []int{1, 2, 3, 5, 13, 17}[rng.IntN(6)])
	}
	strides = make([]int, len(dims))
	s := 1
	for _, i := range rng.Perm(len(dims)) {
		switch rng.IntN(4) {
		case 0: // repeated
			continue
		case 1: // overlapping
			strides[i] = 1 + rng.IntN(3)
		default:
			strides[i] = s
		}
		s = max(s, strides[i]*dims[i])
	}
	offset = rng.IntN(3)
	size = offset + 1 + rng.IntN(3)
	for i, d := range dims {
		size += (d - 1) * strides[i]
	}
	return size, offset, dims, strides
}

// index lists the array index of every element of a view, by counting.
func index(offset int, dims, strides []int) []int {
	at := []int{offset}
	for i, d := range dims {
		var next []int
		for _, k := range at {
			for j := range d {
				next = append(next, k+j*strides[i])
			}
		}
		at = next
	}
	return at
}

func numbers(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.IntN(2000)-1000) / 8 // sums are exact in any order
	}
	return x
}

func TestAgainstTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		size, offset, dims, strides := random(rng)
		table := index(offset, dims, strides)
		v := New(size, offset, dims, strides)
		var each []int
		v.Each(func(i, at int) { each = append(each, at) })
		if !slices.Equal(each, table) {
			t.Fatalf("%v: Each gives %v, want %v", v, each, table)
		}
		x, u := numbers(rng, size), numbers(rng, len(table))
		got, want := make([]float32, len(table)), make([]float32, len(table))
		Gather(v, got, x)
		sum, put := make([]float32, size), make([]float32, size)
		for i := range put {
			put[i] = 7
		}
		seen := map[int]bool{}
		for i, k := range table {
			want[i] = x[k]
			sum[k] += u[i]
			put[k] = u[i]
			seen[k] = true
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v: Gather gives %v, want %v", v, got, want)
		}
		back := numbers(rng, size)
		Sum(v, back, u)
		if !slices.Equal(back, sum) {
			t.Fatalf("%v: Sum gives %v, want %v", v, back, sum)
		}
		if v.Distinct() {
			if len(seen) != len(table) {
				t.Fatalf("%v is not distinct", v)
			}
			Put(v, back, u, 7)
			if !slices.Equal(back, put) {
				t.Fatalf("%v: Put gives %v, want %v", v, back, put)
			}
		}
		if id := len(table) == size && slices.IsSorted(table) && v.Distinct(); v.Identity() != id {
			t.Fatalf("%v: Identity %v, want %v", v, v.Identity(), id)
		}
	}
}

func testGroups[T float32 | float64](t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		size, offset, dims, strides := random(rng)
		n := rng.IntN(len(dims) + 1)
		table := index(offset, dims, strides)
		g := NewGroups(size, offset, dims, strides, n)
		per := len(g.Offsets)
		key, x := make([]T, size), make([]T, size)
		for i := range key {
			key[i], x[i] = T(rng.IntN(7)-3), T(rng.IntN(100))
		}
		u := make([]T, len(table)/per)
		for i := range u {
			u[i] = T(rng.IntN(100))
		}
		want, placed := make([]T, len(u)), make([]T, size)
		for i := range u {
			group := table[i*per : (i+1)*per]
			best := group[0]
			for _, k := range group {
				if key[k] > key[best] {
					best = k
				}
			}
			want[i] = x[best]
			placed[best] += u[i]
		}
		num, got, back := make([]T, len(u)), make([]T, len(u)), make([]T, size)
		ArgMax(g, num, key)
		Pick(g, got, num, x)
		Place(g, back, num, u)
		if !slices.Equal(got, want) || !slices.Equal(back, placed) {
			t.Fatalf("%v: Pick gives %v, Place %v; want %v, %v", g, got, back, want, placed)
		}
	}
}

func TestGroups(t *testing.T) {
	t.Run("float32", testGroups[float32])
	t.Run("float64", testGroups[float64])
}

func TestNoAllocation(t *testing.T) {
	v := New(1000, 0, []int{10, 5, 20}, []int{20, 200, 1})
	g := NewGroups(1000, 0, []int{5, 10, 5, 4}, []int{200, 20, 4, 1}, 3)
	x, y, z := make([]float32, 1000), make([]float32, 1000), make([]float32, 250)
	if n := testing.AllocsPerRun(10, func() {
		Gather(v, y, x)
		Put(v, y, x, 1)
		Sum(v, y, x)
		ArgMax(g, z, x)
		Pick(g, z, z, x)
		Place(g, y, z, z)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBeyond(t *testing.T) {
	for _, f := range []func(){
		func() { New(5, 0, []int{6}, []int{1}) },
		func() { New(5, 3, []int{3}, []int{1}) },
		func() { New(5, 0, []int{0}, []int{1}) },
		func() { New(5, 0, []int{1}, nil) },
		func() { NewGroups(5, 0, []int{2, 3}, []int{3, 2}, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a view beyond its array was made")
				}
			}()
			f()
		}()
	}
}

// Where Of finds a single view, it is the composition of the two.
func TestViewOfView(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	found := 0
	for range 20000 {
		size, offset, dims, strides := random(rng)
		v := New(size, offset, dims, strides)
		if v.Len() > 3000 {
			continue
		}
		// A view of the elements of v: its axes split, exchanged, strided and repeated.
		var ds, ss []int
		at := 0
		for i, s := len(v.Dims)-1, 1; i >= 0; i-- {
			d := v.Dims[i]
			switch lo := rng.IntN(d); rng.IntN(4) {
			case 0:
				ds, ss, at = append(ds, d-lo), append(ss, s), at+lo*s
			case 1:
				ds, ss = append(ds, (d+1)/2), append(ss, 2*s)
			default:
				ds, ss = append(ds, d), append(ss, s)
			}
			s *= d
		}
		rng.Shuffle(len(ds), func(i, j int) { ds[i], ds[j], ss[i], ss[j] = ds[j], ds[i], ss[j], ss[i] })
		if rng.IntN(2) == 0 {
			ds, ss = append(ds, 3), append(ss, 0)
		}
		if rng.IntN(3) == 0 {
			ds, ss, at = []int{v.Len()}, []int{1}, 0
		}
		w := New(v.Len(), at, ds, ss)
		u, ok := v.Of(w)
		if !ok {
			continue
		}
		found++
		table := index(offset, dims, strides)
		var want, got []int
		w.Each(func(_, k int) { want = append(want, table[k]) })
		u.Each(func(_, k int) { got = append(got, k) })
		if !slices.Equal(got, want) {
			t.Fatalf("%v of %v: got %v, want %v", w, v, got, want)
		}
	}
	if found < 10000 {
		t.Errorf("only %d views of views were one", found)
	}
}

// Adjacent groups, which are vectorised, get the same positions as groups handled one by one.
func TestArgMaxOfRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 50 {
		rows, cols := 5+rng.IntN(40), 8+rng.IntN(600)
		key := make([]float32, rows*cols)
		for i := range key {
			key[i] = float32(rng.IntN(7)) - 3 // many are equal
		}
		g := NewGroups(len(key), 0, []int{cols, rows}, []int{1, cols}, 1)
		got := make([]float32, cols)
		ArgMax(g, got, key)
		for j := range cols {
			best := 0
			for i := range rows {
				if key[i*cols+j] > key[best*cols+j] {
					best = i
				}
			}
			if int(got[j]) != best {
				t.Fatalf("column %d of (%d,%d): got %v, want %d", j, rows, cols, got[j], best)
			}
		}
	}
}
