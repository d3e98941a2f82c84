// Package graphs differentiates symbolic Gorgonia graphs to any order and compiles them into fast functions.
package graphs
