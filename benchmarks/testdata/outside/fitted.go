package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// fitted trains the own energy on the own source by own objectives through package fit, in a run directory, from its
// last checkpoint if there is one.
func fitted(dir, objective string, slow bool) error {
	hooks := fit.Hooks{Step: func(p train.Progress) error {
		if p.Step%10 == 0 {
			fmt.Println("step", p.Step)
		}
		if slow {
			time.Sleep(5 * time.Millisecond)
		}
		return nil
	}}
	ctx := context.Background()
	var m *fit.Model
	var err error
	if _, missing := os.Stat(filepath.Join(dir, "config.json")); missing == nil {
		m, err = fit.Resume(ctx, dir, new(spiral), hooks)
	} else {
		m, err = fit.Train(ctx, new(spiral), fit.Config{
			Dataset: "spiral", Name: objective, Network: "quartic", Out: dir, Hooks: hooks, Batch: 32, Steps: 200,
			CheckpointEvery: 25, Samples: 50, Chains: 10, Adapt: 30, Frames: -1, TestPoints: 200, Grid: 100,
			Bridge: -1, LearningRate: 0.005,
		})
	}
	if err != nil {
		return err
	}
	weights, err1 := os.ReadFile(m.Dir().File("model.safetensors"))
	samples, err2 := os.ReadFile(m.Dir().File("samples.npy"))
	fmt.Printf("learnt %x %x\n", weights, samples)
	return errors.Join(err1, err2)
}
