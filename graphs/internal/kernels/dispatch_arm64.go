//go:build arm64 && !purego

package kernels

// available lists the paths of this processor, the best one first. Every arm64 has NEON with fused multiply-adds.
func available() []string { return []string{"neon", "generic"} }

// use makes a path of available the current one. It must not run together with anything else of this package.
func use(name string) {
	path = name
	if name == "neon" {
		active.f32, active.f64 = &neonF32, &neonF64
		return
	}
	active.f32, active.f64 = nil, nil
}
