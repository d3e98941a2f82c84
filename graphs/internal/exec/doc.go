// Package exec plans a graph of package ir as a flat program and runs it, in float32 or float64.
//
// # Plan
//
// An instruction walks over the rows of its result, or, if it is a sum over rows, over those of its operands; an operand is
// read row by row (it is aligned) or whole. Instructions that walk over the rows of a batch form tiled segments; small ones, and
// those that need everything whole, form segments that run once. Who needs the sum of a batch, or a batch whole, comes in a
// later stage; within a stage the segment that runs once comes first.
//
//	planner.schedule  instructions to stages and segments
//	planner.units     element-wise instructions to groups
//	planner.order     units in the order of least memory
//	planner.split     tiles and stripes
//	planner.memory    places of all values, by their life times
//
// A value lives where its readers allow: in a register of its group, a block of the first cache; in a tile, memory of a
// worker that is used again for every tile; whole, in an arena shared by values that do not live at the same time; or, if it
// depends on held inputs alone, in memory of its own. A sum over the rows of a batch has a partial value per stripe, or per worker if
// there is one.
//
// # Run
//
// A program runs its segments one after the other. The stripes of a tiled segment are the parts of a job that the workers of
// the process's team share, each with tiles and registers of its own; then the partial sums are added up, in the order of
// the stripes. A worker who is alone adds each to those before it. Nothing is allocated, and nothing but opaque instructions can fail.
package exec
