package fit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
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

// Weights is the content of model.safetensors: the parameters under PyTorch's names and what else the energy is made of, the
// background of a bridge.
func (m *Model) Weights() ([]byte, error) {
	dt := safetensors.F32
	if m.Config.Precision == "float64" {
		dt = safetensors.F64
	}
	meta := map[string]string{"format": "pt", "energy": m.Config.Network, "activation": m.Config.Activation}
	if c := m.Config.SpectralNorm; c > 0 { // the network is that of the weights scaled to it
		meta["spectral_norm"] = strconv.FormatFloat(c, 'g', -1, 64)
	}
	if err := m.data.metadata(meta); err != nil {
		return nil, err
	}
	f := &safetensors.File{Tensors: m.Params.Tensors(dt), Metadata: meta}
	if m.data.Bridge != nil {
		f.Tensors = append(f.Tensors, m.data.Bridge.Tensors(bridgeName)...)
	}
	if m.data.Base != nil {
		f.Tensors = append(f.Tensors, energy.DensityTensors(baseName, m.data.Base)...)
	}
	return summed(f)
}

// starts is the content of data.safetensors: what chains start from, which is made of points of the data.
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

// withoutMixtures is f with the parameters alone.
func withoutMixtures(f *safetensors.File) *safetensors.File {
	return &safetensors.File{Metadata: f.Metadata, Tensors: slices.DeleteFunc(slices.Clone(f.Tensors), func(t safetensors.Tensor) bool {
		return strings.HasPrefix(t.Name, bridgeName+".") || strings.HasPrefix(t.Name, baseName+".")
	})}
}

// sumKey is where the checksum of a file's arrays and metadata stands.
const sumKey = "sha256"

// summed is the file with its checksum.
func summed(f *safetensors.File) ([]byte, error) {
	f.Metadata[sumKey] = sum(f)
	var b bytes.Buffer
	err := safetensors.Write(&b, f)
	return b.Bytes(), err
}

// sum is the SHA-256 of all that a file holds but the sum itself. Values count as they are stored.
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
