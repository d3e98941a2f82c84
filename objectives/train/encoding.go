package train

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// encoder appends little-endian numbers.
type encoder struct{ b []byte }

func (e *encoder) uint64(v uint64)   { e.b = binary.LittleEndian.AppendUint64(e.b, v) }
func (e *encoder) float64(v float64) { e.uint64(math.Float64bits(v)) }

// floats appends the length and the values, distinguishing nil from empty.
func (e *encoder) floats(v []float64) {
	if v == nil {
		e.uint64(math.MaxUint64)
		return
	}
	at := len(e.b) + 8
	e.b = slices.Grow(e.b, 8*(len(v)+1))
	e.uint64(uint64(len(v)))
	e.b = e.b[:at+8*len(v)]
	for i, x := range v {
		binary.LittleEndian.PutUint64(e.b[at+8*i:], math.Float64bits(x))
	}
}

// bytes appends the length and the bytes.
func (e *encoder) bytes(v []byte) {
	e.uint64(uint64(len(v)))
	e.b = append(e.b, v...)
}

// decoder reads what encoder wrote. After the first failure it returns zeros; finish reports it.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.b)) {
		d.bad = true
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) uint64() uint64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (d *decoder) float64() float64 { return math.Float64frombits(d.uint64()) }

func (d *decoder) floats() []float64 {
	n := d.uint64()
	if n == math.MaxUint64 {
		return nil
	}
	if n > uint64(len(d.b))/8 { // before 8n can overflow
		d.bad = true
		return nil
	}
	b := d.take(8 * n)
	v := make([]float64, n)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return v
}

func (d *decoder) bytes() []byte { return d.take(d.uint64()) }

// finish fails unless everything was read and nothing was missing.
func (d *decoder) finish(what string) error {
	if d.bad || len(d.b) != 0 {
		return fmt.Errorf("train: state of %s: wrong length", what)
	}
	return nil
}
