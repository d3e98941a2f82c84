package files

import (
	"bytes"
	"slices"
	"strings"
)

// SniffLen is the number of bytes of a file that Sniff looks at.
const SniffLen = 512

// kinds lists the beginnings of files, and what they say about the kind.
var kinds = []struct{ begin, says string }{
	{"version https://git-lfs.github.com/", "a Git LFS pointer, not the file; git lfs pull fetches it"},
	{"\xff\xfe", "text in UTF-16; store it in UTF-8"},
	{"\xfe\xff", "text in UTF-16; store it in UTF-8"},
	{"\x1f\x8b", "compressed by gzip; unpack it"},
	{"BZh91AY&SY", "compressed by bzip2; unpack it"},
	{"\xfd7zXZ\x00", "compressed by xz; unpack it"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it"},
	{"PK\x03\x04", "a zip archive, as workbooks and PyTorch's files are; unpack it, or export what it holds"},
	{"PK\x05\x06", "an empty zip archive"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old workbook or document of an office program; export it as CSV"},
	{"%PDF-", "a PDF document"},
	{"PAR1\x15", "a Parquet file; export it as CSV"},
	{"\x89HDF\r\n\x1a\n", "an HDF5 file; export what it holds as .npy"},
	{"MATLAB 5.0 MAT-file", "a MATLAB file; export what it holds as CSV"},
	{"SQLite format 3\x00", "an SQLite database; export a table as CSV"},
	{"\x93NUMPY", "a NumPy array; call it .npy"},
	{"\x89PNG\r\n\x1a\n", "a PNG picture"},
	{"\xff\xd8\xff", "a JPEG picture; export it as PNG"},
	{"GIF87a", "a GIF picture; export it as PNG"},
	{"GIF89a", "a GIF picture; export it as PNG"},
	{"\x80\x02", "a Python pickle; save the array by numpy.save"},
	{"\x80\x03", "a Python pickle; save the array by numpy.save"},
	{"\x80\x04", "a Python pickle; save the array by numpy.save"},
	{"\x80\x05", "a Python pickle; save the array by numpy.save"},
	{"\x7fELF", "a program"},
}

// Sniff says what kind of file begins with these bytes, and what helps, as in "a Git LFS pointer, not the file"; "" if
// they are inconclusive. Readers use it for files that are not of their own kind.
func Sniff(head []byte) string {
	head = head[:min(len(head), SniffLen)]
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.begin)) {
			return k.says
		}
	}
	text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")))
	switch {
	case begins(text, "<!doctype html", "<html", "<head", "<body", "<script"):
		return "a web page, not the file; a download link may ask for a login"
	case begins(text, "<?xml", "<!doctype", "<svg"):
		return "XML"
	case json(text):
		return "JSON"
	}
	return ""
}

// begins reports whether the text begins with one of these.
func begins(text string, these ...string) bool {
	return slices.ContainsFunc(these, func(begin string) bool { return strings.HasPrefix(text, begin) })
}

// json reports whether the text begins like a JSON object or array.
func json(text string) bool {
	if text == "" || text[0] != '{' && text[0] != '[' {
		return false
	}
	next := strings.TrimLeft(text[1:], " \t\r\n")
	if next == "" {
		return len(text) > 1 || text == "{" || text == "["
	}
	if text[0] == '{' {
		return next[0] == '"' || next[0] == '}'
	}
	return strings.ContainsRune("[{\"]-0123456789", rune(next[0])) || begins(next, "true", "false", "null")
}
