// Package ir is what the compiler's stages hand on: a program as a list of instructions in static single assignment
// form, each of which makes one matrix from matrices made before it.
//
// Everything is a row-major matrix of Rows × Cols numbers of one type. A vector (n) is the row (1,n), a scalar is
// (1,1), a tensor of more dimensions is the row of all its elements: the instructions that need its shape have it in
// a strided view.
//
// Every instruction is a type of its own with the fields that it has. Its methods say how it is scheduled (see Op);
// what it is equal to is told by package rules, how it is planned by package plan, what it computes by package run.
package ir
