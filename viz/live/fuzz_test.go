package live

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What readHistory accepts can be written, and reads back the same.
func FuzzHistory(f *testing.F) {
	head := `{"format":"stheno-live","version":1,"title":"t","meta":{"a":[1,{}]},"steps":3,"lo":[-1,-1],"hi":[1,1],"data":"AAAAAA=="}` + "\n"
	f.Add([]byte(head + `{"r":[1,0.5,null,2,3,4,5]}` + "\n" + `{"f":{"id":0,"step":1,"t":0.5,"n":2,"min":0,"full":1,"e":"AAAAAAAAAAA=","s":"AAAAAA=="}}` + "\n" + `{"end":"finished"}` + "\n{"))
	f.Add([]byte(head + `{"f":{"id":-1,"n":4096,"e":""}}` + "\n"))
	f.Add([]byte(head + `{"r":[]}` + "\n" + `{"r":null}` + "\n"))
	f.Add([]byte(`{"format":"stheno-live","version":2}` + "\n"))
	f.Add([]byte(`{"format":"stheno-live","version":1,"lo":[1e999,0],"hi":[1,1]}` + "\n"))
	path := filepath.Join(f.TempDir(), "h.jsonl")
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(b []byte) (*history, error) {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return readHistory(path)
		}
		h, err := read(b)
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := h.lines(&first); err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		again, err := read(first.Bytes())
		if err != nil {
			t.Fatalf("cannot read %q, written of %q: %v", first.Bytes(), b, err)
		}
		if err := again.lines(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%q was written %q and then %q, %v", b, first.Bytes(), second.Bytes(), err)
		}
	})
}
