package main

import (
	"path/filepath"
	"testing"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// The library can do what the program can: one call of fit.Train leaves the same weights, samples and measures as
// `ebm train`, to the byte, on a distribution and on the points of a file.
func TestLibraryIsTheProgram(t *testing.T) {
	tmp := t.TempDir()
	points := filepath.Join(tmp, "points.csv")
	ebm(t, "data", "moons", "--n", "60", "--out", points).want(t, 0)
	for name, dataset := range map[string]string{"distribution": "8gaussians", "file": points} {
		program, library := filepath.Join(tmp, name+"-program"), filepath.Join(tmp, name+"-library")
		ebm(t, "train", "--dataset", dataset, "--hidden", "8,8", "--steps", "40", "--samples", "100", "--chains", "20",
			"--frames", "0",
			"--test-points", "500", "--grid", "100", "--out", program).want(t, 0)
		src, err := datasets.Open(dataset)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fit.Train(t.Context(), src,
			fit.Config{Dataset: dataset, Hidden: []int{8, 8}, Steps: 40, Samples: 100, Chains: 20, Frames: -1,
				TestPoints: 500, Grid: 100, Out: library})
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"config.json", "model.safetensors", "data.safetensors", "samples.npy",
			"eval.json"} {
			same(t, filepath.Join(library, file), filepath.Join(program, file))
		}
	}
}
