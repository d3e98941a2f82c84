// Package gorgonia reads the graphs of Gorgonia v0.9.18: which operation a node applies, with which parameters, to
// which operands.
//
// Gorgonia does not export the types of its operations or their fields. This package recognises the types by name and
// reads the fields by reflection. It is the only package that does so; all others switch on a Kind. An operation that
// does not look as expected is Unknown and never mistaken for another one; TestRead pins all of them.
package gorgonia
