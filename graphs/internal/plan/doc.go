// Package plan decides in which order a graph of package ir is run, in which pieces, and where every value is stored.
//
// An instruction walks over the rows of its result or, if it sums over rows, over those of its first operand; an
// operand is read row by row (it is aligned) or whole. Instructions that walk over the rows of a batch form tiled
// segments; small ones, and those that need their whole operands, form segments that run once. An instruction that
// needs the sum over a batch, or a whole batch, runs in a later stage; within a stage the segment that runs once comes
// first.
//
// New takes a graph through passes, each of which takes a value and returns one. The tests verify the value after each.
//
//	analyse   graph → facts         readers of values, held values, broadcasts that need no storage
//	assign    facts → schedule      the rows that instructions walk over, and stages
//	sink      schedule → schedule   later stages, where that saves keeping a batch
//	merge     schedule → schedule   sums of sums of products, which accumulate in one place
//	cut       schedule → schedule   parts, which become segments
//	fuse      schedule → schedule   element-wise instructions in groups
//	order     schedule → schedule   the order that needs the least memory
//	house     schedule → layout     a slot for every value that needs one
//	split     layout → layout       tiles and stripes
//	write     layout → Plan         steps, and the code of groups
//	pack      Plan → Plan           offsets of slots in memory, by their lifetimes
//
// A value is stored where its readers allow: in a register of its group, a block in the first-level cache; in a tile,
// memory of a worker that is reused for every tile; whole, in an arena shared by values that do not live at the same
// time; or, if it depends on held inputs alone, in memory of its own. A sum over the rows of a batch has a partial sum
// per stripe or, if there is a single worker, one for it.
package plan
