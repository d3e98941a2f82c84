// Package plan decides in which order a graph of package ir is run, in which pieces, and where every value is.
//
// An instruction walks over the rows of its result or, if it sums over rows, over those of its first operand; an
// operand is read row by row (it is aligned) or whole. Instructions that walk over the rows of a batch form tiled
// segments; small ones, and those that need everything whole, form segments that run once. Who needs the sum of a
// batch, or a batch whole, comes in a later stage; within a stage the segment that runs once comes first.
//
// New takes a graph through passes, each of which takes a value and returns one. The tests verify it after each.
//
//	analyse   graph → facts         who reads what, what is held, which expansions need no place
//	assign    facts → schedule      the rows that instructions walk over, and stages
//	sink      schedule → schedule   later stages, where that saves keeping a batch
//	merge     schedule → schedule   sums of sums of products, which add to one place
//	cut       schedule → schedule   parts that become segments
//	fuse      schedule → schedule   element-wise instructions in groups
//	order     schedule → schedule   the order of least memory
//	house     schedule → layout     a slot for every value that needs one
//	split     layout → layout       tiles and stripes
//	write     layout → Plan         steps, and the code of groups
//	pack      Plan → Plan           places of slots in memory, by their life times
//
// A value lives where its readers allow: in a register of its group, a block of the first cache; in a tile, memory of
// a worker that is used again for every tile; whole, in an arena shared by values that do not live at the same time;
// or, if it depends on held inputs alone, in memory of its own. A sum over the rows of a batch has a partial value
// per stripe, or per worker if there is one.
package plan
