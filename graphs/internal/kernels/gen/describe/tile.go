package describe

// Offsets of the fields of type tile.
const (
	TileA = 8 * iota
	TileRsa
	TileCsa
	TileB
	TileLdb
	TileC
	TileLdc
	TileK
	TileInit
	TileBias
	TileMul
	TileLdm
	TileCols
	TileBlocks
)
