// Package files opens what others wrote, and says what it is, without trusting it.
//
//   - [Open] opens regular files only. A named pipe or a device would block, or never end.
//   - [ReadAll] reads a small file as a whole, and of a large one no more than tells that it is large.
//   - [Sniff] names a file by its first bytes where it is of another kind than its reader expects: a Git LFS pointer, a web page.
//   - [Quote], [Printable] and [Line] bring text from a file to a terminal or a page: control characters and marks that turn the
//     direction of writing are shown, not sent, and long text is cut.
//   - [Context] and [Interruptible] end a read when its context does.
package files
