// Package onnx writes graphs in the ONNX format, so that other programs can run them: ONNX Runtime, browsers, phones.
//
// What is written is the graph as graphs.Compile makes instructions of it, derivatives included, in standard operations
// of the default domain, opset 17: a gradient is as good a model as an energy. Views of arrays become Reshape, Slice,
// Transpose and Expand, or a Gather where windows overlap, and what is added to them Pad, ReduceSum and ScatterND;
// products of many matrices are one MatMul, convolutions and pools Conv, ConvTranspose, MaxPool and AveragePool on
// pictures that are transposed for them, and where ONNX Runtime lacks these, in double and for derivatives in filters,
// products of patches. Dropout and the BatchNorm of Gorgonia's are written as they are in evaluation, and refused while
// they train. Activations and their derivatives of every order are written out,
//
//	σ^(k)(x)     (-1)^(k+1) P_k(s) for x > 0, P_k(s) else; s = σ(-|x|), P_1(s) = s - s², P_(k+1) = P_k'·(s - s²)
//	silu^(k)     x σ^(k) + k σ^(k-1)
//	tanh^(k)     2^(k+1) σ^(k)(2x)
//	softplus^(k) σ^(k-1)
//	gelu^(k)     Φ + xφ for k = 1, q_k φ above; q_2 = 2 - x², q_(k+1) = q_k' - x q_k
//
// so that there is no cancellation where σ is close to 1.
//
// Marshal writes a graph with its own shapes. MarshalBatch leaves the number of rows open: it has the graph built for a
// large prime number of rows, which divides no other size, so that every size, stride and offset of the instructions
// can be read as k·N^e for N rows. Sums over the batch are sums over N, and a mean over it divides by the N of the
// call. Any other dependence on the batch, such as all rows but the last, is rejected.
//
// In double, only operations that ONNX Runtime has for that type are used. It has no Erf, which GELU and its first
// derivative need: they can be written in float only, and are an error in double.
//
// Matrices stay matrices; weight vectors (m) are stored as rows (1,m), which broadcast in the same way. Numbers have
// the type of the graph, float or double. Repeating rows and columns is left to the runtime's broadcasting.
//
// Format: https://github.com/onnx/onnx/blob/main/docs/IR.md and onnx.proto.
//
// There is an example of [MarshalBatch].
package onnx
