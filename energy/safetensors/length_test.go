package safetensors

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// A header of 640 bytes has the length bytes 80 02, with which Python pickles begin.
func TestLengthLikePickle(t *testing.T) {
	for _, n := range []int{640, 896, 1152, 1408} {
		head := `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
		head += strings.Repeat(" ", n-len(head))
		file := append(binary.LittleEndian.AppendUint64(nil, uint64(n)), head...)
		file = append(file, 0, 0, 0x80, 0x3f)
		f, err := Read(bytes.NewReader(file), int64(len(file)))
		if err != nil || f.Tensor("a").Data[0] != 1 {
			t.Errorf("header of %d bytes: %v", n, err)
		}
	}
}
