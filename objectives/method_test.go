package objectives_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/objectivetest"
)

func TestMethods(t *testing.T) {
	for _, name := range objectives.Names() {
		t.Run(name, func(t *testing.T) {
			objectivetest.CheckMethod(t, named(name))
			objectivetest.CheckMethod(t, small(name))
		})
	}
}

// What an objective learns other than the density, in its own words.
func TestBias(t *testing.T) {
	for want, m := range map[string]objectives.Method{
		"":                      objectives.ScoreMatching{},
		"sigma = 0.25":          objectives.Denoising{Sigma: 0.25},
		"alpha = 0.5":           objectives.Likelihood{Chains: objectives.Chains{Alpha: 0.5}},
		"chains of 1 step from": objectives.ContrastiveDivergence{Chains: objectives.Chains{Steps: 1}},
		"0.02":                  objectives.FiniteDifference{},
	} {
		if got := m.Suited(objectives.Facts{}).Traits().Bias; !strings.Contains(got, want) ||
			(want == "") != (got == "") {
			t.Errorf("%T: bias %q does not mention %q", m, got, want)
		}
	}
}

// Defaults follow the scale of the data: for points a thousand times as far apart, noises are a thousand times as
// large and steps of chains a million times.
func TestDefaultsScale(t *testing.T) {
	for _, name := range objectives.Names() {
		m := named(name)
		one, thousand := m.Suited(objectives.Facts{Spread: 2}), m.Suited(objectives.Facts{Spread: 2000})
		for key, factor := range map[string]float64{"sigma": 1e3, "sigma-max": 1e3, "chain-step-size": 1e6} {
			a, ok := objectives.Encode(one)[key]
			if !ok {
				continue
			}
			var v, w float64
			if json.Unmarshal(a, &v) != nil || json.Unmarshal(objectives.Encode(thousand)[key], &w) != nil {
				t.Fatal(key)
			}
			if d := w/v/factor - 1; d > 1e-12 || d < -1e-12 {
				t.Errorf("%s: %s is %g for a spread of 2, %g for 2000; want %g times as much", name, key, v, w, factor)
			}
		}
	}
}

func raw(pairs ...string) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

// Keys set fields; a 0 means none where that is possible, and is refused where Go's zero value means the default.
func TestDecode(t *testing.T) {
	got, err := objectives.Decode("ml", raw("jumps", "0", "chain-steps", "7", "alpha", "0", "buffer", "0", "noise",
		`"box"`))
	want := objectives.Likelihood{Chains: objectives.Chains{Jumps: -1, Steps: 7, Noise: objectives.BoxNoise}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if back := objectives.Encode(got.Suited(objectives.Facts{})); string(back["jumps"]) != "0" {
		t.Errorf("no jumps are written as %s, want 0", back["jumps"])
	}
	for _, c := range []struct {
		name, key, value string
		says             string
	}{
		{"dsm", "sigma", "0", "Denoising.Sigma = 0, want > 0: without noise"},
		{"nce", "noise-ratio", "0", "NCE.Ratio = 0, want >= 1"},
		{"nce", "noise-ratio", "1.5", "NCE.Ratio = 1.5, want a whole number"},
		{"nce", "noise-ratio", "null", "NCE.Ratio = null, want a whole number"},
		{"pcd", "jumps", "-2", "PersistentCD.Jumps = -2, want >= 0, where 0 is none"},
		{"dsm", "unpaired", "3", "true or false"},
		{"dsm", "levels", "3", `no setting of dsm "levels"; there are sigma, unpaired`},
		{"sm", "sigma", "3", `no setting of sm "sigma"; there is none`},
		{"smm", "sigma", "3", `no objective "smm"; there are cd, `},
	} {
		if m, err := objectives.Decode(c.name, raw(c.key, c.value)); err == nil ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s with %s = %s: %+v, error %v; want %q", c.name, c.key, c.value, m, err, c.says)
		}
	}
}

// Errors name every field, with its key, also through wrapping.
func TestFieldErrors(t *testing.T) {
	err := objectives.PersistentCD{Chains: objectives.Chains{Steps: -1, StepSize: -2, Jumps: 1, Sampler: "nuts",
		Noise: "pink"}}.Validate()
	var keys []string
	for _, e := range objectives.FieldErrors(fmt.Errorf("somewhere: %w", err)) {
		keys = append(keys, e.Key)
	}
	if want := []string{"chain-steps", "chain-sampler", "chain-step-size", "noise"}; !reflect.DeepEqual(keys, want) {
		t.Errorf("errors of %v, want %v", keys, want)
	}
	e := objectives.FieldErrors(objectives.LearnedStein{Rate: -1}.Suited(objectives.Facts{}).Validate())
	if len(e) != 1 || e[0].Key != "" || e[0].Field != "Rate" || e[0].Value != -1.0 {
		t.Errorf("a field without a key: %+v", e)
	}
	var unknown *objectives.UnknownError
	if _, err := objectives.ByName("smm"); !errors.As(err, &unknown) || unknown.Name != "smm" ||
		len(unknown.Known) == 0 {
		t.Errorf("got %v, want an UnknownError with what is known", err)
	}
}

// lost embeds an objective and defines nothing: its Suited is that of the embedded one.
type lost struct{ objectives.ScoreMatching }

// pointed is an objective with methods on the pointer.
type pointed struct {
	objectives.Sliced
	Cut float64 `json:"cut" help:"Nothing."`
}

func (m *pointed) Suited(data objectives.Facts) objectives.Method {
	c := *m
	c.Sliced = m.Sliced.Suited(data).(objectives.Sliced)
	if c.Cut == 0 {
		c.Cut = 3
	}
	return &c
}

func TestMethodsOfOnesOwn(t *testing.T) {
	e := mlp(2)
	p := energy.Init(e, newRNG(1))
	if _, err := objectives.New(lost{}, e, p, objectives.Config{}); err == nil ||
		!strings.Contains(err.Error(), "lost.Suited returned") {
		t.Errorf("a type that loses itself: %v", err)
	}
	objectives.Register("test-pointed", &pointed{})
	t.Cleanup(func() { objectives.Forget("test-pointed") })
	objectivetest.CheckMethod(t, &pointed{})
	m, err := objectives.Decode("test-pointed", raw("cut", "2", "slices", "4"))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.(*pointed); got.Cut != 2 || got.Slices != 4 {
		t.Errorf("got %+v", got)
	}
	if fresh := named("test-pointed").(*pointed); fresh.Cut != 0 {
		t.Errorf("Decode changed what was registered: %+v", fresh)
	}
	if _, err := objectives.New(m, e, p, objectives.Config{Batch: 4}); err != nil {
		t.Error(err)
	}
	if name, ok := objectives.NameOf(m); !ok || name != "test-pointed" {
		t.Errorf("NameOf: %q, %v", name, ok)
	}
	if _, ok := objectives.NameOf(lost{}); ok {
		t.Error("a type that was not registered has a name")
	}
	for says, register := range map[string]func(){
		"there is an objective sm": func() { objectives.Register("sm", lost{}) },
		"without a name":           func() { objectives.Register("", lost{}) },
		"two fields have the key":  func() { objectives.Register("test-twice", twice{}) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), says) {
					t.Errorf("got panic %v, want %q", r, says)
				}
			}()
			register()
		}()
	}
}

type twice struct {
	objectives.Sliced
	More int `json:"slices"`
}

func (m twice) Suited(objectives.Facts) objectives.Method { return m }
