package energy

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// Tensors returns θ as named arrays in the given type (safetensors.F32 or F64), ready to be written. The values are
// copies.
func (p *Params) Tensors(dt safetensors.DType) []safetensors.Tensor {
	out := make([]safetensors.Tensor, len(p.specs))
	for i, s := range p.specs {
		out[i] = safetensors.Tensor{Name: s.Name, DType: dt, Shape: append([]int(nil), s.Shape...),
			Data: append([]float64(nil), p.views[i]...)}
	}
	return out
}

// Load sets θ from a file's arrays: every parameter must be present with its shape and finite numbers, and nothing else
// except non-float arrays, which the file lists. Names may have a common prefix that the parameters lack, such as
// model. or module., or lack the common prefix of the parameters: see [Params.Prefix]. On error θ is unchanged.
func (p *Params) Load(f *safetensors.File) error {
	if f == nil {
		return errors.New("energy: weights of no file")
	}
	names, _, err := p.match(f)
	if err != nil {
		return err
	}
	var missing, unknown []string
	used := map[string]bool{}
	for i, s := range p.specs {
		t := f.Tensor(names[i])
		if t == nil {
			missing = append(missing, s.Name)
			continue
		}
		used[t.Name] = true
		if fmt.Sprint(t.Shape) != fmt.Sprint(s.Shape) {
			return fmt.Errorf("energy: weights: %s has shape %v, the model wants %v", s.Name, t.Shape, s.Shape)
		}
		for j, v := range t.Data {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("energy: weights: %s[%d] is %g", s.Name, j, v)
			}
		}
		if len(t.Data) != len(p.views[i]) {
			return fmt.Errorf("energy: weights: %s has %d numbers, want %d", s.Name, len(t.Data), len(p.views[i]))
		}
	}
	for _, t := range f.Tensors {
		if !used[t.Name] {
			unknown = append(unknown, files.Quote(t.Name))
		}
	}
	if len(missing)+len(unknown) > 0 {
		return fmt.Errorf("energy: weights do not fit the model: missing %s; unknown %s", list(missing), list(unknown))
	}
	for i, name := range names {
		copy(p.views[i], f.Tensor(name).Data)
	}
	p.Changed()
	return nil
}

// Prefix returns the prefix of the names of a file relative to those of the parameters, and vice versa: "model." and ""
// for model.net.0.weight, "" and "net." for 0.weight. Both are empty if the names agree or are unrelated.
func (p *Params) Prefix(f *safetensors.File) (theirs, ours string) {
	_, pre, _ := p.match(f)
	return pre.theirs, pre.ours
}

// prefixes holds the prefixes of names of a file and of parameters before their common part.
type prefixes struct{ theirs, ours string }

// match finds the name in the file of every parameter. It fails if there are several sets of weights.
func (p *Params) match(f *safetensors.File) (names []string, pre prefixes, err error) {
	own := make([]string, len(p.specs))
	for i, s := range p.specs {
		own[i] = s.Name
	}
	has := map[string]bool{}
	for _, t := range f.Tensors {
		has[t.Name] = true
	}
	if len(own) == 0 || p.named(has, prefixes{}) != nil {
		return own, pre, nil
	}
	var found []string // prefixes of the first name, for an error
	seen := map[string]bool{}
	for _, ours := range commonPrefixes(own) {
		first := strings.TrimPrefix(own[0], ours)
		for _, t := range f.Tensors {
			theirs, ok := strings.CutSuffix(t.Name, first)
			if !ok || theirs != "" && !strings.HasSuffix(theirs, ".") || seen[t.Name] {
				continue
			}
			if n := p.named(has, prefixes{theirs, ours}); n != nil {
				names, pre, seen[t.Name] = n, prefixes{theirs, ours}, true
				found = append(found, files.Quote(theirs))
			}
		}
	}
	switch len(found) {
	case 0:
		return own, prefixes{}, nil
	case 1:
		return names, pre, nil
	}
	return nil, prefixes{}, fmt.Errorf(
		"energy: weights: the file holds %d sets of them, with the prefixes %s; leave one", len(found), list(found))
}

// named returns the names of all parameters with these prefixes, or nil unless all are there.
func (p *Params) named(has map[string]bool, pre prefixes) []string {
	names := make([]string, len(p.specs))
	for i, s := range p.specs {
		if names[i] = pre.theirs + strings.TrimPrefix(s.Name, pre.ours); !has[names[i]] {
			return nil
		}
	}
	return names
}

// commonPrefixes returns the common prefixes of all names, in whole parts that end with a dot, starting with the empty
// one.
func commonPrefixes(names []string) []string {
	out := []string{""}
	for i, c := range names[0] {
		if c != '.' {
			continue
		}
		for _, n := range names {
			if !strings.HasPrefix(n, names[0][:i+1]) {
				return out
			}
		}
		out = append(out, names[0][:i+1])
	}
	return out
}

// list lists at most four names.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	sort.Strings(names)
	if len(names) > 4 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:4], ", "), len(names)-4)
	}
	return strings.Join(names, ", ")
}
