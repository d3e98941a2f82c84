package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/benchmarks/internal/cpu"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// The comparison of time to quality: whole trainings by nce on 8gaussians, of a network 2–64–64–1 on batches of 128
// with two noise points each, Adam from 1e-2 down a cosine, averaged weights. Each side tries the plain network, with
// a first layer three times as large, and the one on 32 sines and cosines; a training that ends within the goal in the
// median over seeds has reached it, and the shortest that does counts, in CPU seconds of training, compilation
// included. PyTorch's plain network is what one writes first: it is trained until it is there even where the other one
// was long before.
const (
	qualityHidden, qualityBatch = 64, 128
	qualityCells, qualityHalf   = 800, 6.0
)

var (
	qualitySteps    = []int{100, 200, 250, 300, 350, 400, 500, 600, 800, 1200, 1600, 2400, 3200, 4800}
	qualityFeatures = []int{32, 0}
)

// trial is a training of given length, the medians over seeds.
type trial struct {
	Side     string  `json:"side"`
	Features int     `json:"features"`
	Steps    int     `json:"steps"`
	Seconds  float64 `json:"cpu_seconds"`
	KL       float64 `json:"kl"`
	Reached  bool    `json:"reached"`
}

// qualityReport is what --quality prints.
type qualityReport struct {
	PyTorch string   `json:"pytorch,omitempty"`
	BLAS    *blas    `json:"openblas,omitempty"`
	Goal    float64  `json:"goal_kl"`
	Seeds   int      `json:"seeds"`
	Trials  []trial  `json:"trials"`
	Ratio   *float64 `json:"ratio,omitempty"`       // of CPU seconds, Go's best over PyTorch's
	Plain   *float64 `json:"ratio_plain,omitempty"` // Go's best over PyTorch's plain network
}

// compareQuality lengthens the trainings of all variants of both sides in turn, each until it has reached the goal.
func compareQuality(ctx context.Context, opt options) (qualityReport, error) {
	rep := qualityReport{Goal: opt.Quality, Seeds: opt.Seeds}
	sides := []string{"Go"}
	b, err := fastestBLAS(ctx, opt.Python)
	var p *peer
	switch {
	case errors.Is(err, errNoTorch):
		fmt.Fprintln(os.Stderr, err)
	case err != nil:
		return rep, err
	default:
		if p, err = startPeer(ctx, opt.Python, 1, b); err != nil {
			return rep, err
		}
		defer p.close()
		rep.BLAS = &b
		rep.PyTorch = p.version
		sides = append(sides, "PyTorch")
	}
	best := map[string]float64{} // by side; "plain" is PyTorch's plain network
	done := map[string]bool{}
	for _, steps := range qualitySteps {
		for _, features := range qualityFeatures {
			for _, side := range sides {
				key := fmt.Sprint(side, features)
				if done[key] {
					continue
				}
				t := trial{Side: side, Features: features, Steps: steps}
				var seconds, kls []float64
				for seed := range opt.Seeds {
					if err := ctx.Err(); err != nil {
						return rep, err
					}
					train := trainQuality
					if side == "PyTorch" {
						train = p.quality
					}
					s, kl, err := train(steps, uint64(seed+1), features)
					if err != nil {
						return rep, err
					}
					seconds, kls = append(seconds, s), append(kls, kl)
				}
				t.Seconds, t.KL = median(seconds), median(kls)
				t.Reached = t.KL <= rep.Goal
				old, ok := best[side]
				plain := side == "PyTorch" && features == 0
				done[key] = t.Reached || !plain && ok && t.Seconds > old // longer ones would not be the shortest
				if t.Reached && (!ok || t.Seconds < old) {
					best[side] = t.Seconds
				}
				if t.Reached && plain {
					best["plain"] = t.Seconds
				}
				rep.Trials = append(rep.Trials, t)
				fmt.Fprintf(os.Stderr, "%s, %d features, %d steps: KL %.4f in %.2f CPU s\n", side, features, steps, t.KL, t.Seconds)
			}
		}
	}
	rep.Ratio, rep.Plain = ratio(best, "Go", "PyTorch"), ratio(best, "Go", "plain")
	return rep, nil
}

// ratio is a over b, nil if one of them is missing.
func ratio(seconds map[string]float64, a, b string) *float64 {
	if seconds[a] == 0 || seconds[b] == 0 {
		return nil
	}
	r := seconds[a] / seconds[b]
	return &r
}

// trainQuality trains in Go. The noise is fitted to 10 000 points; the density is not used.
func trainQuality(steps int, seed uint64, features int) (seconds, kl float64, err error) {
	truth, err := datasets.New("8gaussians")
	if err != nil {
		return 0, 0, err
	}
	data := mat.NewDense(10000, 2, nil)
	truth.Sample(data, train.Stream(seed, "fit"))
	start := cpu.Seconds()
	gain := 1.0
	if features == 0 {
		gain = 3
	}
	mlp := func(dim int) (energy.Energy, error) {
		return energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: []int{qualityHidden, qualityHidden}, FirstGain: gain})
	}
	e, err := mlp(2)
	if features > 0 {
		e, err = energy.NewFourier(energy.FourierConfig{Dim: 2, Frequencies: features, Scale: 2}, mlp)
	}
	if err != nil {
		return 0, 0, err
	}
	theta := energy.Init(e, train.Stream(seed, "init"))
	kernels, err := density.NewKernel(data.Slice(0, 256, 0, 2).(*mat.Dense), 0.25)
	if err != nil {
		return 0, 0, err
	}
	box, err := density.BoxOf(data, 0.25)
	if err != nil {
		return 0, 0, err
	}
	lo, hi := box.Corners()
	near, err := density.Tabulate(kernels, lo, hi, 0.125)
	if err != nil {
		return 0, 0, err
	}
	far, err := density.FitGaussian(data, 1.5)
	if err != nil {
		return 0, 0, err
	}
	noise, err := density.NewBlend([]density.Density{near, box, far}, []float64{0.7, 0.2, 0.1})
	if err != nil {
		return 0, 0, err
	}
	o, err := objectives.New(objectives.NCE{Density: noise, Ratio: 2}, e, theta, objectives.Config{Batch: qualityBatch})
	if err != nil {
		return 0, 0, err
	}
	res, err := train.Run(context.Background(), train.Config{
		Objective: o, Params: theta, Optimizer: &train.Adam{}, Source: truth, Dim: 2, Batch: qualityBatch, Steps: steps,
		LearningRate: 1e-2, Schedule: train.Cosine{Floor: 0.01}, Clip: 1, Decay: 0.99, Seed: seed,
	})
	seconds = cpu.Seconds() - start
	if err != nil {
		return 0, 0, err
	}
	theta.Set(res.Best)
	kl, err = gridKL(e, theta, truth)
	return seconds, kl, err
}

// gridKL is KL(data‖model) by the midpoint rule, as peer.py has it.
func gridKL(e energy.Energy, theta *energy.Params, truth datasets.Distribution) (float64, error) {
	eval, err := energy.NewEvaluator(e, theta, energy.EvaluatorConfig{Batch: qualityCells})
	if err != nil {
		return 0, err
	}
	const h = 2 * qualityHalf / qualityCells
	x, u, logp := mat.NewDense(qualityCells, 2, nil), make([]float64, qualityCells), make([]float64, qualityCells)
	var z, kl, mass float64
	for i := range qualityCells {
		for j := range qualityCells {
			x.SetRow(j, []float64{(float64(i)+0.5)*h - qualityHalf, (float64(j)+0.5)*h - qualityHalf})
		}
		if err := eval.Energies(u, x); err != nil {
			return 0, err
		}
		truth.LogProb(logp, x)
		for j, v := range u {
			p := math.Exp(logp[j]) * h * h
			z += math.Exp(-v) * h * h
			mass += p
			if p > 0 {
				kl += p * (logp[j] + v)
			}
		}
	}
	return kl/mass + math.Log(z), nil
}

// quality trains in PyTorch.
func (p *peer) quality(steps int, seed uint64, features int) (seconds, kl float64, err error) {
	request := map[string]any{"op": "quality", "steps": steps, "seed": seed, "features": features, "hidden": qualityHidden,
		"batch": qualityBatch, "cells": qualityCells, "half": qualityHalf}
	if err := json.NewEncoder(p.in).Encode(request); err != nil {
		return 0, 0, err
	}
	var answer struct{ Seconds, KL float64 }
	err = p.read(&answer)
	return answer.Seconds, answer.KL, err
}

// writeQuality prints a table of the trainings.
func writeQuality(w io.Writer, rep qualityReport) error {
	fmt.Fprintf(w, "KL(data‖model) ≤ %g on 8gaussians by nce, medians over %d seeds.\n\n", rep.Goal, rep.Seeds)
	fmt.Fprintln(w, "| side | sines and cosines | steps | KL, nats | CPU seconds | reached |\n|---|---|---|---|---|---|")
	for _, t := range rep.Trials {
		mark := ""
		if t.Reached {
			mark = "yes"
		}
		fmt.Fprintf(w, "| %s | %d | %d | %.4f | %.3f | %s |\n", t.Side, t.Features, t.Steps, t.KL, t.Seconds, mark)
	}
	if rep.Ratio == nil {
		_, err := fmt.Fprintln(w, "\nOne of the sides is missing or did not reach it.")
		return err
	}
	_, err := fmt.Fprintf(w, "\nGo / PyTorch %s, the best of each: **%.3f** of the CPU seconds.\n", rep.PyTorch,
		*rep.Ratio)
	if err == nil && rep.Plain != nil {
		_, err = fmt.Fprintf(w, "Go / PyTorch's plain network: **%.3f**.\n", *rep.Plain)
	}
	return err
}
