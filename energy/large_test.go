package energy

import "testing"

// Networks that would not fit into memory are refused, with the setting that is too large, before anything is
// allocated.
func TestTooLarge(t *testing.T) {
	inner := func(dim int) (Energy, error) { return NewMLP(MLPConfig{Dim: dim, Hidden: []int{4}}) }
	for name, make := range map[string]func() error{
		"a width":          func() error { _, err := NewMLP(MLPConfig{Dim: 2, Hidden: []int{1 << 30}}); return err },
		"two widths":       func() error { _, err := NewMLP(MLPConfig{Dim: 2, Hidden: []int{1 << 20, 1 << 20}}); return err },
		"a residual width": func() error { _, err := NewResidual(ResidualConfig{Dim: 2, Width: 1 << 30}); return err },
		"many blocks": func() error {
			_, err := NewResidual(ResidualConfig{Dim: 2, Width: 1 << 10, Blocks: 1 << 20})
			return err
		},
		"frequencies": func() error { _, err := NewFourier(FourierConfig{Dim: 2, Frequencies: 1 << 30}, inner); return err },
	} {
		if make() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
