package main

import (
	"slices"
	"strings"
)

// fold breaks lines at blanks so that they fit into a number of columns; what follows a break is indented.
func fold(text string, columns int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for {
			r := []rune(strings.TrimSuffix(line, "\n"))
			at := columns
			for len(r) > columns && at > 2 && r[at] != ' ' {
				at--
			}
			if len(r) <= columns || at <= 2 {
				break
			}
			out.WriteString(string(r[:at]) + "\n")
			line = "  " + string(r[at+1:]) + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

// contains reports whether name is one of names.
func contains(names []string, name string) bool { return slices.Contains(names, name) }
