package graphs

// Tiles sets the planner's limits, for tests: rows per tile, and rows from which on a batch is cut.
func Tiles(rows, least int) CompileOption {
	return compileOption(func(o *options) { o.exec.TileRows, o.exec.MinRows = rows, least })
}

// Share sets the estimated time of a segment, in nanoseconds, from which on it is shared with helpers.
func Share(ns float64) CompileOption {
	return compileOption(func(o *options) { o.exec.Share = ns })
}
