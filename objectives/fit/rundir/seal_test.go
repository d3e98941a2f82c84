package rundir

import (
	"os"
	"strings"
	"testing"
)

// A file that has grown to a terabyte is recognised as damaged by its size, without reading it. A seal without sizes
// is as good, but slower.
func TestSealSizes(t *testing.T) {
	d := &Dir{Path: t.TempDir()}
	put(t, d, Config, []byte("{}"))
	put(t, d, Metrics, []byte("{\"step\":1}\n"))
	put(t, d, sealFile, nil)
	if err := d.Seal(); err != nil {
		t.Fatal(err)
	}
	s, err := d.readSeal()
	if err != nil || s.Sizes[Config] != 2 {
		t.Fatalf("got %v, %v", s, err)
	}
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	s.Sizes = nil
	if err := d.writeSeal(s); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	if err := d.Seal(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.File(Metrics), 1<<40); err != nil {
		t.Skip(err) // the file system has no sparse files, or is too small
	}
	if err := d.Check(); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("got %v, want that it is damaged", err)
	}
}
