package main

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The token is in a file that only the user can read, not in the arguments, which everybody can see.
func TestBrowse(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("xdg-open is Linux's")
	}
	bin, said := t.TempDir(), filepath.Join(t.TempDir(), "said")
	script := "#!/bin/sh\necho \"$@\" > " + said + ".tmp && mv " + said + ".tmp " + said + "\n"
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	const address = "http://127.0.0.1:8080/?token=0123456789abcdef"
	done, err := browse(address)
	if err != nil {
		t.Fatal(err)
	}
	var args []byte
	for end := time.Now().Add(10 * time.Second); args == nil &&
		time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		args, _ = os.ReadFile(said)
	}
	if strings.Contains(string(args), "0123456789abcdef") {
		t.Errorf("the token is in the arguments %q", args)
	}
	u, err := url.Parse(strings.TrimSpace(string(args)))
	if err != nil || u.Scheme != "file" {
		t.Fatalf("%q is opened, want a file", args)
	}
	text, err := os.ReadFile(u.Path)
	if err != nil || !strings.Contains(string(text), address) {
		t.Errorf("%v: %q does not lead to %s", err, text, address)
	}
	for path, want := range map[string]fs.FileMode{u.Path: 0o600, filepath.Dir(u.Path): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}
	done()
	if _, err := os.Stat(u.Path); err == nil {
		t.Errorf("%s stays", u.Path)
	}
	t.Setenv("PATH", "")
	if done, err := browse(address); err == nil {
		t.Error("no xdg-open: no error")
	} else {
		done()
	}
}
