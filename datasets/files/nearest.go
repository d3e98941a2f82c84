package files

import "strings"

// Nearest returns the known name within a few typing errors of name, or one that contains it, or "".
func Nearest(name string, known []string) string {
	name = strings.ToLower(name)
	best, at := "", max(2, len(name)/3)+1
	if len(name) < 5 {
		at = min(2, len(name)) // two errors leave nothing of a short name
	}
	at *= 2 // halves of an error
	for _, k := range known {
		lower := strings.ToLower(k)
		d := 2 * distance(name, lower)
		if len(name) >= 3 && strings.Contains(lower, name) {
			d = min(d, 3) // "step" is "steps" rather than "chain-steps"
		}
		if d < at {
			best, at = k, d
		}
	}
	return best
}

// distance returns the number of insertions, deletions, substitutions and transpositions that lead from a to b (the
// optimal string alignment distance).
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
