// Package vector provides the routines on flat float64 vectors that training and sampling need besides the compiled
// graph: standard normal draws, the Adam step and norms. They run on the same kernels (AVX-512, AVX2 or portable Go,
// chosen when the program starts) and do not allocate. Wrong lengths panic.
//
// There is an example of [Adam].
package vector
