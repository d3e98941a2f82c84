// Package fit turns points into a trained and measured model: what `ebm train` does, as a library.
//
//	data, err := datasets.Open("points.csv")
//	model, err := fit.Train(ctx, data, fit.Config{})
//	fmt.Println(model.Result.Eval.NLL)
//	draw, err := model.Sample(ctx, fit.SampleConfig{N: 1000})
//
// An empty [Config] adapts to the data. A distribution is sampled afresh at every step and learnt by score matching
// with a known background (a bridge, see [energy.Bridge]); your own points are scaled to deviation 1, a tenth of them
// is held out, and the rest is blurred a little and learnt by noise contrastive estimation. Everything else follows
// from the objective, which knows what suits it, and from the data: noises and steps are proportional to their spread.
//
// # The course of a run
//
//	Source ──▶ Data ──▶ Config ──▶ Energy, Objective ──▶ train.Run ──▶ Sample ──▶ Evaluate ──▶ Model
//	           units    complete   θ                     checkpoints   chains     log Z, NLL   files
//
// [Prepare] does everything that can fail before anything is written: it reads the data, fills in the settings, builds
// the energy and compiles the objective. [Job.Run] trains, samples and evaluates, writing to the run directory if there
// is one; it can be cancelled at any moment, and continues from the last checkpoint bit for bit. [Train] does both.
// [Open] loads the model of a run directory; [Model.Save] writes one.
//
// # Units
//
// Data have their own units; if Config.Standardize is on, the network sees z = (x−m)/s. Everything that a [Model] takes
// and returns is in the units of the data: its energy is E(z) + Σ log s, so that exp(−E) keeps its integral.
//
// # The base
//
// Under a model of points lies a mixture of Gaussians b, with as many components as BIC allows, the base. The energy is
// -log b + λ f_θ (see [energy.Tilted]) or, in up to three dimensions, that of a network which learns from draws of b
// alone. Points held back decide how much of the network is kept; where it does not improve on b by more than chance,
// the model is b. Config.Base turns it off.
//
// Where columns follow others along curves, a mixture of Gaussians of straightened columns w (see [density.Warped])
// takes the place of b, if points held back are likelier by more than chance: the energy is -log w + λ f_θ. In two or
// three columns it competes with b and the network. What the model is compared with is b all the same. There is none
// where columns have few values.
//
// # Discrete values
//
// A density rises without bound on values that repeat. Columns of whole or rounded numbers of which many occur more
// than once are learnt as probabilities of cells as wide as their steps: energies, log densities, ranks and the NLL are
// of the probability of a row's cell over its volume, and draws are rounded. Columns of two values, such as yes and no,
// and of up to 20 frequent ones are learnt by their probabilities, and the density of the other columns given each;
// there the NLL is of the probability over the step of the values, 1 for 0 and 1. Config.Discrete chooses.
//
// # Extension
//
// Objectives are values of any type that implements [objectives.Method]; to be named in run directories they are
// registered by [objectives.Register]. Kinds of networks are registered by [RegisterNetwork]. A stateful source of your
// own is part of the checkpoints if it is a [train.Stateful].
package fit
