// Package run runs plans, in float32 or float64.
//
// A program runs its segments one after the other. The stripes of a tiled segment are the parts of a job that the
// workers of the process's team share, each with tiles and registers of its own; then the partial sums are added up,
// in the order of the stripes. A worker who is alone adds each to those before it. Nothing is allocated, and nothing
// but opaque instructions can fail.
//
// What an instruction computes stands in a kernel: a function that a worker makes for a step when the program is
// made, and calls for its rows. See newKernel.
package run
