package exec

import "fmt"

// Dump prints the program.
func (p *Program[T]) Dump() string { return fmt.Sprintf("program of %d steps", p.steps) }

