package fit

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stheno-ebm/stheno/objectives"
)

func init() { objectives.Register("sm2", objectives.ScoreMatching{}) }

// An objective registered a second time, under another name, trains exactly as under the first: with its default
// settings, beside a bridge, with the same weights.
func TestSecondName(t *testing.T) {
	weights := func(name string) []float64 {
		j := planned(t, "moons", name,
			Layer{"steps": json.RawMessage("5"), "samples": json.RawMessage("0"), "grid": json.RawMessage("50"),
				"test-points": json.RawMessage("100")})
		m, err := j.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if j.Config.Bridge == 0 || j.Config.Name != name {
			t.Errorf("%s: bridge %g, name %q", name, j.Config.Bridge, j.Config.Name)
		}
		return m.Params.Data()
	}
	if !slices.Equal(weights("sm"), weights("sm2")) {
		t.Error("sm2 trains other weights than sm")
	}
}
