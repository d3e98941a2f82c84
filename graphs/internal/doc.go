// Package internal is the compiler of package graphs, a pipeline of stages that each take one type and return one.
//
//	package graphs      *G.Node → *ir.Graph     lowering: nodes become instructions one by one, unchanged
//	package rules       *ir.Graph → *ir.Graph   simplification by rules; scalings, biases and packs fused into products
//	package plan        *ir.Graph → *plan.Plan  order, segments, tiles, groups of element-wise instructions, memory
//	package run         *plan.Plan → Program    kernels for every step, workers
//
// Package ir has the instructions that they pass along, package reference computes each of them slowly and plainly,
// package gorgonia reads Gorgonia's operations, package strided walks over arrays of any rank, package conv over the
// windows of pictures, package kernels has the inner loops, many in assembly, and package team the goroutines that
// share work.
//
// # How to add an instruction
//
// Take Conv as the example: it maps pictures (n, h·w·c) and a filter to pictures, row by row.
//
//  1. ir/conv.go: a type with its parameters as fields that embeds the class by which it is scheduled (here byRow),
//     with Name, Text, and a constructor on Graph that checks shapes and calls Emit. The class says how operands are
//     read; override Aligned where that does not hold (the filter is read whole: j == 0), and Reduces where the rows
//     of the batch are summed (the filter's gradient: Reduces and Aligned are true). An instruction that reduces is
//     given stripes of the batch one after the other and adds to the result so far; the planner arranges the partial
//     sums. A type with fields that == cannot compare has a method key. List the type in ir.All.
//
//     The classes: Source, Map (element-wise: fused in groups; needs a MicroOp in plan/micro.go and its line in
//     run/group.go), Expansion, Reduction, ByRow (tiles of the batch), Whole (everything at once: no tiles).
//
//  2. rules: a list of rules in the file of its family, and a case of family in rules/rule.go. The name of a rule
//     states the identity that it applies; it returns the replacement, or none. Its example goes into the table of
//     rules/examples_test.go: the test checks every rule on random numbers.
//
//  3. plan: nothing, unless it is expensive enough to split a batch for (isProduct), needs a workspace, or has
//     floating-point operations to count (writer.demand).
//
//  4. run: a kernel, and a line of newKernel. A kernel is a function that allocates what it needs and returns a
//     closure to be called with rows of the batch. arg and dst say where the operands are.
//
//  5. reference: what it computes, in the plainest possible way in float64. The tests compare with it.
//
//  6. graphs: lower an operation to it (our own in lower.go, Gorgonia's in native.go); see CONTRIBUTING.md.
//
// The programs in graphs/testdata show what a change of a rule or a pass does to real graphs, and that results stay
// the same to the bit.
package internal
