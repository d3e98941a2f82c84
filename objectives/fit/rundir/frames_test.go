package rundir

import (
	"math"
	"os"
	"slices"
	"testing"
)

// The log of frames returns what was put in, is cut to what a checkpoint knows of it, and detects damage.
func TestFrames(t *testing.T) {
	d := &Dir{Path: t.TempDir()}
	_, err := d.ReadFrames(2)
	said(t, err, d.File(Frames), "no frames")
	_, err = d.ReadFrame(2, 0)
	said(t, err, d.File(Frames), "no such file")
	l, err := d.OpenFrames(2)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := [][]float64{{1, -2}, {math.Inf(1), 0.5}, {3, 4}}
	var state []byte
	for k, theta := range want {
		if err := l.Append(10*k, theta); err != nil {
			t.Fatal(err)
		}
		if k == 1 {
			if state, err = l.MarshalState(); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(n int) {
		t.Helper()
		frames, err := d.ReadFrames(2)
		if err != nil || len(frames) != n || l.Len() != n {
			t.Fatalf("%d frames, %d in the log, %v, want %d", len(frames), l.Len(), err, n)
		}
		for k, f := range frames {
			one, err := d.ReadFrame(2, k)
			if err != nil || f.Step != 10*k || !slices.Equal(f.Theta, want[k]) || !slices.Equal(one.Theta, want[k]) ||
				one.Step != f.Step {
				t.Errorf("frame %d: %v and %v, %v, want %v", k, f, one, err, want[k])
			}
		}
	}
	check(3)
	if err := l.UnmarshalState(state); err != nil {
		t.Fatal(err)
	}
	check(2)
	if err := l.Append(20, want[2]); err != nil {
		t.Fatal(err)
	}
	check(3)

	if err := l.UnmarshalState(state[1:]); err == nil {
		t.Error("a state of another length was taken")
	}
	b, err := os.ReadFile(d.File(Frames))
	if err != nil {
		t.Fatal(err)
	}
	b[frameSize(2)+9] ^= 1
	fill(t, d.File(Frames), string(b))
	said(t, l.UnmarshalState(state), d.File(Frames), "damaged")
	_, err = d.ReadFrames(2)
	said(t, err, d.File(Frames), "frame 2")
	_, err = d.ReadFrame(2, 1)
	said(t, err, d.File(Frames), "frame 2")
	if err := os.Truncate(d.File(Frames), 5); err != nil {
		t.Fatal(err)
	}
	said(t, l.UnmarshalState(state), d.File(Frames), "truncated")
	if err := l.Reset(); err != nil {
		t.Fatal(err)
	}
	check(0)
}
