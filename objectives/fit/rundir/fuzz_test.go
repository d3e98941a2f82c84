package rundir

import (
	"os"
	"path/filepath"
	"testing"
)

// put writes a file of a run directory.
func put(t *testing.T, dir *Dir, name string, b []byte) {
	t.Helper()
	path := dir.File(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever the log of frames holds, reading it gives frames of the right length or an error, and never more than fit
// into the file.
func FuzzFrames(f *testing.F) {
	d := &Dir{Path: f.TempDir()}
	log, err := d.OpenFrames(3)
	if err != nil {
		f.Fatal(err)
	}
	for k := range 2 {
		if err := log.Append(k, []float64{1, -2, float64(k)}); err != nil {
			f.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(d.File(Frames))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, []byte{})
	f.Add(b[:len(b)-5], make([]byte, 12))
	f.Add([]byte("0"), append(make([]byte, 12), "0000"...))
	f.Add(append(b[:8:8], 7), append([]byte{255, 255, 255, 255, 255, 255, 255, 127}, 0, 0, 0, 0))
	f.Add([]byte{}, []byte{255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0})
	d = &Dir{Path: f.TempDir()}
	f.Fuzz(func(t *testing.T, b, state []byte) {
		put(t, d, Frames, b)
		frames, err := d.ReadFrames(3)
		if err == nil && len(frames) != len(b)/int(frameSize(3)) {
			t.Errorf("%d frames of %d bytes", len(frames), len(b))
		}
		for _, fr := range frames {
			if len(fr.Theta) != 3 {
				t.Errorf("frame of %d weights", len(fr.Theta))
			}
		}
		log, err := d.OpenFrames(3)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		if err := log.UnmarshalState(state); err == nil {
			if got, err := log.MarshalState(); err != nil || len(got) != 12 || string(got) != string(state) {
				t.Errorf("state %x became %x, %v", state, got, err)
			}
		}
	})
}

// A file of checksums is either refused or believed; nothing else is read on its word.
func FuzzSums(f *testing.F) {
	d := &Dir{Path: f.TempDir()}
	if err := os.MkdirAll(d.File("checkpoint"), 0o755); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(d.File(Config), []byte("{}"), 0o600); err != nil {
		f.Fatal(err)
	}
	if err := d.Seal(); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(d.File(sealFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"files":{"../../x":"00"},"sha256":""}`))
	f.Add([]byte(`{"files":null}`))
	d = &Dir{Path: f.TempDir()}
	f.Fuzz(func(t *testing.T, b []byte) {
		put(t, d, sealFile, b)
		put(t, d, Config, []byte("{}"))
		_ = d.Check()
		_ = d.Check(Config)
	})
}
