package gorgonia

import (
	"math"
	"reflect"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Op is an operation as read. The kinds list which fields are set; axes are axes of the operand.
type Op struct {
	Kind Kind

	TransA, TransB bool
	Axis           int   // -1: the default of the operation
	Axes, AxesB    []int // read-only
	Log            bool
	Numbers        bool // a comparison gives numbers instead of booleans

	Range    Range
	Window   Window
	Factor   int     // how many times each element is repeated along each axis
	P        float64 // the probability of dropping an element
	Epsilon  float64
	Momentum float64
	Groups   int
	Mean     bool // the mean of the losses instead of their sum
	Boxes    Boxes
}

// Range is lo, lo+step, … below hi.
type Range struct {
	Lo, Hi, Step int
	All          bool // the whole axis
}

// Window describes a sliding window over an image (h,w): the first one starts at -Pad, consecutive ones are Stride
// apart, and the elements within one are Dilation apart.
type Window struct {
	Kernel, Pad, Stride, Dilation [2]int
}

// Boxes are the parameters of YOLOv3.
type Boxes struct {
	Anchors  []float64 // two sizes each
	Masks    []int     // the indices of the anchors in use
	Ignore   float64   // in training: a box that overlaps a target by more is not penalised for being there
	Classes  int
	Size     int // of the image, in pixels
	Training bool
}

// typeName returns the type name of an operation of Gorgonia's own, and "" for any other.
func typeName(op G.Op) string {
	t := reflect.TypeOf(op)
	if t == nil {
		return ""
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() != "gorgonia.org/gorgonia" {
		return ""
	}
	return t.Name()
}

// Builtin reports whether op is one of Gorgonia's own, known here or not.
func Builtin(op G.Op) bool {
	t := reflect.TypeOf(op)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "gorgonia.org/gorgonia" || strings.HasPrefix(t.PkgPath(), "gorgonia.org/gorgonia/")
}

// KindOf returns the kind of op.
func KindOf(op G.Op) Kind {
	ks := byType[typeName(op)]
	switch len(ks) {
	case 0:
		return Unknown
	case 1:
		return ks[0]
	}
	if table[ks[0]].family == Product {
		// MatMul and MatVec share a symbol.
		k, ok := fieldsOf(op).int("āBinaryOperator")
		if !ok || k < 0 || k > int(BatchedMatMul-MatMul) {
			return Unknown
		}
		return MatMul + Kind(k)
	}
	symbol, _, _ := strings.Cut(op.String(), " ")
	for _, k := range ks {
		if table[k].symbol == symbol {
			return k
		}
	}
	return Unknown
}

// Read reads op. If a field is not as expected, the result is Unknown.
func Read(op G.Op) Op {
	o := Op{Kind: KindOf(op), Axis: -1}
	f := reader{fields: fieldsOf(op), ok: true}
	f.read(&o, op)
	if !f.ok {
		return Op{Kind: Unknown}
	}
	return o
}

// reader reads fields and records whether all of them existed.
type reader struct {
	fields
	ok bool
}

func (f *reader) n(name string) int {
	x, ok := f.int(name)
	f.ok = f.ok && ok
	return x
}

func (f *reader) b(name string) bool {
	x, ok := f.bool(name)
	f.ok = f.ok && ok
	return x
}

func (f *reader) x(name string) float64 {
	x, ok := f.float(name)
	f.ok = f.ok && ok
	return x
}

func (f *reader) list(name string) []int {
	x, ok := f.ints(name)
	f.ok = f.ok && ok
	return x
}

func (f *reader) read(o *Op, op G.Op) {
	switch o.Kind {
	case Lt, Gt, Lte, Gte, Eq, Ne:
		o.Numbers = f.b("retSame")
	case MatMul, MatVec, Dot, Outer, BatchedMatMul:
		o.TransA, o.TransB = f.b("transA"), f.b("transB")
	case Tensordot:
		o.Axes, o.AxesB = f.list("aAxes"), f.list("bAxes")
	case Sum, Max:
		o.Axes = f.list("along")
	case Repeat:
		o.Axis = f.n("along")
	case Size, Concat, ByIndices, ByIndicesGrad:
		o.Axis = f.n("axis")
	case Transpose:
		o.Axes = f.list("pattern")
	case At:
		o.Axes = f.list("coordinates")
	case Slice, SliceGrad:
		o.Axis = f.n("along")
		o.Range = f.span(op)
	case Softmax, SoftmaxGrad:
		o.Axis, o.Log = f.n("axis"), f.b("isLog")
	case Sparsemax:
		o.Axis = f.n("axis")
	case Im2Col, Col2Im:
		o.Window = Window{
			Kernel: f.pair("h", "w"), Pad: f.pair("padH", "padW"), Stride: f.pair("strideH", "strideW"),
			Dilation: f.pair("dilationH", "dilationW"),
		}
	case MaxPool, MaxPoolGrad, AveragePool:
		o.Window = Window{Kernel: f.pair("h", "w"), Pad: f.pair("padNorth", "padWest"),
			Stride: f.pair("strideH", "strideW"), Dilation: [2]int{1, 1}}
		if f.b("explicitPadding") { // then Gorgonia starts from the other two
			o.Window.Pad = f.pair("padSouth", "padEast")
		}
	case Upsample, UpsampleGrad:
		o.Factor = f.n("stride") + 1
	case BatchNorm:
		o.Epsilon, o.Momentum = f.x("epsilon"), f.x("momentum")
	case BatchNormGrad: // which shares the epsilon of its BatchNorm
		o.Epsilon = f.x("epsilon")
	case GroupNorm:
		o.Groups, o.Epsilon = f.n("numGroups"), f.x("epsilon")
	case Dropout, DropoutGrad:
		o.P = f.x("probability")
	case CTCLoss:
		o.Mean = f.n("reduction") == int(G.ReductionMean)
	case YOLO:
		f.boxes(o)
	}
}

func (f *reader) pair(a, b string) [2]int { return [2]int{f.n(a), f.n(b)} }

// span reads the range of a slice.
func (f *reader) span(op G.Op) Range {
	v, ok := f.field("Slice", reflect.Interface)
	if !ok {
		f.ok = false
		return Range{}
	}
	if v.IsNil() {
		return Range{All: true, Step: 1}
	}
	s, ok := op.(tensor.Slice)
	if !ok {
		f.ok = false
		return Range{}
	}
	return Range{Lo: s.Start(), Hi: s.End(), Step: max(1, s.Step())}
}

func (f *reader) boxes(o *Op) {
	o.Boxes = Boxes{Masks: f.list("masks"), Classes: f.n("numClasses"), Size: f.n("dimensions"),
		Training: f.b("trainMode"), Ignore: f.x("ignoreTresh")}
	v, ok := f.field("anchors", reflect.Slice)
	if f.ok = f.ok && ok && v.Len() >= 2*len(o.Boxes.Masks); !f.ok {
		return
	}
	for i := range v.Len() {
		o.Boxes.Anchors = append(o.Boxes.Anchors, v.Index(i).Float())
	}
}

// fields gives access to the unexported fields of a struct.
type fields struct{ v reflect.Value }

func fieldsOf(x any) fields {
	v := reflect.ValueOf(x)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return fields{v}
}

func (f fields) field(name string, kinds ...reflect.Kind) (reflect.Value, bool) {
	if f.v.Kind() != reflect.Struct {
		return reflect.Value{}, false
	}
	v := f.v.FieldByName(name)
	for _, k := range kinds {
		if v.IsValid() && v.Kind() == k {
			return v, true
		}
	}
	return reflect.Value{}, false
}

func (f fields) int(name string) (int, bool) {
	v, ok := f.field(name, reflect.Int, reflect.Uint8, reflect.Uint)
	switch {
	case !ok:
		return 0, false
	case v.Kind() == reflect.Int:
		return int(v.Int()), true
	}
	return int(min(v.Uint(), math.MaxInt32)), true
}

func (f fields) bool(name string) (val, ok bool) {
	v, ok := f.field(name, reflect.Bool)
	return ok && v.Bool(), ok
}

func (f fields) float(name string) (float64, bool) {
	v, ok := f.field(name, reflect.Float64, reflect.Float32)
	if !ok {
		return 0, false
	}
	return v.Float(), true
}

func (f fields) ints(name string) ([]int, bool) {
	v, ok := f.field(name, reflect.Slice)
	if !ok {
		return nil, false
	}
	s := make([]int, v.Len())
	for i := range s {
		if v.Index(i).Kind() != reflect.Int {
			return nil, false
		}
		s[i] = int(v.Index(i).Int())
	}
	return s, true
}
