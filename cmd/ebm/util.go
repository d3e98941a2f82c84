package main

import "slices"

// contains reports whether name is one of names.
func contains(names []string, name string) bool { return slices.Contains(names, name) }
