package graphs

// Tiles sets the planner's limits, for tests: rows per tile, and rows from which on a batch is cut.
func Tiles(rows, least int) Option {
	return func(o *options) { o.exec.TileRows, o.exec.MinRows = rows, least }
}
