package kernels

import (
	"os"
	"strings"
	"testing"
)

// TestAVX2Only: avo takes registers of AVX-512 when it runs out of others; a kernel that does so must not come through.
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
