package main

import (
	"fmt"
	"html"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// opener returns the program that opens an address in the desktop's browser.
func opener() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []string{"xdg-open"}
}

// desktop reports whether there is a desktop that could open a browser.
func desktop() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// browse opens an address with a token in the browser. Since every user of the machine can see the arguments of a
// program, it opens a file that redirects to the address and that only this user can read. The returned function
// removes it.
func browse(address string) (done func(), err error) {
	dir, err := os.MkdirTemp("", "stheno-page-")
	if err != nil {
		return func() {}, err
	}
	done = func() { os.RemoveAll(dir) }
	path := filepath.Join(dir, "page.html")
	text := fmt.Sprintf("<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0; url=%s\">\n",
		html.EscapeString(address))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return done, err
	}
	command := append(opener(), (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String())
	cmd := exec.Command(command[0], command[1:]...)
	if err := cmd.Start(); err != nil {
		return done, err
	}
	go cmd.Wait()
	return done, nil
}
