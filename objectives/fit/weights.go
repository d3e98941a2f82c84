package fit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
)

// weights returns the content of model.safetensors: the parameters under PyTorch's names, and the background of a
// bridge if the energy has one.
func (m *Model) weights() ([]byte, error) {
	f := m.arrays()
	if err := m.data.metadata(f.Metadata); err != nil {
		return nil, err
	}
	return summed(f)
}

// Export is the energy as a safetensors file for others: what [Model.Weights] holds, but of the data only what the
// energy needs. That is the scale of the columns (x−mean)/scale, as metadata "standardizer", where it has one, and the
// background of a bridge, which is made of training points: of Exposed ones. A base is fitted to the points and holds
// none of them.
func (m *Model) Export() ([]byte, error) {
	f := m.arrays()
	if sc := m.data.Scaler; sc != nil {
		b, err := json.Marshal(sc)
		if err != nil {
			return nil, err
		}
		f.Metadata["standardizer"] = string(b)
	}
	if err := errors.Join(m.data.exportCells(f.Metadata), m.data.exportBase(f.Metadata)); err != nil {
		return nil, err
	}
	return summed(f)
}

// exportBase says in the metadata what the arrays of a base do not: the share λ of the correction that is added to
// -log of the base, and the probabilities of columns of few values.
func (d *data) exportBase(meta map[string]string) error {
	if d.Base == nil {
		return nil
	}
	meta["share"] = strconv.FormatFloat(d.Share, 'g', -1, 64)
	if len(d.Levels) == 0 {
		return nil
	}
	b, err := json.Marshal(d.Levels)
	meta["levels"] = string(b)
	return err
}

// Exposed is how many points of the data are in the energy itself, and so in every file that holds it: those that the
// background of a bridge is made of.
func (m *Model) Exposed() int {
	if m.data.Bridge == nil {
		return 0
	}
	return len(m.data.Bridge.Parameters().Weights) - 1 // but for the broad Gaussian
}

// arrays are the parameters, and the background of a bridge and the base, which are parts of the energy.
func (m *Model) arrays() *safetensors.File {
	dt := safetensors.F32
	if m.Config.Precision == "float64" {
		dt = safetensors.F64
	}
	meta := map[string]string{"format": "pt", "energy": m.Config.Network, "activation": m.Config.Activation}
	if c := m.Config.SpectralNorm; c > 0 { // the network uses the weights scaled to it
		meta["spectral_norm"] = strconv.FormatFloat(c, 'g', -1, 64)
	}
	f := &safetensors.File{Tensors: m.Params.Tensors(dt), Metadata: meta}
	if m.data.Bridge != nil {
		f.Tensors = append(f.Tensors, m.data.Bridge.Tensors(bridgeName)...)
	}
	if m.data.Base != nil {
		f.Tensors = append(f.Tensors, energy.DensityTensors(baseName, m.data.Base)...)
	}
	if m.data.Warped != nil {
		f.Tensors = append(f.Tensors, energy.WarpedTensors(warpName, m.data.Warped)...)
	}
	return f
}

// starts returns the content of data.safetensors: the density from which chains start, made from points of the data.
func (m *Model) starts() ([]byte, error) {
	f := &safetensors.File{Metadata: map[string]string{}}
	if m.data.Background != nil {
		f.Tensors = m.data.Background.Tensors(startsName)
	}
	return summed(f)
}

// load reads both files of a run.
func load(dir *rundir.Dir, name string) (*safetensors.File, error) {
	if err := dir.Find(name); err != nil {
		return nil, err
	}
	path := dir.File(name)
	f, err := safetensors.ReadFile(path) // its errors name the file
	if err == nil {
		if err = checkSum(f); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return nil, &rundir.FileError{Path: path, Err: err}
	}
	return f, nil
}

// withoutMixtures returns f with the parameters only.
func withoutMixtures(f *safetensors.File) *safetensors.File {
	return &safetensors.File{Metadata: f.Metadata,
		Tensors: slices.DeleteFunc(slices.Clone(f.Tensors), func(t safetensors.Tensor) bool {
			part, _, _ := strings.Cut(t.Name, ".")
			return slices.Contains([]string{bridgeName, baseName, warpName}, part)
		})}
}

// sumKey is the metadata key of the checksum over a file's arrays and metadata.
const sumKey = "sha256"

// summed returns the file with its checksum.
func summed(f *safetensors.File) ([]byte, error) {
	f.Metadata[sumKey] = sum(f)
	var b bytes.Buffer
	err := safetensors.Write(&b, f)
	return b.Bytes(), err
}

// sum returns the SHA-256 of everything in a file except the sum itself. Values count as they are stored.
func sum(f *safetensors.File) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		if key != sumKey {
			fmt.Fprintf(h, "%q: %q\n", key, f.Metadata[key])
		}
	}
	var b [8]byte
	for _, t := range f.Tensors {
		fmt.Fprintf(h, "%q %s %d\n", t.Name, t.DType, t.Shape)
		for _, v := range t.Data {
			if t.DType == safetensors.F32 {
				v = float64(float32(v))
			}
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
			h.Write(b[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// checkSum fails if a file has a checksum and it does not match. Files from elsewhere have none.
func checkSum(f *safetensors.File) error {
	if want, ok := f.Metadata[sumKey]; ok && want != sum(f) {
		return errors.New("damaged: its checksum does not match")
	}
	return nil
}
