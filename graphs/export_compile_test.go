package graphs

// Tiles sets the planner's limits, for tests: the rows per tile, and the number of rows from which on a batch is
// split.
func Tiles(rows, least int) CompileOption {
	return compileOption(func(o *options) { o.run.TileRows, o.run.MinRows = rows, least })
}
