package kernels

import (
	"os"
	"strings"
	"testing"
)

// TestAVX2Only: avo falls back on AVX-512 registers when it runs out of others; no kernel may do so.
func TestAVX2Only(t *testing.T) {
	src, err := os.ReadFile("avx2_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	name := ""
	for line := range strings.Lines(string(src)) {
		if strings.HasPrefix(line, "// func ") {
			name = line
		}
		if strings.HasPrefix(line, "// Requires:") && strings.Contains(line, "AVX512") {
			t.Errorf("%s%s", name, line)
		}
	}
}
