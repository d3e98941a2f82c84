package objectivetest

import (
	"reflect"
	"testing"

	"github.com/stheno-ebm/stheno/objectives"
)

// facts lists kinds of data that defaults have to suit.
var facts = []objectives.Facts{
	{}, {Dim: 2, Spread: 2}, {Dim: 1, Spread: 1e-6},
	{Dim: 21, Spread: 1, Points: 500}, {Dim: 784, Spread: 3e5, Points: 60000},
}

// CheckMethod checks a method's description of itself: that its defaults are valid for any kind of data and do not
// change what is set, that it describes itself and each of its settings, that its recipe can be trained with, and, if
// its type is registered, that its settings can be written and read back.
func CheckMethod(t *testing.T, m objectives.Method) {
	t.Helper()
	before := reflect.ValueOf(m)
	if before.Kind() == reflect.Pointer {
		c := reflect.New(before.Type().Elem())
		c.Elem().Set(before.Elem())
		before = c
	}
	for _, f := range facts {
		s := m.Suited(f)
		if reflect.TypeOf(s) != reflect.TypeOf(m) {
			t.Fatalf("Suited(%+v) is a %T, want a %T", f, s, m)
		}
		if err := s.Validate(); err != nil {
			t.Errorf("Suited(%+v) is not valid: %v", f, err)
		}
		if again := s.Suited(f); !reflect.DeepEqual(again, s) {
			t.Errorf("Suited(%+v) of Suited: got %+v, want %+v", f, again, s)
		}
		checkTraits(t, s.Traits())
		checkRecipe(t, s.Recipe(f))
		if name, ok := objectives.NameOf(m); ok {
			checkCoding(t, name, s)
		}
	}
	if !reflect.DeepEqual(m, before.Interface()) {
		t.Errorf("Suited changed the method from %+v to %+v", before, m)
	}
	for _, f := range objectives.Fields(m) {
		if f.Help == "" {
			t.Errorf("the field %s has the key %q, but no help", f.Name, f.Key)
		}
	}
}

func checkTraits(t *testing.T, traits objectives.Traits) {
	t.Helper()
	if traits.Summary == "" || traits.Source == "" {
		t.Errorf("Traits %+v without a summary or a source", traits)
	}
	if traits.Bridge && !traits.Score {
		t.Errorf("Traits %+v: a bridge is for objectives that match scores", traits)
	}
	if traits.Blur < 0 || traits.Weight < 0 {
		t.Errorf("Traits %+v: a blur or a weight below 0", traits)
	}
	for i, s := range traits.Levels {
		if s <= 0 || i > 0 && s >= traits.Levels[i-1] {
			t.Errorf("Traits.Levels = %v, want falling numbers above 0", traits.Levels)
		}
	}
}

func checkRecipe(t *testing.T, r objectives.Recipe) {
	t.Helper()
	share := func(v float64) bool { return v >= 0 && v < 1 }
	if !(r.LearningRate > 0) || r.Batch < 1 || r.Steps < 1 || r.Warmup < 0 || r.Warmup > r.Steps || !(r.Clip >= 0) ||
		!share(r.Average) || !share(r.Bridge) || !(r.Smooth >= 0 && r.Smooth <= 1) {
		t.Errorf("Recipe %+v cannot be trained by", r)
	}
}

// checkCoding writes the settings and reads them.
func checkCoding(t *testing.T, name string, m objectives.Method) {
	t.Helper()
	got, err := objectives.Decode(name, objectives.Encode(m))
	if err != nil {
		t.Errorf("what Encode wrote is not read: %v", err)
		return
	}
	for _, f := range objectives.Fields(m) {
		if a, b := field(got, f.Name), field(m, f.Name); !reflect.DeepEqual(a, b) {
			t.Errorf("%s = %v was written and read as %v", f.Name, b, a)
		}
	}
}

func field(m objectives.Method, name string) any {
	v := reflect.ValueOf(m)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v.FieldByName(name).Interface()
}
