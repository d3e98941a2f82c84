// Package kernels holds the inner loops of the compiled graph: matrix products, element-wise functions with their
// derivatives, sums, conversions, normals and the Adam step, over float32 and float64.
//
// # Paths
//
// Four implementations of every routine stand behind one API: Go assembly with AVX-512, with AVX2 and FMA, with NEON,
// and portable Go. The best one that the processor has is chosen when the program starts; [Path] tells which. The
// environment variable STHENO_CPU = avx512, avx2, neon or generic asks for another one: one that the processor (or
// this build) does not have is an error that stops the program at start-up, so that a test never runs another path
// than it names. The build tag purego leaves the assembly out; it is also what other architectures than amd64 and
// arm64 get.
//
// The assembly is written by the generator in gen, a module of its own (go generate runs it): gen/describe holds the
// formulas, gen/x86 and gen/neon write them as instructions, gen/a64 encodes those of arm64.
//
// # Conventions
//
// Matrices are row-major; a leading dimension ld is the distance of two rows in elements. Element-wise routines take
// slices of one length; dst may be the same slice as an operand, but may not overlap one otherwise. Nothing here
// allocates: products take their workspace from the caller. Wrong lengths are the programmer's mistake and panic.
//
// # Order of summation
//
// Every reduction has one fixed order of summation that depends on its shape alone, so that results do not depend on
// the number of threads, as long as a thread computes whole elements of the result:
//
//   - an element of a product is one chain of fused multiply-adds over k = 0, 1, …, starting from 0, the bias or the
//     old C. Splitting k over several accumulating calls in ascending order therefore changes no bit. The exception is
//     a product with at most four columns whose A is not transposed: it adds term k to lane k mod 8 (4 in float64) and
//     then the lanes;
//   - [Sum], [Dot], [RowSum], [RowDot] of at least 8 elements add element i to lane i mod L (L = 32 in float32, 16 in
//     float64) and then the lanes pairwise: j and j+L/2, j and j+L/4, …; shorter sums run from left to right;
//   - [ColSum] adds the rows from first to last.
//
// The assembly paths agree bit for bit in everything, on whatever machine, but for the sign and payload of NaN. So
// does the portable path in sums, conversions, [Normal] and [Adam], where a fused multiply-add is made of several
// operations if the processor has none; its products and activations are written with plain multiplications and
// additions, which compilers fuse where they can, and may differ in the last places from the assembly and between
// architectures.
//
// # Accuracy
//
// Values and derivatives up to order 3 are within 4 units in the last place of the correctly rounded value, for all
// arguments, infinite ones and results below the least normal number included; NaN gives NaN. A derivative that passes
// through zero (SiLU', GELU', and orders 2 and 3 of all activations) keeps its error below 4 units in the last place of
// the greatest of the terms that cancel there: the bound is absolute near the zero, relative away from it.
package kernels

//go:generate go -C gen run . -isa avx2 -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg kernels
//go:generate go -C gen run . -isa avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg kernels
//go:generate go -C gen run . -isa neon -out ../neon_arm64.s -stubs ../neon_arm64.go -pkg kernels
//go:generate go -C gen run . -isa ""
