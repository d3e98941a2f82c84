package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Whatever ReadRecords accepts can be written, and reads back the same.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"step":1,"loss":0.5,"grad_norm":null,"learning_rate":1e-3,"kl":2,"seconds":0.1}` + "\n" +
		`{"step":1,"event":"rollback","seconds":1}` + "\n{\"st"))
	f.Add([]byte(`{"step":-1}` + "\n"))
	f.Add([]byte(`{"step":1e300,"loss":[[[]]]}` + "\n"))
	f.Add([]byte("\n\nnull\n"))
	f.Add([]byte(`{"step":9007199254740993,"a\u0000b":1e400}` + "\n"))
	path := filepath.Join(f.TempDir(), "metrics.jsonl")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		records, err := ReadRecords(path)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("error of %d characters", len(err.Error()))
			}
			return
		}
		var text []byte
		for _, r := range records {
			text = append(r.AppendJSON(text), '\n')
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := ReadRecords(path)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var second []byte
		for _, r := range again {
			second = append(r.AppendJSON(second), '\n')
		}
		if !bytes.Equal(text, second) {
			t.Errorf("%q is written %q and then %q", b, text, second)
		}
	})
}

// Sections of any form, under a right checksum as well as under the one they came with: what is read is written
// again, and reads the same.
func FuzzSnapshot(f *testing.F) {
	body := func(s Snapshot) []byte { b := s.Encode(); return b[:len(b)-sha256.Size] }
	f.Add(body(Snapshot{}))
	f.Add(body(Snapshot{"a": []byte("hello"), "": nil}))
	f.Add(Snapshot{"a": []byte("hello")}.Encode())
	f.Add(body(Snapshot{"a": nil})[:len(checkpointMagic)+8+3])
	f.Add(append(body(Snapshot{}), bytes.Repeat([]byte{255}, 16)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		sum := sha256.Sum256(b)
		for _, file := range [][]byte{b, append(bytes.Clone(b), sum[:]...)} {
			s, err := decodeSnapshot(file)
			if err != nil {
				continue
			}
			again, err := decodeSnapshot(s.Encode())
			if err != nil || !maps.EqualFunc(s, again, bytes.Equal) {
				t.Errorf("%d sections became %d, %v", len(s), len(again), err)
			}
			if len(s.Encode()) != len(file) {
				t.Errorf("%d bytes became %d", len(file), len(s.Encode()))
			}
		}
	})
}

// A checkpoint with a right checksum and arbitrary sections is either refused or continued; nothing panics.
func FuzzResume(f *testing.F) {
	cfg := toyConfig(newToy(), f.TempDir())
	cfg.Steps = 30
	if _, err := Run(context.Background(), cfg); err != nil {
		f.Fatal(err)
	}
	good, err := ReadSnapshot(cfg.Checkpoint)
	if err != nil {
		f.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(good))
	for i, name := range names {
		f.Add(i, good[name])
		f.Add(i, good[name][:len(good[name])/2])
		f.Add(i, append(bytes.Clone(good[name]), 0, 0, 0, 0, 0, 0, 0, 0))
	}
	f.Add(slices.Index(names, "average"), append(make([]byte, 8), 0, 0, 0, 0, 0, 0, 0, 0))
	f.Add(slices.Index(names, "optimizer"), make([]byte, 24))
	f.Fuzz(func(t *testing.T, which int, section []byte) {
		if which < 0 || which >= len(names) {
			return
		}
		s := maps.Clone(good)
		s[names[which]] = section
		cfg := toyConfig(newToy(), "")
		cfg.Steps, cfg.Resume = 33, s
		_, _ = Run(context.Background(), cfg)
	})
}
