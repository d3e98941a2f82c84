//go:build amd64 && !purego

package kernels

import "golang.org/x/sys/cpu"

// available lists the paths of this processor, the best one first.
func available() []string {
	x := &cpu.X86
	var p []string
	if x.HasAVX2 && x.HasFMA && x.HasBMI2 {
		if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512BW {
			p = append(p, "avx512")
		}
		p = append(p, "avx2")
	}
	return append(p, "generic")
}

// use makes a path of available the current one. It must not run together with anything else of this package.
func use(name string) {
	path = name
	switch name {
	case "avx512":
		active.f32, active.f64 = &avx512F32, &avx512F64
	case "avx2":
		active.f32, active.f64 = &avx2F32, &avx2F64
	default:
		active.f32, active.f64 = nil, nil
	}
}
