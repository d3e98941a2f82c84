// Package files opens files from untrusted sources and says what they are, and writes files whole or not at all.
//
//   - [Open] opens regular files only. A named pipe or a device would block, or never end.
//   - [ReadAll] reads a small file as a whole, and of a large one no more than is needed to see that it is large.
//   - [Write] and [KeepIn] replace a file so that a crash at any moment leaves the old content or the new.
//   - [Sniff] recognises by the first bytes a file of another kind than its reader expects: a Git LFS pointer, a web
//     page.
//   - [Quote], [Printable] and [Line] make text from a file safe for a terminal or a page: control characters and marks
//     that change the direction of writing are shown, not sent, and long text is cut.
//   - [Nearest] finds the name that was meant by a mistyped one.
//   - [Context] and [Interruptible] end a read when its context ends.
package files
