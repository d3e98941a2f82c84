// Package run runs plans, in float32 or float64.
//
// A program runs its segments one after the other. The stripes of a tiled segment are the parts of a job that the
// workers of the process's team share, each with tiles and registers of its own; then the partial sums are added up,
// in the order of the stripes. A single worker adds each to those before it. Of what runs once, large copies are
// shared: conversions, packing, gathers. Nothing is allocated, and only opaque instructions can fail.
//
// The code of an instruction is a kernel: a function that a worker makes for a step when the program is made, and
// then calls for rows of that step. See newKernel.
package run
