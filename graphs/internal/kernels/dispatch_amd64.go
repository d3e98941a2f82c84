//go:build amd64 && !purego

package kernels

import "golang.org/x/sys/cpu"

// available lists the paths of this processor, the best one first.
func available() []string {
	x := &cpu.X86
	var p []string
	if x.HasAVX2 && x.HasFMA && x.HasBMI2 {
		if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512BW {
			p = append(p, "avx512")
		}
		p = append(p, "avx2")
	}
	return append(p, "generic")
}

// use makes a path of available the current one. It must not run together with anything else of this package.
func use(name string) {
	path = name
	switch name {
	case "avx512":
		active.f32, active.f64 = &avx512F32, &avx512F64
	case "avx2":
		active.f32, active.f64 = &avx2F32, &avx2F64
	default:
		active.f32, active.f64 = nil, nil
	}
}

var avx2F32 = table[float32]{
	lanes: 8, panel: 16, maxRows: 6, anyRows: true,
	product: [9]func(*int){1: product1x2F32AVX2, 2: product2x2F32AVX2, 3: product3x2F32AVX2, 4: product4x2F32AVX2,
		5: product5x2F32AVX2, 6: product6x2F32AVX2},
	narrow: [9]func(*int){1: product1x1F32AVX2, 2: product2x1F32AVX2, 3: product3x1F32AVX2, 4: product4x1F32AVX2,
		5: product5x1F32AVX2, 6: product6x1F32AVX2},
	wide:     [4]func(*int){1: product1x8F32AVX2, 2: product2x4F32AVX2, 3: product3x4F32AVX2},
	wideCols: [4]int{1: 64, 2: 32, 3: 32},
	rowDot: [5]func(int, *float32, int, *float32, int, *float32, int){1: rowDot8x1F32AVX2, 2: rowDot4x2F32AVX2,
		3: rowDot4x3F32AVX2, 4: rowDot2x4F32AVX2},
	rowDot1: [5]func(int, *float32, int, *float32, int, *float32, int){1: rowDot1x1F32AVX2, 2: rowDot1x2F32AVX2,
		3: rowDot1x3F32AVX2, 4: rowDot1x4F32AVX2},
	pool4:     [3]func(int, int, *float32, *float32, *float32, int, int, int){argMax4F32AVX2, pick4F32AVX2, place4F32AVX2},
	packTrans: packTransF32AVX2,
	act1: [numFuncs]func(int, *float32, *float32){Sigmoid: sigmoid1F32AVX2, Tanh: tanh1F32AVX2,
		Softplus: softplus1F32AVX2, SiLU: silu1F32AVX2, GELU: gelu1F32AVX2,
		Exp: expF32AVX2, Log: logF32AVX2, Sqrt: sqrtF32AVX2, Reciprocal: reciprocalF32AVX2, ReLU: reluF32AVX2,
		Abs: absF32AVX2, Neg: negF32AVX2, Square: squareF32AVX2, Sign: signF32AVX2},
	act2: [numFuncs]func(int, *float32, *float32, *float32){Sigmoid: sigmoid2F32AVX2, Tanh: tanh2F32AVX2,
		Softplus: softplus2F32AVX2, SiLU: silu2F32AVX2, GELU: gelu2F32AVX2},
	act3: [numFuncs]func(int, *float32, *float32, *float32, *float32){Sigmoid: sigmoid3F32AVX2, Tanh: tanh3F32AVX2,
		Softplus: softplus3F32AVX2, SiLU: silu3F32AVX2, GELU: gelu3F32AVX2},
	act4: [numFuncs]func(int, *float32, *float32, *float32, *float32, *float32){Sigmoid: sigmoid4F32AVX2,
		Tanh: tanh4F32AVX2, Softplus: softplus4F32AVX2, SiLU: silu4F32AVX2, GELU: gelu4F32AVX2},
	step: stepF32AVX2,
	sin:  sinF32AVX2, sinCos: sinCosF32AVX2,
	binary: [numOps]func(int, *float32, *float32, *float32){opAdd: addF32AVX2, opSub: subF32AVX2, opMul: mulF32AVX2,
		opDiv:  divF32AVX2,
		opLess: lessF32AVX2, opLessEqual: lessEqualF32AVX2, opEqual: equalF32AVX2, opNotEqual: notEqualF32AVX2,
		opLarger: largerF32AVX2, opSmaller: smallerF32AVX2},
	scalar: [numOps]func(int, *float32, *float32, float32){opAdd: addScalarF32AVX2, opMul: mulScalarF32AVX2,
		opDiv: divScalarF32AVX2, opRSub: scalarSubF32AVX2, opRDiv: scalarDivF32AVX2},
	ternary: [numOps]func(int, *float32, *float32, *float32, *float32){opMulAdd: mulAddF32AVX2, opMulSub: mulSubF32AVX2,
		opNegMulAdd: negMulAddF32AVX2, opMulMul: mulMulF32AVX2},
	mulMul: mulMulAddF32AVX2, scaleAdd: scaleAddF32AVX2, fill: fillF32AVX2, sum: sumF32AVX2, max: maxF32AVX2,
	dot: dotF32AVX2, colSum: colSumF32AVX2,
}

var avx2F64 = table[float64]{
	lanes: 4, panel: 8, maxRows: 6, anyRows: true,
	product: [9]func(*int){1: product1x2F64AVX2, 2: product2x2F64AVX2, 3: product3x2F64AVX2, 4: product4x2F64AVX2,
		5: product5x2F64AVX2, 6: product6x2F64AVX2},
	narrow: [9]func(*int){1: product1x1F64AVX2, 2: product2x1F64AVX2, 3: product3x1F64AVX2, 4: product4x1F64AVX2,
		5: product5x1F64AVX2, 6: product6x1F64AVX2},
	wide:     [4]func(*int){1: product1x8F64AVX2, 2: product2x4F64AVX2, 3: product3x4F64AVX2},
	wideCols: [4]int{1: 32, 2: 16, 3: 16},
	rowDot: [5]func(int, *float64, int, *float64, int, *float64, int){1: rowDot8x1F64AVX2, 2: rowDot4x2F64AVX2,
		3: rowDot4x3F64AVX2, 4: rowDot2x4F64AVX2},
	rowDot1: [5]func(int, *float64, int, *float64, int, *float64, int){1: rowDot1x1F64AVX2, 2: rowDot1x2F64AVX2,
		3: rowDot1x3F64AVX2, 4: rowDot1x4F64AVX2},
	pool4:     [3]func(int, int, *float64, *float64, *float64, int, int, int){argMax4F64AVX2, pick4F64AVX2, place4F64AVX2},
	packTrans: packTransF64AVX2,
	act1: [numFuncs]func(int, *float64, *float64){Sigmoid: sigmoid1F64AVX2, Tanh: tanh1F64AVX2,
		Softplus: softplus1F64AVX2, SiLU: silu1F64AVX2, GELU: gelu1F64AVX2,
		Exp: expF64AVX2, Log: logF64AVX2, Sqrt: sqrtF64AVX2, Reciprocal: reciprocalF64AVX2, ReLU: reluF64AVX2,
		Abs: absF64AVX2, Neg: negF64AVX2, Square: squareF64AVX2, Sign: signF64AVX2},
	act2: [numFuncs]func(int, *float64, *float64, *float64){Sigmoid: sigmoid2F64AVX2, Tanh: tanh2F64AVX2,
		Softplus: softplus2F64AVX2, SiLU: silu2F64AVX2, GELU: gelu2F64AVX2},
	act3: [numFuncs]func(int, *float64, *float64, *float64, *float64){Sigmoid: sigmoid3F64AVX2, Tanh: tanh3F64AVX2,
		Softplus: softplus3F64AVX2, SiLU: silu3F64AVX2, GELU: gelu3F64AVX2},
	act4: [numFuncs]func(int, *float64, *float64, *float64, *float64, *float64){Sigmoid: sigmoid4F64AVX2,
		Tanh: tanh4F64AVX2, Softplus: softplus4F64AVX2, SiLU: silu4F64AVX2, GELU: gelu4F64AVX2},
	step: stepF64AVX2,
	sin:  sinF64AVX2, sinCos: sinCosF64AVX2,
	binary: [numOps]func(int, *float64, *float64, *float64){opAdd: addF64AVX2, opSub: subF64AVX2, opMul: mulF64AVX2,
		opDiv:  divF64AVX2,
		opLess: lessF64AVX2, opLessEqual: lessEqualF64AVX2, opEqual: equalF64AVX2, opNotEqual: notEqualF64AVX2,
		opLarger: largerF64AVX2, opSmaller: smallerF64AVX2},
	scalar: [numOps]func(int, *float64, *float64, float64){opAdd: addScalarF64AVX2, opMul: mulScalarF64AVX2,
		opDiv: divScalarF64AVX2, opRSub: scalarSubF64AVX2, opRDiv: scalarDivF64AVX2},
	ternary: [numOps]func(int, *float64, *float64, *float64, *float64){opMulAdd: mulAddF64AVX2, opMulSub: mulSubF64AVX2,
		opNegMulAdd: negMulAddF64AVX2, opMulMul: mulMulF64AVX2},
	mulMul: mulMulAddF64AVX2, scaleAdd: scaleAddF64AVX2, fill: fillF64AVX2, sum: sumF64AVX2, max: maxF64AVX2,
	dot: dotF64AVX2, colSum: colSumF64AVX2,
}

// The AVX-512 tables are the AVX2 ones with the kernels replaced that gain by wider vectors; sums, element-wise
// operations and dot products are bound by memory.
var avx512F32, avx512F64 = func() (table[float32], table[float64]) {
	f, d := avx2F32, avx2F64
	f.panel, f.maxRows = 32, 8
	f.product = [9]func(*int){1: product1x2F32AVX512, 2: product2x2F32AVX512, 3: product3x2F32AVX512,
		4: product4x2F32AVX512,
		5: product5x2F32AVX512, 6: product6x2F32AVX512, 7: product7x2F32AVX512, 8: product8x2F32AVX512}
	f.narrow = [9]func(*int){1: product1x1F32AVX512, 2: product2x1F32AVX512, 3: product3x1F32AVX512,
		4: product4x1F32AVX512, 5: product5x1F32AVX512, 6: product6x1F32AVX512, 7: product7x1F32AVX512,
		8: product8x1F32AVX512}
	f.wide = [4]func(*int){1: product1x8F32AVX512, 2: product2x4F32AVX512, 3: product3x4F32AVX512}
	f.wideCols = [4]int{1: 128, 2: 64, 3: 64}
	d.panel, d.maxRows = 16, 8
	d.product = [9]func(*int){1: product1x2F64AVX512, 2: product2x2F64AVX512, 3: product3x2F64AVX512,
		4: product4x2F64AVX512,
		5: product5x2F64AVX512, 6: product6x2F64AVX512, 7: product7x2F64AVX512, 8: product8x2F64AVX512}
	d.narrow = [9]func(*int){1: product1x1F64AVX512, 2: product2x1F64AVX512, 3: product3x1F64AVX512,
		4: product4x1F64AVX512, 5: product5x1F64AVX512, 6: product6x1F64AVX512, 7: product7x1F64AVX512,
		8: product8x1F64AVX512}
	d.wide = [4]func(*int){1: product1x8F64AVX512, 2: product2x4F64AVX512, 3: product3x4F64AVX512}
	d.wideCols = [4]int{1: 64, 2: 32, 3: 32}
	f.act1[Sigmoid] = sigmoid1F32AVX512
	f.act2[Sigmoid] = sigmoid2F32AVX512
	f.act3[Sigmoid] = sigmoid3F32AVX512
	f.act4[Sigmoid] = sigmoid4F32AVX512
	f.act1[Tanh] = tanh1F32AVX512
	f.act2[Tanh] = tanh2F32AVX512
	f.act3[Tanh] = tanh3F32AVX512
	f.act4[Tanh] = tanh4F32AVX512
	f.act1[Softplus] = softplus1F32AVX512
	f.act2[Softplus] = softplus2F32AVX512
	f.act3[Softplus] = softplus3F32AVX512
	f.act4[Softplus] = softplus4F32AVX512
	f.act1[SiLU] = silu1F32AVX512
	f.act2[SiLU] = silu2F32AVX512
	f.act3[SiLU] = silu3F32AVX512
	f.act4[SiLU] = silu4F32AVX512
	f.act1[GELU] = gelu1F32AVX512
	f.act2[GELU] = gelu2F32AVX512
	f.act3[GELU] = gelu3F32AVX512
	f.act4[GELU] = gelu4F32AVX512
	f.act1[Exp] = expF32AVX512
	f.sin, f.sinCos = sinF32AVX512, sinCosF32AVX512
	d.act1[Sigmoid] = sigmoid1F64AVX512
	d.act2[Sigmoid] = sigmoid2F64AVX512
	d.act3[Sigmoid] = sigmoid3F64AVX512
	d.act4[Sigmoid] = sigmoid4F64AVX512
	d.act1[Tanh] = tanh1F64AVX512
	d.act2[Tanh] = tanh2F64AVX512
	d.act3[Tanh] = tanh3F64AVX512
	d.act4[Tanh] = tanh4F64AVX512
	d.act1[Softplus] = softplus1F64AVX512
	d.act2[Softplus] = softplus2F64AVX512
	d.act3[Softplus] = softplus3F64AVX512
	d.act4[Softplus] = softplus4F64AVX512
	d.act1[SiLU] = silu1F64AVX512
	d.act2[SiLU] = silu2F64AVX512
	d.act3[SiLU] = silu3F64AVX512
	d.act4[SiLU] = silu4F64AVX512
	d.act1[GELU] = gelu1F64AVX512
	d.act2[GELU] = gelu2F64AVX512
	d.act3[GELU] = gelu3F64AVX512
	d.act4[GELU] = gelu4F64AVX512
	d.act1[Exp] = expF64AVX512
	d.sin, d.sinCos = sinF64AVX512, sinCosF64AVX512
	return f, d
}()

// copyRows is the routine that copies rows of the given size, if there is one.
func copyRows(bytes int) func(rows int, src *byte, ld int, dst *byte) {
	switch bytes {
	case 64:
		return copyRows2AVX2
	case 96:
		return copyRows3AVX2
	case 128:
		return copyRows4AVX2
	case 192:
		return copyRows6AVX2
	}
	return nil
}

func narrowVectors(blocks int, dst *float32, src *float64)        { narrowAVX2(blocks, dst, src) }
func widenVectors(blocks int, dst *float64, src *float32)         { widenAVX2(blocks, dst, src) }
func normalVectors(blocks int, dst *float64, state *[4][4]uint64) { normalAVX2(blocks, dst, state) }
func adamVectors(blocks int, theta, m, v, grad, avg, p *float64) {
	adamAVX2(blocks, theta, m, v, grad, avg, p)
}
