// Package table reads points, one per row, from files as their owner meant them: .csv and other text, .npy, .npz.
//
//	path ──Load──▶ Table{X, Names, Report} ──Inspect──▶ []Finding
//
// Nothing is guessed where the file does not say it, and nothing is skipped in silence: the [Report] counts what was left out and
// where it began, names the separator and the marks of decimals, and which array of an .npz file was taken. An [*Error] names the
// file, the line and the column, and the field of [Options] that would help.
//
// # Text
//
// One separator divides the whole file: comma, semicolon, tab, bar or blanks, the one by which most cells become numbers, or that of a
// line sep=; at the top. Fields may stand between quotation marks, as RFC 4180 has them, line breaks within them too. Lines end with LF,
// CR LF or CR. Lines that begin with # are comments until the first row, and values after it (#DIV/0!). Text above the
// rows is a title, or the header if it has one name for each column; so is a line of exactly 0 … d−1 or 1 … d with rows below it.
// Commas are decimals, or group thousands, where the numbers of the file tell: 1,234.5 and 1,5. Where they do not, the file is refused.
//
// # Arrays
//
// Headers of .npy files are read as numpy reads them, of versions 1, 2 and 3, with real numbers of every size and truth values. An .npz
// file may hold several arrays.
//
// # Limits
//
// At most [MaxRows] rows and [MaxColumns] columns are read, and no more memory is taken than Options.MaxMemory, which is asked for
// before anything of that size is allocated. A row of text may have a 64th of it, 16 MB by default.
package table
