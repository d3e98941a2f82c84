// Package conv computes convolutions and pools over pictures with the kernels for matrix products.
//
// A batch of pictures is a matrix: rows are samples, columns are (y, x, channel) with the channel varying fastest. A
// filter is a matrix too: rows are (ky, kx, channel within the group), columns are output channels, group after
// group. The three roles of a convolution,
//
//	out     y = x ⋆ f
//	in      x̄ = y ⋆ᵀ f, its adjoint in x: a transposed convolution
//	filter  f̄ = xᵀ ⋆ y, its adjoint in f
//
// are the trilinear form Σ x·f·y with one of the three left out, so the derivatives of each role are the other two.
package conv

import "fmt"

// Window describes how a window slides over pictures. Stride, Pad and Dilation are for height and width.
type Window struct {
	H, W, C  int // height, width and channels of a picture
	KH, KW   int // height and width of the window
	OC       int // channels of the result; those of a pool are C
	Stride   [2]int
	Pad      [2]int // zeros around the picture, on each side
	Dilation [2]int // distance of neighbouring taps in a window
	Groups   int    // of channels: each group of outputs reads its own group of inputs only
}

// OH is the height of the result.
func (w Window) OH() int { return places(w.H, w.KH, w.Stride[0], w.Pad[0], w.Dilation[0]) }

// OW is the width of the result.
func (w Window) OW() int { return places(w.W, w.KW, w.Stride[1], w.Pad[1], w.Dilation[1]) }

func places(n, k, stride, pad, dilation int) int {
	free := n + 2*pad - dilation*(k-1) - 1
	if free < 0 {
		return 0
	}
	return free/stride + 1
}

// In is the number of columns of x, and Out that of y.
func (w Window) In() int  { return w.H * w.W * w.C }
func (w Window) Out() int { return w.OH() * w.OW() * w.OC }

// Taps is the number of rows of a filter.
func (w Window) Taps() int { return w.KH * w.KW * w.C / w.Groups }

// Flops is the number of floating-point operations per picture, counting also the taps that fall into the padding.
func (w Window) Flops() float64 { return 2 * float64(w.OH()*w.OW()) * float64(w.Taps()*w.OC) }

// String describes the window completely.
func (w Window) String() string {
	return fmt.Sprintf("%dx%dx%d by %dx%d to %d, stride %d,%d, pad %d,%d, dilation %d,%d, groups %d",
		w.H, w.W, w.C, w.KH, w.KW, w.OC, w.Stride[0], w.Stride[1], w.Pad[0], w.Pad[1], w.Dilation[0], w.Dilation[1], w.Groups)
}

// Validate returns an error that says what is wrong with w. Defaults must have been filled in.
func (w Window) Validate() error {
	switch {
	case min(w.H, w.W, w.C, w.KH, w.KW, w.OC) < 1:
		return fmt.Errorf("windows %v: sizes and channels must be at least 1", w)
	case min(w.Stride[0], w.Stride[1], w.Dilation[0], w.Dilation[1], w.Groups) < 1:
		return fmt.Errorf("windows %v: strides, dilations and groups must be at least 1", w)
	case min(w.Pad[0], w.Pad[1]) < 0:
		return fmt.Errorf("windows %v: padding must not be negative", w)
	case w.C%w.Groups != 0 || w.OC%w.Groups != 0:
		return fmt.Errorf("windows %v: the groups must divide %d and %d channels", w, w.C, w.OC)
	case w.OH() < 1 || w.OW() < 1:
		return fmt.Errorf("windows %v: a window is larger than the picture with its padding", w)
	}
	return nil
}

// Role says which of the three operands of the form a convolution computes.
type Role uint8

// The roles.
const (
	Out    Role = iota // from x and f
	In                 // from y and f
	Filter             // from x and y
)

// String is the name of the role.
func (r Role) String() string { return [...]string{"out", "in", "filter"}[r] }
