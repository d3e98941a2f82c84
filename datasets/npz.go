package datasets

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"codeberg.org/sbinet/npyio/npz"
	"gonum.org/v1/gonum/mat"
)

// npzNames are the arrays of an .npz file that are taken for the points if there are several, the first before the others.
var npzNames = []string{"x", "X", "points", "samples", "data", "arr_0"}

// maxArray is the largest array that is unpacked, in bytes: a small file may claim to hold a huge one.
const maxArray = 2 << 30

// readNPZ reads an array of a zip archive of .npy files.
func readNPZ(f *os.File) (*mat.Dense, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, errEmpty
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("is not an .npz file: %w", err)
	}
	var names []string
	entries := map[string]*zip.File{}
	for _, e := range z.File {
		if name, ok := strings.CutSuffix(e.Name, ".npy"); ok && entries[name] == nil {
			names = append(names, name)
			entries[name] = e
		}
	}
	if len(names) == 0 {
		return nil, errors.New("holds no array")
	}
	name := names[0]
	if len(names) > 1 {
		k := slices.IndexFunc(npzNames, func(n string) bool { return entries[n] != nil })
		if k < 0 {
			return nil, fmt.Errorf("holds %d arrays (%.60q); call the one with the points x, or store it alone", len(names), names)
		}
		name = npzNames[k]
	}
	x, err := readEntry(entries[name])
	if err != nil {
		return nil, fmt.Errorf("array %.40q: %w", name, err)
	}
	return x, nil
}

func readEntry(e *zip.File) (*mat.Dense, error) {
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxArray+1)) // grows with what is really there
	switch {
	case err != nil:
		return nil, fmt.Errorf("is damaged: %w", err)
	case len(b) > maxArray:
		return nil, fmt.Errorf("is larger than %d MB", maxArray>>20)
	}
	return readArray(bytes.NewReader(b), int64(len(b)))
}

// EncodeNPZ writes v, a matrix or a slice of numbers, as the array x of an .npz file.
func EncodeNPZ(w io.Writer, v any) error {
	z := npz.NewWriter(w)
	if err := z.Write("x.npy", v); err != nil {
		return err
	}
	return z.Close()
}
