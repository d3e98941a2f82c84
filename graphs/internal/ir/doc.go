// Package ir is the intermediate representation that the compiler's stages pass along: a program is a list of
// instructions in static single assignment form, each of which computes one matrix from earlier ones.
//
// Every value is a row-major matrix of Rows × Cols numbers of one type. A vector (n) is the row (1,n), a scalar is
// (1,1), and a tensor of higher rank is the row of all its elements; instructions that depend on its shape carry it
// in a strided view.
//
// Each instruction is a type of its own, with its parameters as fields. Its methods say how it may be scheduled (see
// Op). Package rules knows the identities that hold for it, package plan plans it, and package run computes it.
package ir
