package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// number is a type in which Gorgonia's values store elements.
type number interface {
	float64 | float32 | int | int64 | int32 | uint8
}

// standardEngine is the engine of values on Gorgonia's machines.
var standardEngine = G.StandardEngine{}

// isFloat reports whether nodes of type dt can be computed with and differentiated. All other types are plain numbers:
// indices, and booleans as 0 and 1.
func isFloat(dt tensor.Dtype) bool { return dt == tensor.Float32 || dt == tensor.Float64 }

// newValue returns a zero Gorgonia value: a scalar such as *F64 for the empty shape, else a *tensor.Dense.
func newValue(dt tensor.Dtype, shape tensor.Shape) G.Value {
	if len(shape) > 0 {
		return tensor.New(tensor.Of(dt), tensor.WithShape(shape...), tensor.WithEngine(standardEngine))
	}
	switch dt {
	case tensor.Float32:
		return new(G.F32)
	case tensor.Int:
		return new(G.I)
	case tensor.Int64:
		return new(G.I64)
	case tensor.Int32:
		return new(G.I32)
	case tensor.Byte:
		return new(G.U8)
	case tensor.Bool:
		return new(G.B)
	}
	return new(G.F64)
}

// loadValue stores the elements of v in dst, row-major. It reports an error for a different number of elements, and for
// integers that T cannot represent exactly.
func loadValue[T kernels.Float](dst []T, v G.Value) error {
	switch v := v.(type) {
	case *tensor.Dense:
		return loadDense(dst, v)
	case nil:
		return fmt.Errorf("no value")
	}
	if len(dst) != 1 {
		return fmt.Errorf("%w: a scalar for %d elements", ErrShape, len(dst))
	}
	switch v := v.(type) {
	case *G.F64:
		dst[0] = T(*v)
	case *G.F32:
		dst[0] = T(*v)
	case *G.I:
		return convert(dst, []int{int(*v)})
	case *G.I64:
		return convert(dst, []int64{int64(*v)})
	case *G.I32:
		return convert(dst, []int32{int32(*v)})
	case *G.U8:
		dst[0] = T(*v)
	case *G.B:
		dst[0] = truth[T](bool(*v))
	default:
		return fmt.Errorf("value of type %T, want numbers or booleans", v)
	}
	return nil
}

func loadDense[T kernels.Float](dst []T, v *tensor.Dense) error {
	if v.Shape().TotalSize() != len(dst) {
		return fmt.Errorf("%w: value of shape %v for %d elements", ErrShape, v.Shape(), len(dst))
	}
	if v.RequiresIterator() || v.DataOrder().IsColMajor() {
		v = v.Materialize().(*tensor.Dense)
	}
	switch v.Dtype() {
	case tensor.Float64:
		return convert(dst, v.Float64s())
	case tensor.Float32:
		return convert(dst, v.Float32s())
	case tensor.Int:
		return convert(dst, v.Ints())
	case tensor.Int64:
		return convert(dst, v.Int64s())
	case tensor.Int32:
		return convert(dst, v.Int32s())
	case tensor.Byte:
		return convert(dst, v.Uint8s())
	case tensor.Bool:
		for i, x := range v.Bools() {
			dst[i] = truth[T](x)
		}
		return nil
	}
	return fmt.Errorf("value of type %v, want numbers or booleans", v.Dtype())
}

func truth[T kernels.Float](x bool) T {
	if x {
		return 1
	}
	return 0
}

// convert converts elements. Integers must not be rounded, since an index would become another.
func convert[T kernels.Float, S number](dst []T, src []S) error {
	if same, ok := any(src).([]T); ok {
		copy(dst, same)
		return nil
	}
	var float bool
	switch any(src).(type) {
	case []float32, []float64:
		float = true
	}
	for i, x := range src {
		dst[i] = T(x)
		if !float && S(dst[i]) != x {
			return fmt.Errorf("%v is too large for a program of type %T", x, dst[i])
		}
	}
	return nil
}

// storeValue stores elements in v.
func storeValue[T kernels.Float](v G.Value, src []T) error {
	switch v := v.(type) {
	case *G.F64:
		*v = G.F64(src[0])
	case *G.F32:
		*v = G.F32(src[0])
	case *G.I:
		*v = G.I(src[0])
	case *G.I64:
		*v = G.I64(src[0])
	case *G.I32:
		*v = G.I32(src[0])
	case *G.U8:
		*v = G.U8(src[0])
	case *G.B:
		*v = src[0] != 0
	case *tensor.Dense:
		return storeDense(v, src)
	default:
		return fmt.Errorf("graphs: cannot store in a %T", v)
	}
	return nil
}

func storeDense[T kernels.Float](v *tensor.Dense, src []T) error {
	switch v.Dtype() {
	case tensor.Float64:
		return cast(v.Float64s(), src)
	case tensor.Float32:
		return cast(v.Float32s(), src)
	case tensor.Int:
		return cast(v.Ints(), src)
	case tensor.Int64:
		return cast(v.Int64s(), src)
	case tensor.Int32:
		return cast(v.Int32s(), src)
	case tensor.Byte:
		return cast(v.Uint8s(), src)
	case tensor.Bool:
		for i, s := 0, v.Bools(); i < len(s); i++ {
			s[i] = src[i] != 0
		}
		return nil
	}
	return fmt.Errorf("graphs: cannot store in a tensor of type %v", v.Dtype())
}

func cast[D number, T kernels.Float](dst []D, src []T) error {
	if len(dst) != len(src) {
		return fmt.Errorf("graphs: %w: %d elements for %d", ErrShape, len(src), len(dst))
	}
	if same, ok := any(dst).([]T); ok {
		copy(same, src)
		return nil
	}
	for i, x := range src {
		dst[i] = D(x)
	}
	return nil
}

// readValue returns the elements of v as float64 in row-major order; they must not be modified.
func readValue(v G.Value) ([]float64, error) {
	if d, ok := v.(*tensor.Dense); ok && d.Dtype() == tensor.Float64 && !d.RequiresIterator() &&
		!d.DataOrder().IsColMajor() {
		return d.Float64s(), nil
	}
	if v == nil {
		return nil, fmt.Errorf("no value")
	}
	x := make([]float64, max(v.Shape().TotalSize(), 1))
	return x, loadValue(x, v)
}

func writeValue(v G.Value, x []float64) error { return storeValue(v, x) }

// elements returns the numbers of d without allocating; false if they are not of type T.
func elements[T kernels.Float](d *tensor.Dense) ([]T, bool) {
	var s []T
	switch p := any(&s).(type) {
	case *[]float32:
		if d.Dtype() != tensor.Float32 {
			return nil, false
		}
		*p = d.Float32s()
	case *[]float64:
		if d.Dtype() != tensor.Float64 {
			return nil, false
		}
		*p = d.Float64s()
	}
	return s, true
}
