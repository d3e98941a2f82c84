// Package benchmarks holds the work that is timed: one optimizer step of an objective, one transition of a
// sampler, one energy and gradient, one compilation, one run of a graph on a machine. Its benchmarks
// (go test ./benchmarks -bench .) and the comparison with PyTorch (go run ./benchmarks/compare) time the same
// functions. README.md has the method and the results.
//
// Its tests are those of the whole: the reference values (TestGolden) and the table of imports.
package benchmarks
