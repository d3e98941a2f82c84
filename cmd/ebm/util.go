package main

import (
	"maps"
	"slices"
)

// sortedKeys are the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// contains reports whether name is one of names.
func contains(names []string, name string) bool { return slices.Contains(names, name) }
