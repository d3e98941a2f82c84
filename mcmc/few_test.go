package mcmc

import (
	"bytes"
	"strings"
	"testing"
)

// Few draws are no fault of exact ones; otherwise the advice is in terms of the caller's setting.
func TestFewDraws(t *testing.T) {
	d := &Diagnostics{Sampler: "independence", Chains: 5, Draws: 10, MinESSBulk: 50, MinESSTail: 50, EBFMI: 1,
		MaxRHat: 1, RHatLimit: 1.1, AcceptProb: 1, MinAcceptProb: 1, Setting: "--n"}
	if w := strings.Join(d.Warnings(), "\n"); !strings.Contains(w, "--n 500 would do") {
		t.Errorf("warnings %q, want --n 500", w)
	}
	d.Exact = "exact draws of the base"
	var b bytes.Buffer
	if err := d.WriteTable(&b); err != nil || strings.Contains(b.String(), "warning") ||
		!strings.Contains(b.String(), "exact draws of the base: 5 chains") {
		t.Errorf("table %q, error %v", b.String(), err)
	}
}
