package datasets

import (
	"io"

	"codeberg.org/sbinet/npyio/npz"
)

// EncodeNPZ writes v, a matrix or a slice of numbers, as the array x of an .npz file.
func EncodeNPZ(w io.Writer, v any) error {
	z := npz.NewWriter(w)
	if err := z.Write("x.npy", v); err != nil {
		return err
	}
	return z.Close()
}
