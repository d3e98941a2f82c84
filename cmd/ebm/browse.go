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

// opener is the program that opens an address in the browser of the desktop.
func opener() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []string{"xdg-open"}
}

// desktop reports whether there is one that could open a browser.
func desktop() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// browse opens an address with a token in the browser. Every user of the machine sees the arguments of a program: what is opened is a
// file that only this user can read, which leads to the address. The returned function removes it.
func browse(address string) (done func(), err error) {
	dir, err := os.MkdirTemp("", "stheno-page-")
	if err != nil {
		return func() {}, err
	}
	done = func() { os.RemoveAll(dir) }
	path := filepath.Join(dir, "page.html")
	text := fmt.Sprintf("<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0; url=%s\">\n", html.EscapeString(address))
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
