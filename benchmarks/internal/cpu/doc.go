// Package cpu measures processor time.
package cpu
