package live

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// Record is one row of the curves. NaN means unknown; zero is a value, so start from NewRecord.
type Record struct {
	Step     int
	Seconds  float64 // since the start of training
	Loss     float64
	GradNorm float64
	KL       float64 // nats
	Accept   float64 // mean acceptance probability of the sampler
	Rate     float64 // steps per second; 0 or NaN: computed from Step and Seconds
}

// NewRecord returns a record with the step, the seconds since the start and the loss, everything else unknown.
func NewRecord(step int, seconds, loss float64) Record {
	nan := math.NaN()
	return Record{step, seconds, loss, nan, nan, nan, nan}
}

// columns is the number of values in a row on the wire.
const columns = 7

func (r *Record) row() [columns]float64 {
	return [columns]float64{float64(r.Step), r.Seconds, r.Loss, r.GradNorm, r.KL, r.Accept, r.Rate}
}

// Frame is the state of the model at one step.
type Frame struct {
	Step int
	// Energy is n×n energies over the box Lo…Hi of the server, row by row with increasing x₂, including nodes on the
	// border; may be nil.
	Energy  []float64
	Samples mat.Matrix // m×2 or wider; may be nil
}

// maxHeight is the greatest height above the minimum that a frame keeps, in nats.
const maxHeight = 200

// maxPoints is the number of samples and of data that are sent.
const maxPoints = 1500

// encode returns the frame as JSON. It reads f only.
func (f *Frame) encode(id int, seconds float64, lo, hi [2]float64) ([]byte, error) {
	b := make([]byte, 0, 16<<10)
	b = fmt.Appendf(b, `{"id":%d,"step":%d,"t":`, id, f.Step)
	b = appendNumber(b, seconds)
	if len(f.Energy) > 0 {
		n := int(math.Round(math.Sqrt(float64(len(f.Energy)))))
		if n*n != len(f.Energy) || n < 2 {
			return nil, fmt.Errorf("live: Frame.Energy has %d values, want a square number", len(f.Energy))
		}
		low, high := math.Inf(1), math.Inf(-1)
		for _, e := range f.Energy {
			if !math.IsNaN(e) && !math.IsInf(e, 0) {
				low, high = math.Min(low, e), math.Max(high, e)
			}
		}
		if low > high {
			low, high = 0, 1
		}
		full := math.Min(high-low, maxHeight)
		if !(full > 0) {
			full = 1
		}
		raw := make([]byte, 2*len(f.Energy))
		for i, e := range f.Energy {
			v := (e - low) / full
			if !(v < 1) { // NaN, or clipped
				v = 1
			}
			binary.LittleEndian.PutUint16(raw[2*i:], uint16(math.Max(v, 0)*65535+0.5))
		}
		b = fmt.Appendf(b, `,"n":%d,"min":`, n)
		b = appendNumber(b, low)
		b = append(b, `,"full":`...)
		b = appendNumber(b, full)
		b = append(b, `,"e":"`...)
		b = base64.StdEncoding.AppendEncode(b, raw)
		b = append(b, '"')
	}
	if f.Samples != nil {
		b = append(b, `,"s":"`...)
		b = base64.StdEncoding.AppendEncode(b, quantise(f.Samples, lo, hi))
		b = append(b, '"')
	}
	return append(b, '}'), nil
}

// quantise writes at most maxPoints points as pairs of uint16 over the box; points outside are omitted.
func quantise(x mat.Matrix, lo, hi [2]float64) []byte {
	n, _ := x.Dims()
	m := min(n, maxPoints)
	raw := make([]byte, 0, 4*m)
	for k := range m {
		i := k * n / m
		u, v := (x.At(i, 0)-lo[0])/(hi[0]-lo[0]), (x.At(i, 1)-lo[1])/(hi[1]-lo[1])
		if u >= 0 && u <= 1 && v >= 0 && v <= 1 {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(u*65535+0.5))
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v*65535+0.5))
		}
	}
	return raw
}

// appendNumber writes a JSON number of six digits, or null.
func appendNumber(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	return strconv.AppendFloat(b, v, 'g', 6, 64)
}

func appendRows(b []byte, rows [][columns]float64) []byte {
	b = append(b, '[')
	for k := range rows {
		if k > 0 {
			b = append(b, ',')
		}
		sep := byte('[')
		for _, v := range rows[k] {
			b = appendNumber(append(b, sep), v)
			sep = ','
		}
		b = append(b, ']')
	}
	return append(b, ']')
}
