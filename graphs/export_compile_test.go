package graphs

// Tiles sets the planner's limits, for tests: rows per tile, and rows from which on a batch is cut.
func Tiles(rows, least int) CompileOption {
	return compileOption(func(o *options) { o.run.TileRows, o.run.MinRows = rows, least })
}
