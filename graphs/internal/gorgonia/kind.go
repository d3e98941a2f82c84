package gorgonia

// Kind identifies what an operation computes.
type Kind uint8

// The kinds. Unknown is a third party's operation, or one of Gorgonia's that is not listed here.
const (
	Unknown Kind = iota

	Add // of two operands of the same shape, or of a tensor and a scalar
	Sub
	Mul
	Div
	Pow
	Lt // 1 (or true) where a < b
	Gt
	Lte
	Gte
	Eq
	Ne
	MaxBetween
	MinBetween

	Abs
	Sign
	Ceil
	Floor
	Sin
	Cos
	Exp
	Log
	Log2
	Neg
	Square
	Sqrt
	Inverse
	InverseSqrt
	Cube
	Tanh
	Sigmoid
	Log1p
	Expm1
	Softplus
	Identity

	MatMul // TransA, TransB
	MatVec
	Dot
	Outer
	BatchedMatMul
	Tensordot // Axes of a, AxesB of b

	Sum // along Axes
	Max
	Repeat    // along Axis
	Size      // of Axis
	Reshape   //
	Transpose // Axes is the pattern
	Slice     // Range of Axis
	SliceGrad // of (x, gradient)
	At        // Axes are the coordinates
	Concat    // along Axis
	DiagFlat
	ByIndices // of (x, indices), along Axis
	ByIndicesGrad

	Softmax // along Axis; Log
	SoftmaxGrad
	Sparsemax
	SparsemaxGrad
	Im2Col // Window
	Col2Im
	MaxPool
	MaxPoolGrad
	AveragePool
	AveragePoolGrad
	GlobalAveragePool
	Upsample // by Factor
	UpsampleGrad
	BatchNorm     // Epsilon, Momentum
	BatchNormGrad // Epsilon
	GroupNorm     // Groups, Epsilon
	GroupNormGrad
	Dropout // P
	DropoutGrad
	CTCLoss // of (log probabilities, targets, their lengths, lengths of the inputs)
	CTCLossGrad
	YOLO

	Random
	Constant
	ConstantTensor
	SetStatement
	ReadStatement

	kinds
)

// Family groups kinds that are treated alike.
type Family uint8

// The families.
const (
	Other     Family = iota
	Unary            // element-wise functions of one operand
	Binary           // element-wise operations on two
	Compare          // comparisons
	Product          // of matrices and vectors
	Reduction        // Sum, Max
	Gradient         // made by gorgonia.Grad; they have no derivative rule
	Statement        // Set, Read: nodes without a value
	Source           // no operands
)

// info describes a kind. typ is the name of Gorgonia's type; where a type has several kinds, symbol is what its String
// starts with.
type info struct {
	name   string
	typ    string
	symbol string
	family Family
}

var table = [kinds]info{
	Unknown: {name: "unknown"},

	Add:        {"Add", "elemBinOp", "+", Binary},
	Sub:        {"Sub", "elemBinOp", "-", Binary},
	Mul:        {"HadamardProd", "elemBinOp", "⊙", Binary},
	Div:        {"HadamardDiv", "elemBinOp", "÷", Binary},
	Pow:        {"Pow", "elemBinOp", "^", Binary},
	Lt:         {"Lt", "elemBinOp", "<", Compare},
	Gt:         {"Gt", "elemBinOp", ">", Compare},
	Lte:        {"Lte", "elemBinOp", "<=", Compare},
	Gte:        {"Gte", "elemBinOp", ">=", Compare},
	Eq:         {"Eq", "elemBinOp", "==", Compare},
	Ne:         {"Ne", "elemBinOp", "!=", Compare},
	MaxBetween: {"MaxBetween", "maxBetween", "", Binary},
	MinBetween: {"MinBetween", "minBetween", "", Binary},

	Abs:         {"Abs", "elemUnaryOp", "abs", Unary},
	Sign:        {"Sign", "elemUnaryOp", "sign", Unary},
	Ceil:        {"Ceil", "elemUnaryOp", "ceil", Unary},
	Floor:       {"Floor", "elemUnaryOp", "floor", Unary},
	Sin:         {"Sin", "elemUnaryOp", "sin", Unary},
	Cos:         {"Cos", "elemUnaryOp", "cos", Unary},
	Exp:         {"Exp", "elemUnaryOp", "exp", Unary},
	Log:         {"Log", "elemUnaryOp", "ln", Unary},
	Log2:        {"Log2", "elemUnaryOp", "log2", Unary},
	Neg:         {"Neg", "elemUnaryOp", "neg", Unary},
	Square:      {"Square", "elemUnaryOp", "square", Unary},
	Sqrt:        {"Sqrt", "elemUnaryOp", "sqrt", Unary},
	Inverse:     {"Inverse", "elemUnaryOp", "inv", Unary},
	InverseSqrt: {"InverseSqrt", "elemUnaryOp", "invSqrt", Unary},
	Cube:        {"Cube", "elemUnaryOp", "cube", Unary},
	Tanh:        {"Tanh", "elemUnaryOp", "tanh", Unary},
	Sigmoid:     {"Sigmoid", "elemUnaryOp", "sigmoid", Unary},
	Log1p:       {"Log1p", "elemUnaryOp", "log1p", Unary},
	Expm1:       {"Expm1", "elemUnaryOp", "expm1", Unary},
	Softplus:    {"Softplus", "elemUnaryOp", "softplus", Unary},
	Identity:    {"Iop", "Iop", "", Unary},

	MatMul:        {"Mul", "linAlgBinOp", "×", Product},
	MatVec:        {"Mul (matrix, vector)", "linAlgBinOp", "×", Product},
	Dot:           {"Mul (vectors)", "linAlgBinOp", "⋅", Product},
	Outer:         {"OuterProd", "linAlgBinOp", "⊗", Product},
	BatchedMatMul: {"BatchedMatMul", "linAlgBinOp", "×××", Product},
	Tensordot:     {"Tensordot", "tensordotOp", "", Product},

	Sum:           {"Sum", "sumOp", "", Reduction},
	Max:           {"Max", "maxOp", "", Reduction},
	Repeat:        {"Repeat", "repeatOp", "", Other},
	Size:          {"SizeOf", "sizeOp", "", Other},
	Reshape:       {"Reshape", "reshapeOp", "", Other},
	Transpose:     {"Transpose", "transposeOp", "", Other},
	Slice:         {"Slice", "sliceOp", "", Other},
	SliceGrad:     {"gradient of Slice", "sliceIncrOp", "", Other},
	At:            {"At", "atOp", "", Other},
	Concat:        {"Concat", "concatOp", "", Other},
	DiagFlat:      {"DiagFlat", "diagFlatOp", "", Other},
	ByIndices:     {"ByIndices", "byIndicesOp", "", Other},
	ByIndicesGrad: {"gradient of ByIndices", "byIndicesOpDiffOp", "", Gradient},

	Softmax:           {"SoftMax", "softmaxOp", "", Other},
	SoftmaxGrad:       {"gradient of SoftMax", "softmaxDiffOp", "", Gradient},
	Sparsemax:         {"Sparsemax", "sparsemaxOp", "", Other},
	SparsemaxGrad:     {"gradient of Sparsemax", "sparsemaxDiffOp", "", Gradient},
	Im2Col:            {"Im2Col", "im2colOp", "", Other},
	Col2Im:            {"gradient of Im2Col", "col2imOp", "", Other},
	MaxPool:           {"MaxPool2D", "maxPoolOp", "", Other},
	MaxPoolGrad:       {"gradient of MaxPool2D", "maxPoolDiffOp", "", Gradient},
	AveragePool:       {"AveragePool2D", "avgPoolOp", "", Other},
	AveragePoolGrad:   {"gradient of AveragePool2D", "avgPoolDiffOp", "", Gradient},
	GlobalAveragePool: {"GlobalAveragePool2D", "globalAveragePoolOp", "", Other},
	Upsample:          {"Upsample2D", "upsampleOp", "", Other},
	UpsampleGrad:      {"gradient of Upsample2D", "upsampleDiffOp", "", Gradient},
	BatchNorm:         {"BatchNorm", "BatchNormOp", "", Other},
	BatchNormGrad:     {"gradient of BatchNorm", "batchnormDiffOp", "", Gradient},
	GroupNorm:         {"GroupNorm", "GroupNormOp", "", Other},
	GroupNormGrad:     {"gradient of GroupNorm", "groupNormDiffOp", "", Gradient},
	Dropout:           {"Dropout", "dropoutOp", "", Other},
	DropoutGrad:       {"gradient of Dropout", "dropoutDiffOp", "", Gradient},
	CTCLoss:           {"CTCLoss", "ctcLossOp", "", Other},
	CTCLossGrad:       {"gradient of CTCLoss", "ctcLossDiffOp", "", Gradient},
	YOLO:              {"YOLOv3", "yoloOp", "", Other},

	Random:         {"random node", "randomOp", "", Source},
	Constant:       {"constant", "constantScalar", "", Source},
	ConstantTensor: {"constant tensor", "constantTensor", "", Source},
	SetStatement:   {"Set", "letOp", "", Statement},
	ReadStatement:  {"Read", "readOp", "", Statement},
}

// String is the name of the Gorgonia function that makes the operation.
func (k Kind) String() string { return table[k].name }

// Family returns the family of k.
func (k Kind) Family() Family { return table[k].family }

// byType lists the kinds that share a type.
var byType = func() map[string][]Kind {
	m := map[string][]Kind{}
	for k := Unknown + 1; k < kinds; k++ {
		m[table[k].typ] = append(m[table[k].typ], k)
	}
	return m
}()
