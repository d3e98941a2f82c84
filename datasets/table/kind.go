package table

// Kind is the kind of a note or finding.
type Kind string

// Kinds of notes about reading a file.
const (
	HeaderOfNumbers Kind = "header of numbers" // a line of column numbers was taken for the header
	Decimals        Kind = "decimals"          // how numbers are written
	EmptyColumns    Kind = "empty columns"     // columns with neither name nor value were left out
	ArrayTaken      Kind = "array taken"       // which of several arrays was read
	Reshaped        Kind = "reshaped"          // an array of three dimensions was read as one of two
	Transposed      Kind = "transposed"        // few points of many coordinates
	RowNames        Kind = "row names"         // a column without a name
	FilledNext      Kind = "filled next"       // missing values were filled with a value next to the mean
	TwoOrOne        Kind = "two or one"        // two columns of whole numbers may be one with decimal commas
)
