//go:build arm64 && !purego

package kernels

// available lists the paths of this processor, the best one first. Every arm64 has NEON with fused multiply-adds.
func available() []string { return []string{"neon", "generic"} }

// use makes a path of available the current one. It must not run together with anything else of this package.
func use(name string) {
	path = name
	if name == "neon" {
		active.f32, active.f64 = &neonF32, &neonF64
		return
	}
	active.f32, active.f64 = nil, nil
}

var neonF32 = table[float32]{
	lanes: 8, panel: 16, maxRows: 6,
	product: [9]func(*int){1: product1x2F32NEON, 2: product2x2F32NEON, 3: product3x2F32NEON, 4: product4x2F32NEON,
		5: product5x2F32NEON, 6: product6x2F32NEON},
	narrow: [9]func(*int){1: product1x1F32NEON, 2: product2x1F32NEON, 3: product3x1F32NEON, 4: product4x1F32NEON,
		5: product5x1F32NEON, 6: product6x1F32NEON},
	wide:     [4]func(*int){1: product1x8F32NEON, 2: product2x4F32NEON, 3: product3x4F32NEON},
	wideCols: [4]int{1: 64, 2: 32, 3: 32},
	rowDot: [5]func(int, *float32, int, *float32, int, *float32, int){1: rowDot8x1F32NEON, 2: rowDot4x2F32NEON,
		3: rowDot4x3F32NEON, 4: rowDot2x4F32NEON},
	rowDot1: [5]func(int, *float32, int, *float32, int, *float32, int){1: rowDot1x1F32NEON, 2: rowDot1x2F32NEON,
		3: rowDot1x3F32NEON, 4: rowDot1x4F32NEON},
	packTrans: packTransF32NEON,
	act1: [numFuncs]func(int, *float32, *float32){Sigmoid: sigmoid1F32NEON, Tanh: tanh1F32NEON,
		Softplus: softplus1F32NEON, SiLU: silu1F32NEON, GELU: gelu1F32NEON,
		Exp: expF32NEON, Log: logF32NEON, Sqrt: sqrtF32NEON, Reciprocal: reciprocalF32NEON, ReLU: reluF32NEON,
		Abs: absF32NEON, Neg: negF32NEON, Square: squareF32NEON, Sign: signF32NEON},
	act2: [numFuncs]func(int, *float32, *float32, *float32){Sigmoid: sigmoid2F32NEON, Tanh: tanh2F32NEON,
		Softplus: softplus2F32NEON, SiLU: silu2F32NEON, GELU: gelu2F32NEON},
	act3: [numFuncs]func(int, *float32, *float32, *float32, *float32){Sigmoid: sigmoid3F32NEON, Tanh: tanh3F32NEON,
		Softplus: softplus3F32NEON, SiLU: silu3F32NEON, GELU: gelu3F32NEON},
	act4: [numFuncs]func(int, *float32, *float32, *float32, *float32, *float32){Sigmoid: sigmoid4F32NEON,
		Tanh: tanh4F32NEON, Softplus: softplus4F32NEON, SiLU: silu4F32NEON, GELU: gelu4F32NEON},
	step: stepF32NEON,
	sin:  sinF32NEON, sinCos: sinCosF32NEON,
	binary: [numOps]func(int, *float32, *float32, *float32){opAdd: addF32NEON, opSub: subF32NEON, opMul: mulF32NEON,
		opDiv:  divF32NEON,
		opLess: lessF32NEON, opLessEqual: lessEqualF32NEON, opEqual: equalF32NEON, opNotEqual: notEqualF32NEON,
		opLarger: largerF32NEON, opSmaller: smallerF32NEON},
	scalar: [numOps]func(int, *float32, *float32, float32){opAdd: addScalarF32NEON, opMul: mulScalarF32NEON,
		opDiv: divScalarF32NEON, opRSub: scalarSubF32NEON, opRDiv: scalarDivF32NEON},
	ternary: [numOps]func(int, *float32, *float32, *float32, *float32){opMulAdd: mulAddF32NEON, opMulSub: mulSubF32NEON,
		opNegMulAdd: negMulAddF32NEON, opMulMul: mulMulF32NEON},
	mulMul: mulMulAddF32NEON, scaleAdd: scaleAddF32NEON, fill: fillF32NEON, sum: sumF32NEON, max: maxF32NEON,
	dot: dotF32NEON, colSum: colSumF32NEON,
}

var neonF64 = table[float64]{
	lanes: 4, panel: 8, maxRows: 6,
	product: [9]func(*int){1: product1x2F64NEON, 2: product2x2F64NEON, 3: product3x2F64NEON, 4: product4x2F64NEON,
		5: product5x2F64NEON, 6: product6x2F64NEON},
	narrow: [9]func(*int){1: product1x1F64NEON, 2: product2x1F64NEON, 3: product3x1F64NEON, 4: product4x1F64NEON,
		5: product5x1F64NEON, 6: product6x1F64NEON},
	wide:     [4]func(*int){1: product1x8F64NEON, 2: product2x4F64NEON, 3: product3x4F64NEON},
	wideCols: [4]int{1: 32, 2: 16, 3: 16},
	rowDot: [5]func(int, *float64, int, *float64, int, *float64, int){1: rowDot8x1F64NEON, 2: rowDot4x2F64NEON,
		3: rowDot4x3F64NEON, 4: rowDot2x4F64NEON},
	rowDot1: [5]func(int, *float64, int, *float64, int, *float64, int){1: rowDot1x1F64NEON, 2: rowDot1x2F64NEON,
		3: rowDot1x3F64NEON, 4: rowDot1x4F64NEON},
	packTrans: packTransF64NEON,
	act1: [numFuncs]func(int, *float64, *float64){Sigmoid: sigmoid1F64NEON, Tanh: tanh1F64NEON,
		Softplus: softplus1F64NEON, SiLU: silu1F64NEON, GELU: gelu1F64NEON,
		Exp: expF64NEON, Log: logF64NEON, Sqrt: sqrtF64NEON, Reciprocal: reciprocalF64NEON, ReLU: reluF64NEON,
		Abs: absF64NEON, Neg: negF64NEON, Square: squareF64NEON, Sign: signF64NEON},
	act2: [numFuncs]func(int, *float64, *float64, *float64){Sigmoid: sigmoid2F64NEON, Tanh: tanh2F64NEON,
		Softplus: softplus2F64NEON, SiLU: silu2F64NEON, GELU: gelu2F64NEON},
	act3: [numFuncs]func(int, *float64, *float64, *float64, *float64){Sigmoid: sigmoid3F64NEON, Tanh: tanh3F64NEON,
		Softplus: softplus3F64NEON, SiLU: silu3F64NEON, GELU: gelu3F64NEON},
	act4: [numFuncs]func(int, *float64, *float64, *float64, *float64, *float64){Sigmoid: sigmoid4F64NEON,
		Tanh: tanh4F64NEON, Softplus: softplus4F64NEON, SiLU: silu4F64NEON, GELU: gelu4F64NEON},
	step: stepF64NEON,
	sin:  sinF64NEON, sinCos: sinCosF64NEON,
	binary: [numOps]func(int, *float64, *float64, *float64){opAdd: addF64NEON, opSub: subF64NEON, opMul: mulF64NEON,
		opDiv:  divF64NEON,
		opLess: lessF64NEON, opLessEqual: lessEqualF64NEON, opEqual: equalF64NEON, opNotEqual: notEqualF64NEON,
		opLarger: largerF64NEON, opSmaller: smallerF64NEON},
	scalar: [numOps]func(int, *float64, *float64, float64){opAdd: addScalarF64NEON, opMul: mulScalarF64NEON,
		opDiv: divScalarF64NEON, opRSub: scalarSubF64NEON, opRDiv: scalarDivF64NEON},
	ternary: [numOps]func(int, *float64, *float64, *float64, *float64){opMulAdd: mulAddF64NEON, opMulSub: mulSubF64NEON,
		opNegMulAdd: negMulAddF64NEON, opMulMul: mulMulF64NEON},
	mulMul: mulMulAddF64NEON, scaleAdd: scaleAddF64NEON, fill: fillF64NEON, sum: sumF64NEON, max: maxF64NEON,
	dot: dotF64NEON, colSum: colSumF64NEON,
}

// copyRows is the routine that copies rows of the given size, if there is one.
func copyRows(bytes int) func(rows int, src *byte, ld int, dst *byte) {
	switch bytes {
	case 64:
		return copyRows2NEON
	case 96:
		return copyRows3NEON
	case 128:
		return copyRows4NEON
	case 192:
		return copyRows6NEON
	}
	return nil
}

func narrowVectors(blocks int, dst *float32, src *float64)        { narrowNEON(blocks, dst, src) }
func widenVectors(blocks int, dst *float64, src *float32)         { widenNEON(blocks, dst, src) }
func normalVectors(blocks int, dst *float64, state *[4][4]uint64) { normalNEON(blocks, dst, state) }
func adamVectors(blocks int, theta, m, v, grad, avg, p *float64) {
	adamNEON(blocks, theta, m, v, grad, avg, p)
}
