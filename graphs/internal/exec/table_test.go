package exec

import "testing"

func TestMicrosHaveNames(t *testing.T) {
	if n := len(microNames); n != int(mDot)+1 {
		t.Errorf("%d names of %d micros", n, mDot+1)
	}
	for m, name := range microNames {
		if name == "" {
			t.Errorf("micro %d has no name", m)
		}
	}
}
