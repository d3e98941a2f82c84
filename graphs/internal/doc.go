// Package internal is the compiler of graphs: stages with one type that each takes and one that it returns.
//
//	package graphs      *G.Node → *ir.Graph     lowering: nodes become instructions, one after the other, as they are
//	package rules       *ir.Graph → *ir.Graph   simplification by rules; factors, biases and packs drawn into products
//	package plan        *ir.Graph → *plan.Plan  order, segments, tiles, groups of element-wise instructions, memory
//	package run         *plan.Plan → Program    kernels for every step, workers
//
// Package ir holds the instructions that they hand on, package reference says slowly what each computes, package
// gorgonia reads Gorgonia's operations, package strided walks over arrays of any rank, package conv over the windows of
// pictures, package kernels is assembly.
//
// # How to add an instruction
//
// Say, Conv: pictures (n, h·w·c) and a filter to pictures, row by row.
//
//  1. ir/conv.go: a type with its parameters as fields, which embeds the class that schedules it (here byRow), with
//     Name, Text, and a constructor of Graph that checks shapes and calls Emit. The class answers how operands are read; override Aligned where that is not so (the filter is read whole: j == 0), and Reduces where the rows
//     of the batch are summed (the filter's gradient: Reduces and Aligned are true). An instruction that reduces gets
//     stripes of the batch one after the other and adds to what is there; the planner makes the partial sums. A type
//     with fields that == cannot compare has a method key. List it in ir.All.
//
//     The classes: Source, Map (element-wise: fused in groups; needs a MicroOp in plan/micro.go and its line in
//     run/group.go), Expansion, Reduction, ByRow (tiles of the batch), Whole (everything at once: no tiles).
//
//  2. rules: a list of rules in a file for the family, and a line of family in rules/rule.go. A rule says by its name
//     what is equal to what, and returns the replacement, or none. Its example goes into the table of
//     rules/examples_test.go: the test proves every rule on random numbers.
//
//  3. plan: nothing, unless it is worth cutting a batch for (isProduct), needs a workspace, or has floating-point
//     operations to count (writer.demand).
//
//  4. run: a kernel, and a line of newKernel. It is a function that returns a closure for the rows of the batch: what
//     it needs is allocated before. arg and dst say where operands are.
//
//  5. reference: what it computes, in the plainest way in float64. The tests compare with it.
//
//  6. graphs: lower an operation to it (own in lower.go, native.go for Gorgonia's), see CONTRIBUTING.md.
//
// The programs in graphs/testdata show what a change of a rule or a pass does to real graphs, and that it keeps their
// bits.
package internal
