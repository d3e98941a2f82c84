package kernels

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// pathVariable is the environment variable that asks for a path.
const pathVariable = "STHENO_CPU"

func init() {
	name, err := choose(os.Getenv(pathVariable), available())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	use(name)
}

// choose returns the path that was asked for, or the first of those available.
func choose(asked string, have []string) (string, error) {
	switch {
	case asked == "":
		return have[0], nil
	case slices.Contains(have, asked):
		return asked, nil
	}
	return "", fmt.Errorf("kernels: %s=%s is not available here; use one of %s, or unset it", pathVariable, asked,
		strings.Join(have, ", "))
}
