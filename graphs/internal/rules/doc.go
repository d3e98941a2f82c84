// Package rules makes programs do less: Simplify rewrites instructions by rules, Fold draws factors of columns into
// weights, Fuse draws biases and factors into products and packs their right operands.
//
// A rule replaces one instruction, whose arguments are simplified already, by others that are equal to it and take
// less. The rules stand in files by families, each in a list by the instruction that it replaces, and are tried in
// that order; the first that knows something better has it. Equal instructions are merged, uniform constants and
// structural zeros folded, transpositions become flags of the products that read them, and expansions move behind the
// element-wise functions, so that a function of a column is computed once per row. x·0 is taken as 0 for every x,
// also for Inf and NaN: zeros in a derivative are structural.
//
// The test holds an example of every rule, and compares it, by package reference, with what it replaces on random
// numbers.
package rules
