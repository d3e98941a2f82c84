package kernels

import "testing"

// onPaths runs a test on every path that this machine and build have.
func onPaths(t *testing.T, test func(t *testing.T)) {
	defer use(Path())
	for _, p := range available() {
		use(p)
		t.Run(p, test)
	}
}
