package board

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
)

// Shard is one of Count parts of a comparison, counted from 0. The zero value is all of it.
type Shard struct{ Index, Count int }

// MaxShards bounds the parts of a comparison.
const MaxShards = 100_000

// ParseShard parses I/N, or, for auto, takes the shard from the variables that Slurm and Kubernetes set for tasks.
func ParseShard(text string, getenv func(string) string) (Shard, error) {
	if text == "auto" {
		return autoShard(getenv)
	}
	index, count, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > MaxShards || i < 0 || i >= n {
		return Shard{}, exit.Usagef(
			"--shard %s: want I/N with I from 0 to N-1, such as 0/4, or auto in a task of Slurm or Kubernetes", text)
	}
	return Shard{i, n}, nil
}

// ShardsVariable holds the number of shards, for --shard auto.
const ShardsVariable = "EBM_SHARDS"

// autoShard reads the variables that the schedulers set. A Slurm array provides the number of its tasks, unless some of
// them are requeued; an indexed Kubernetes job does not.
func autoShard(getenv func(string) string) (Shard, error) {
	var firstErr error
	get := func(name string) (int, bool) {
		text := getenv(name)
		v, err := strconv.Atoi(text)
		switch {
		case text == "":
			return 0, false
		case err != nil || v < 0 || v > MaxShards:
			firstErr = cmp.Or(firstErr,
				exit.Usagef("--shard auto: %s is %q, want a number from 0 to %d", name, text, MaxShards))
			return 0, false
		}
		return v, true
	}
	count, counted := get(ShardsVariable)
	var s Shard
	if task, ok := get("SLURM_ARRAY_TASK_ID"); ok {
		s = Shard{task, count}
		if !counted {
			first, _ := get("SLURM_ARRAY_TASK_MIN")
			step, ok := get("SLURM_ARRAY_TASK_STEP")
			if !ok || step == 0 {
				step = 1
			}
			s.Index = (task - first) / step
			s.Count, _ = get("SLURM_ARRAY_TASK_COUNT")
		}
	} else if index, ok := get("JOB_COMPLETION_INDEX"); ok {
		if !counted && firstErr == nil {
			return s, exit.Usagef("--shard auto: %s is not set, want the number of completions of the job",
				ShardsVariable)
		}
		s = Shard{index, count}
	} else if firstErr == nil {
		return s, exit.Usagef(
			"--shard auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; it is for tasks of Slurm and " +
				"Kubernetes, others take --shard I/N")
	}
	if firstErr != nil {
		return s, firstErr
	}
	if s.Count < 1 || s.Index >= s.Count {
		return s, exit.Usagef("--shard auto: task %d of %d; want an array that begins with 0 and has no gaps, or %s",
			s.Index, s.Count, ShardsVariable)
	}
	return s, nil
}
