package exec

import "fmt"

// Dump prints the program.
func (p *Program[T]) Dump() string { return fmt.Sprintf("program of %d steps", p.steps) }

// Close ends the helpers.
func (p *Program[T]) Close() {}
