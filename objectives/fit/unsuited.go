package fit

import (
	"fmt"
	"slices"
)

// Unsuited lists the settings of the job that would be different on these data if only those of the layer had been
// given: leftovers from the config.json of a run on other data. Each is a text such as "objective sm (nce would suit)".
func (j *Job) Unsuited(given Layer) ([]string, error) {
	src := j.Model.data.truth
	c, err := Read(given)
	if err != nil {
		return nil, err
	}
	c.Dataset = j.Config.Dataset
	if err := c.settleObjective(src); err != nil {
		return nil, err
	}
	c.fill(Config{Seed: 1, Standardize: onIf(theirOwn(src, &c))})
	facts, err := j.Model.data.facts(c.Seed)
	if err != nil {
		return nil, err
	}
	if err := c.suit(facts); err != nil {
		return nil, err
	}
	kept, err := j.Config.Layer()
	if err != nil {
		return nil, err
	}
	suits, err := c.Layer()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, key := range Keys() {
		a, has := kept[key]
		b, would := suits[key]
		if has && would && string(a) != string(b) &&
			!slices.Contains([]string{"dataset", "seed", "threads", "max-memory"}, key) {
			out = append(out, fmt.Sprintf("%s %s (%s would suit)", key, plain(a), plain(b)))
		}
	}
	return out, nil
}

// plain returns a JSON value without quotation marks.
func plain(raw []byte) string {
	s := string(raw)
	if len(s) > 1 && s[0] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
