// Package rules optimises programs: Simplify rewrites instructions by rules, Fold moves column scalings from the left
// operand of a product into its weights, and Fuse turns biases and factors into epilogues of products and packs their
// right operands.
//
// A rule replaces one instruction, whose arguments are already simplified, by equal but cheaper ones. The files group
// the rules by family; within a file there is one list per instruction to be replaced, and the first rule of the list
// that applies wins. Equal instructions are merged, uniform constants and structural zeros are folded, transposes
// become flags of the products that read them, and element-wise functions move inside broadcasts, so that a function
// of a column is computed once per row. x·0 is taken to be 0 for every x, even Inf and NaN: zeros in a derivative are
// structural.
//
// The test has an example of every rule and compares, by package reference on random numbers, the replacement with
// what it replaces.
package rules
