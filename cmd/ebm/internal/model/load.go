package model

import (
	"os"

	"codeberg.org/sbinet/npyio"
	"gonum.org/v1/gonum/mat"
)

// LoadPoints reads points, one per row.
func LoadPoints(path string) (*mat.Dense, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var x mat.Dense
	return &x, npyio.Read(f, &x)
}
