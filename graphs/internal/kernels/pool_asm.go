//go:build (amd64 || arm64) && !purego

package kernels

// pool4Asm runs one of the routines on windows of four, if there is one for so many channels.
func pool4Asm[T Float](which, n, c int, wide, dense, number []T, right, down, step int) bool {
	t := current[T]()
	if t == nil || t.pool4[which] == nil || c%t.lanes != 0 {
		return false
	}
	es := sizeof[T]()
	t.pool4[which](n, c/t.lanes, &wide[0], &dense[0], &number[0], right*es, down*es, step*es)
	return true
}
