package job

import (
	"slices"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
)

// serves are the settings that some objectives alone look at, and which these are.
var serves = map[string][]string{
	"sigma":           {"dsm", "dsm-multi", "cnce", "mpf", "ed"},
	"sigma-max":       {"dsm-multi"},
	"levels":          {"dsm-multi"},
	"paired":          {"dsm", "dsm-multi"},
	"slices":          {"ssm", "ssm-vr", "fd-ssm", "sm-hutchinson"},
	"projection":      {"ssm", "ssm-vr", "fd-ssm", "sm-hutchinson"},
	"noise":           {"nce", "ml", "pcd", "cd"},
	"noise-ratio":     {"nce", "flow-nce", "mpf", "ed"},
	"chain-steps":     {"ml", "pcd", "cd"},
	"chain-sampler":   {"ml", "pcd", "cd"},
	"chain-step-size": {"ml", "pcd", "cd"},
	"jumps":           {"ml", "pcd", "cd"},
	"buffer":          {"ml"},
	"restart":         {"ml"},
	"alpha":           {"ml", "pcd", "cd"},
}

// Idle says of the settings under keys which of them change nothing, each with the reason, in the order of the keys.
func Idle(s settings.Settings, keys []string) []string {
	var idle []string
	for _, key := range settings.Keys() {
		if !slices.Contains(keys, key) {
			continue
		}
		switch of, some := serves[key]; {
		case some && !slices.Contains(of, s.Objective):
			idle = append(idle, "--"+key+" has no effect on --objective "+s.Objective)
		case key == "smooth" && !model.Finite(s):
			idle = append(idle, "--smooth has no effect on --dataset "+s.Dataset+": it is for files of points and --train-points")
		}
	}
	return idle
}
