package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stheno-ebm/stheno/datasets/files"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, size, err := files.Open(path)
	if err != nil || size != 5 {
		t.Fatalf("got size %d, %v, want 5", size, err)
	}
	f.Close()
	if _, _, err := files.Open(dir); !errors.Is(err, files.ErrNotRegular) ||
		!strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: got %v", err)
	}
	if _, _, err := files.Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if b, err := files.ReadAll(path, 5); err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := files.ReadAll(path, 4); !errors.Is(err, files.ErrTooLarge) {
		t.Errorf("too large: got %v", err)
	}
}

// The first bytes of every kind of file are recognised, and text that resembles them is not mistaken for one.
func TestSniff(t *testing.T) {
	for head, want := range map[string]string{
		"version https://git-lfs.github.com/spec/v1\noid": "Git LFS pointer, not the file",
		"PK\x03\x04\x14":         "zip archive",
		"\ufeff <!DOCTYPE HTML>": "web page",
		"\n<html lang=en>":       "web page",
		"<?xml version":          "XML",
		"{\"a\": 1}":             "JSON",
		"{\n}":                   "JSON",
		"[[1, 2],":               "JSON",
		"[null]":                 "JSON",
		"[":                      "JSON",
		"\x1f\x8b\x08":           "gzip",
		"\xff\xfea\x00":          "UTF-16",
		"PAR1\x15\x04":           "Parquet",
		"\x80\x04\x95":           "pickle",
		"PAR1,PAR2\n":            "",
		"GIF8,x\n":               "",
		"BZh,x\n":                "",
		"[nm],[kg]\n1,2\n":       "",
		"x,y\n":                  "",
		"version,x\n":            "",
		"-1,2\n":                 "",
		"":                       "",
	} {
		got := files.Sniff([]byte(head))
		if !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%q: got %q, want %q", head, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{
		"plain", "\x1b[31mred\x07", "a\rb\nc", "abc\u202etxt.exe", "\xff\xfe", "日本語", "\u2066x\u2069", "a\u200fb",
		"\u00a0",
		strings.Repeat("x", 3<<20), strings.Repeat("\x1b", 3<<20), strings.Repeat("é", 100),
	} {
		for name, got := range map[string]string{"Quote": files.Quote(s), "Line": files.Line(s),
			"Name": files.Name(s)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s(%.20q): %.60q cannot be printed", name, s, got)
			}
			if len(got) > 20000 {
				t.Errorf("%s(%.20q): %d bytes", name, s, len(got))
			}
		}
	}
	for _, c := range [][2]string{
		{files.Quote("a\x1b"), `"a\x1b"`}, {files.Quote(strings.Repeat("é", 41)), `"` + strings.Repeat("é", 40) + `"…`},
		{files.Line("a\u202eb \"c\""), `a\u202eb "c"`}, {files.Name("  body\t\x1bheight "), "body height"},
		{files.Line("日本語"), "日本語"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %s, want %s", c[0], c[1])
		}
	}
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	text := strings.Repeat("0123456789", 20000)
	for name, r := range map[string]io.Reader{
		"Context":       files.Context(ctx, strings.NewReader(text)),
		"Interruptible": files.Interruptible(ctx, iotest.HalfReader(strings.NewReader(text))),
	} {
		if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, []byte(text)) {
			t.Errorf("%s: got %d bytes, %v", name, len(b), err)
		}
	}
	if b, err := io.ReadAll(files.Interruptible(ctx, iotest.DataErrReader(strings.NewReader("ab")))); err != nil ||
		string(b) != "ab" {
		t.Errorf("data with its end: got %q, %v", b, err)
	}
	pr, pw := io.Pipe() // nobody writes to it
	defer pw.Close()
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := files.Interruptible(ctx, pr).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that waits: got %v", err)
	}
	if _, err := files.Context(ctx, strings.NewReader(text)).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a read after the end: got %v", err)
	}
}

// FuzzText looks for text that comes out unprintable or long, and for first bytes that stop Sniff.
func FuzzText(f *testing.F) {
	f.Add("a\x1b[31m\u202e", []byte("[ "))
	f.Fuzz(func(t *testing.T, s string, head []byte) {
		files.Sniff(head)
		for _, got := range []string{files.Quote(s), files.Line(s), files.Name(s)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q became %q", s, got)
			}
		}
	})
}
