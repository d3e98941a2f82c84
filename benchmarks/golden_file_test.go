package benchmarks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// matrix is a JSON array of rows.
type matrix [][]float64

func (m matrix) dense() *mat.Dense {
	d := mat.NewDense(len(m), len(m[0]), nil)
	for i, row := range m {
		d.SetRow(i, row)
	}
	return d
}

func (m matrix) flat() []float64 { return slices.Concat(m...) }

// goldenFile mirrors testdata/golden/README.md. Nets, losses, weights and datasets are kept by name, so
// that a name this test does not know fails by name.
type goldenFile struct {
	Dim       int   `json:"dim"`
	Hidden    []int `json:"hidden"`
	Constants struct {
		DSMSigma               float64 `json:"dsm_sigma"`
		NCEStd                 float64 `json:"nce_std"`
		NCEK                   int     `json:"nce_k"`
		MLAlpha                float64 `json:"ml_alpha"`
		LangevinStep           float64 `json:"langevin_step"`
		NormalizedLangevinStep float64 `json:"normalized_langevin_step"`
		HMCStep                float64 `json:"hmc_step"`
		HMCLeapfrog            int     `json:"hmc_leapfrog"`
		HMCMass                float64 `json:"hmc_mass"`
		CNCEStd                float64 `json:"cnce_std"`
	} `json:"constants"`
	Inputs struct {
		X        matrix    `json:"x"`
		XNeg     matrix    `json:"x_neg"`
		Eps      matrix    `json:"eps"`
		VUnit    matrix    `json:"v_unit"`
		NCENoise matrix    `json:"nce_noise"`
		Momentum matrix    `json:"momentum"`
		Uniform  []float64 `json:"uniform"`
	} `json:"inputs"`
	Nets     map[string]*goldenNet     `json:"nets"`
	Datasets map[string]*goldenDataset `json:"datasets"`
}

type goldenNet struct {
	Activation         string                     `json:"activation"`
	Weights            map[string]json.RawMessage `json:"weights"`
	Energy             []float64                  `json:"energy"`
	Grad               matrix                     `json:"grad"`
	Hessian            []matrix                   `json:"hessian"`
	Trace              []float64                  `json:"trace"`
	Losses             map[string]*goldenLoss     `json:"losses"`
	Langevin           matrix                     `json:"langevin"`
	NormalizedLangevin matrix                     `json:"normalized_langevin"`
	HMC                *struct {
		Positions     []matrix  `json:"positions"`
		FinalMomentum matrix    `json:"final_momentum"`
		DeltaH        []float64 `json:"delta_h"`
		Accepted      []bool    `json:"accepted"`
		XAfter        matrix    `json:"x_after"`
	} `json:"hmc"`
	MALA *struct {
		LogAcceptRatio []float64 `json:"log_accept_ratio"`
		Accepted       []bool    `json:"accepted"`
	} `json:"mala"`
	Adam3DSM *struct {
		Losses    []float64                  `json:"losses"`
		GradNorms []float64                  `json:"grad_norms"`
		Weights   map[string]json.RawMessage `json:"weights"`
	} `json:"adam3_dsm"`
}

type goldenLoss struct {
	Value float64                    `json:"value"`
	Grads map[string]json.RawMessage `json:"grads"`
}

type goldenDataset struct {
	Points  matrix      `json:"points"`
	PDF     []float64   `json:"pdf"`
	Score   [][]float64 `json:"score"` // null where the pdf is below 1e-12
	Entropy float64     `json:"entropy"`
}

// goldenFiles reads every *.json of the folder named by EBM_GOLDEN, by default testdata/golden.
func goldenFiles(t *testing.T) map[string]*goldenFile {
	t.Helper()
	dir := os.Getenv("EBM_GOLDEN")
	if dir == "" {
		dir = filepath.Join("testdata", "golden")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no *.json in %s (%v): set EBM_GOLDEN to a folder of golden files", dir, err)
	}
	files := make(map[string]*goldenFile)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		f := new(goldenFile)
		if err := dec.Decode(f); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		files[filepath.Base(path[:len(path)-len(".json")])] = f
	}
	return files
}

// byLayer turns {"W1": [out][in], "b1": [out], …} into one flat vector in the order W1, b1, W2, b2, …
// of a network with the given layer widths, and fails on a name or a shape that does not belong.
func byLayer(raw map[string]json.RawMessage, widths []int) ([]float64, error) {
	raw = maps.Clone(raw)
	take := func(name string, v any) error {
		data, ok := raw[name]
		if !ok {
			return fmt.Errorf("%s is missing", name)
		}
		delete(raw, name)
		if err := json.Unmarshal(data, v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	var flat []float64
	for l := 1; l < len(widths); l++ {
		var w matrix
		var b []float64
		if err := take(fmt.Sprintf("W%d", l), &w); err != nil {
			return nil, err
		}
		if err := take(fmt.Sprintf("b%d", l), &b); err != nil {
			return nil, err
		}
		if len(w) != widths[l] || len(w[0]) != widths[l-1] || len(b) != widths[l] {
			return nil, fmt.Errorf("W%d is %d×%d with %d biases, want %d×%d", l, len(w), len(w[0]), len(b), widths[l],
				widths[l-1])
		}
		flat = append(append(flat, w.flat()...), b...)
	}
	if len(raw) > 0 {
		return nil, fmt.Errorf("unknown parameters %v", slices.Sorted(maps.Keys(raw)))
	}
	return flat, nil
}
