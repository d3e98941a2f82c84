// Package graphs differentiates symbolic Gorgonia graphs to any order and compiles them into fast functions.
//
// Building a graph and running it are separate. To build:
//
//	x, θ            inputs                        NewInput
//	E = E(x, θ)     an expression                 the builders: Affine, SiLU, RowSum, …
//	g = ∇ₓ ΣE       its derivatives, nodes too    Grad, VJP, JVP, HVP, HessianTrace, DirectionalCurvature
//	L = L(E, g, …)  a loss made of them           the builders
//	∂L/∂θ           differentiated once more      Grad
//
//	x, θ ─▶ E ─Grad▶ ∇ₓE ─▶ L ─Grad▶ ∂L/∂θ        nodes of one Gorgonia graph
//	        │         │              │
//	        └─────────┴──── Compile ─┘            simplify, order, fuse, plan memory
//	                          ▼
//	        args ──▶ Function.Call ──▶ dst        row-major []float64
//
// To run: Compile makes a Function of inputs and outputs, and Call evaluates it. A whole Gorgonia program, with Let,
// Read, Grad and solvers, runs on a Machine instead of Gorgonia's tape machine.
//
// # Shapes
//
// Operations work on matrices (n,m) whose rows are the samples of a batch, on vectors (m), and on single numbers, which
// are vectors of shape (1). Nothing is broadcast: the operands of Add have the same shape, and ExpandRows, ExpandCols
// and Fill make repetitions explicit. These cost nothing once compiled.
//
// The builders return nodes, not errors, so that code reads like mathematics; a wrong shape ends the enclosing Try,
// which returns the error:
//
//	e, err := graphs.Try(func() *gorgonia.Node {
//		h := graphs.SiLU(graphs.Affine(x, w0, b0)) // (n, width)
//		return graphs.Affine(h, w1, b1)            // (n, 1)
//	})
//
// Outside Try that error is a panic.
//
// # First derivatives
//
// A rule maps an operation to an expression. For y = f(x), with adjoints x̄ = ∂L/∂x and tangents ẋ,
//
//	reverse   x̄ += ȳ·∂f/∂x      forward   ẏ = ∂f/∂x·ẋ
//
// where ∂f/∂x is again written with nodes; the call of Grad holds the adjoints and nothing is stored on the nodes.
// Therefore the result can be differentiated like anything else, in either mode, to any order. Activations are closed
// under this: the k-th derivative of SiLU is a single node, not a formula of many. Where there is no path the
// derivative is a structural zero: a node of the right shape that is dropped from every sum and product.
//
// Derivatives are simplified as they are built where that costs nothing. At the ends of a network adjoints are repeated
// rows and columns, constants and unit vectors; products with them need no matrix product.
//
// # Second derivatives
//
// Score matching needs, for every row of a batch, vᵀHv or tr H = Σ_k e_kᵀHe_k with H = ∇²E, and then the gradient of
// that in θ. Write ż for the tangent of z along v and a_z = ∂E/∂z for the adjoint. There are four ways:
//
//	reverse over reverse    ∇ₓ(gᵀv)·v
//	forward over reverse    ġᵀv, the tangent of the gradient
//	Taylor                  z̈ = J z̈ + z″[ż, ż] along the graph, E̋ at its end; the forward Laplacian for traces
//	contracted              Σ_z a_z·z″[ż, ż], over all operations
//
// The contracted form is Taylor mode with its linear part carried by the adjoints, which the score needs anyway. For an
// energy of affine maps and activations f the sum is over the activations: Σ_l Σ_j a_l,j f″(z_l,j) ż_l,j². One forward
// sweep, one reverse sweep and one tangent per direction, and no second coefficient.
//
// The savings show in the number of products in the training gradient. With two hidden layers of width w and a batch of
// n rows there is one product (n,w)·(w,w) per sweep, and differentiating a product costs two more. Counting E, g, the
// loss and its gradient in θ, with equal expressions counted once, this gives
//
//	E and ∇ₓE (a sampler's step)                  2
//	noise contrastive estimation, per batch       3
//	denoising score matching, ½|g|²               6
//	sliced score matching, ½|g|² - vᵀHv           9    (11 by Taylor or reverse over reverse, 12 by forward over reverse)
//	exact score matching in d dimensions   3(2 + d)    (12 for d = 2; 14 by Taylor, 18 by the others)
//
// No form is best for every graph, so HessianTrace, DirectionalCurvature and HVP build all of them on a copy, count the
// operations of value and parameter gradient, and keep the cheapest.
//
// # Gorgonia's own operations
//
// Energies should be built from the operations of this package, but Gorgonia's are supported as well. For
// differentiation they are translated to ours, so that Grad gives derivatives of every order in both modes; the table
// below lists the exceptions, for which an error, ErrNoRule, names the operation. For third-party operations their
// SymDiff is used. If a maximum is attained more than once, the first element gets the derivative; two equal operands
// of MaxBetween get half of it each. A Dropout uses one mask for value and gradients; the derivative of a BatchNorm
// follows its mode. The gradient of CTCLoss is with respect to log-probabilities that need not be normalised; after a
// LogSoftMax it equals Gorgonia's. The assignment of boxes to targets that YOLOv3 makes in training is treated as
// constant.
//
// A few of Gorgonia's values are wrong, and are correct here: sums, means and maxima over more than one of four axes,
// unless the sizes are equal, maxima along an inner one, and ByIndices on an axis between others.
//
// Gorgonia identifies nodes by 32-bit hashes, so different expressions may be merged. The builders check every node
// they get and work around collisions; inputs must have unique names, which NewInput enforces. Merging by Gorgonia's
// own functions cannot be detected here: LogSoftMax of a node whose SoftMax exists, and slices whose bounds differ by
// multiples of 256, return the other node. RowSoftmax, RowLogSumExp, SliceRows and SliceCols have no such traps.
//
// # Table of operations
//
// Derivatives of every order, run by this package:
//
//	Abs; Sign; Ceil; Floor; Sin; Cos; Exp; Log (plain, scalar); Log2; Neg (plain, scalar, 4 axes); Square; Sqrt;
//	Inverse; InverseSqrt; Cube; Tanh (plain, scalar, 4 axes); Sigmoid; Log1p; Expm1; Softplus; Rectify; Mish;
//	LeakyRelu; Add (plain, scalar and matrix, matrix and scalar, scalars);
//	Sub (plain, scalar and matrix, matrix and scalar, scalars);
//	HadamardProd (plain, scalar and matrix, matrix and scalar, scalars);
//	HadamardDiv (plain, scalar and matrix, matrix and scalar, scalars);
//	Pow (plain, scalar and matrix, matrix and scalar, scalars, constant 3, constant 0.5, constant -2); Lt; Gt; Lte;
//	Gte; Eq; Ne; MinBetween; MaxBetween; BroadcastAdd (plain, axis 1 of 3, both sides);
//	BroadcastSub (plain, axis 1 of 3, both sides); BroadcastHadamardProd (plain, axis 1 of 3, both sides);
//	BroadcastHadamardDiv (plain, axis 1 of 3, both sides); BroadcastPow (plain, axis 1 of 3, both sides);
//	BinaryXent; Mul (matrices, matrix and vector, vectors, scalar and matrix); OuterProd;
//	BatchedMatMul (plain, second transposed, first transposed, 4 axes); Tensordot (plain, two axes);
//	SoftMax (plain, axis 0, vector, column, 3 axes, axis 3 of 4, axis 1 of 4); LogSoftMax (plain, axis 2 of 3);
//	Dropout (p = 0); Im2Col; Conv2d (padded, stride 2, dilation 2); Conv1d; MaxPool2D (plain, overlapping, padded);
//	MaxPool1D; AveragePool2D; GlobalAveragePool2D; Upsample2D; BatchNorm (images, plain);
//	Sum (plain, axis 0, axis 1, axes 2 and 3 of 4, axis 1 of 3, vector);
//	Mean (plain, axis 0, axis 1, axes 2 and 3 of 4, axis 1 of 3, vector);
//	Max (plain, axis 0, axis 1, axes 2 and 3 of 4, axis 1 of 3, vector); Norm (2); KeepDims (sum); ReduceAdd; At;
//	Slice (row, column, two axes, steps, of 3 axes, element); Transpose (plain, 4 axes);
//	Concat (0, 1, 1 of 4, vectors); Reshape; Ravel; ByIndices
//
// Derivatives of every order, run by Gorgonia's code:
//
//	Tensordot (vectors); Sparsemax; GroupNorm; YOLOv3 (plain, training)
//
// Derivatives of first order, run by Gorgonia's code:
//
//	CTCLoss
//
// # Compiled functions
//
// Compile lowers the nodes on which the outputs depend to a small instruction set on matrices, and simplifies: dead
// code, equal expressions, constants, structural zeros and transpositions are eliminated; biases and factors are folded
// into products; weight gradients are accumulated in place. Whatever depends only on held inputs and constants,
// including packed weights, is recomputed only when those change.
//
// The rows of a batch are independent until something sums over them. The program therefore runs on tiles: a few dozen
// rows go through all products and functions while they are in the cache, so memory is needed only for a tile of each
// intermediate value, whatever the batch size. Element-wise instructions of the same shape run fused, block by block;
// derivatives of an activation needed in the same place share one evaluation of its exponential. Sums over rows are
// kept per stripe, an eighth of the batch or 64 rows, and added up in order at the end. Stripes depend only on the
// shape and may run on any thread, so the result is the same, bit for bit, for any number of threads.
//
// Function.String prints the program, and Function.Profile the time of each step.
//
// # Concurrency
//
// Gorgonia keeps package-wide state while graphs are built. Hold the lock of Building during every use of this package
// that makes nodes, if more than one goroutine may build. Functions run without it.
//
// There are examples of [JVP], [Grad], [HessianTrace], [Try], [Must], [Compile], [Machine] and [NewMachine].
package graphs
