// Package table reads points, one per row, from files as their authors meant them: .csv and other text, .npy, .npz.
//
//	path ──Load──▶ Table{X, Names, Report} ──Inspect──▶ []Finding
//
// Nothing is guessed that the file does not say, and nothing is skipped silently: the [Report] counts what was left out
// and where that began, names the separator and the decimal marks, and says which array of an .npz file was taken. An
// [*Error] names the file, the line and the column, and the field of [Options] that would help.
//
// # Text
//
// There is one separator for the whole file: comma, semicolon, tab, bar or spaces, the one with which most cells become
// numbers, or that of a line sep=; at the top. Fields may be quoted as in RFC 4180, including line breaks. Lines end
// with LF, CR LF or CR. Lines that begin with # are comments until the first row, and values after it (#DIV/0!). Text
// above the rows is a title, or the header if it has one name for each column; a line of exactly 0 … d−1 or 1 … d with
// rows below it is a header, too. Whether commas are decimal marks or group thousands is inferred from the numbers of
// the file, such as 1,234.5 and 1,5. If that is ambiguous, the file is rejected.
//
// # Arrays
//
// Headers of .npy files, versions 1, 2 and 3, are read as by numpy, with real numbers of every size and booleans. An
// .npz file may contain several arrays.
//
// # Limits
//
// At most [MaxRows] rows and [MaxColumns] columns are read, and no more memory is used than Options.MaxMemory, which is
// checked before anything of that size is allocated. A row of text may have a 64th of it, 16 MB by default.
//
// There is an example of [Inspect].
package table
