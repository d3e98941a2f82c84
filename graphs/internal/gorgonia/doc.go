// Package gorgonia reads Gorgonia v0.9.18: what an operation is, with which parameters, and what a node is made of.
//
// Gorgonia keeps its operations to itself: their types and fields are not exported. This package knows them by the names of
// their types and reads their parameters by reflection. It is the only place that does; everybody else switches on a Kind.
// An operation that looks different from what is expected here is Unknown, never taken for something else; TestRead pins all
// of them.
package gorgonia
