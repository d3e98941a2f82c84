// Package fit turns points into a trained and measured model: what `ebm train` does, as a library.
//
//	data, err := datasets.Open("points.csv")
//	model, err := fit.Train(ctx, data, fit.Config{})
//	fmt.Println(model.Result.Eval.NLL)
//	draw, err := model.Sample(ctx, fit.SampleConfig{N: 1000})
//
// A [Config] without a field set decides by the data. A distribution is drawn from afresh at every step and learnt by score
// matching beside a known background (a bridge, see [energy.Bridge]); points of one's own are brought to deviation 1, split in
// ten parts of which one is set aside, blurred a little, and learnt by noise contrastive estimation. Everything else follows from
// the objective, which knows what suits it, and from the data: noises and steps in proportion to their spread.
//
// # How a run goes
//
//	Source ──▶ Data ──▶ Config ──▶ Energy, Objective ──▶ train.Run ──▶ Sample ──▶ Evaluate ──▶ Model
//	           units    complete   θ                     checkpoints   chains     log Z, NLL   files
//
// [Prepare] does all that can fail before anything is written: it reads the data, fills in the settings, builds the energy and
// compiles the objective. [Job.Run] trains, draws and measures, each step into the run directory if there is one; it can be
// cancelled at any moment, and goes on from the last checkpoint bit for bit. [Train] is both. [Open] makes the model of a run
// directory; [Model.Save] writes one.
//
// # Units
//
// Data come in the units of their owner; where Config.Standardize is on, the network sees z = (x−m)/s. Everything that a [Model]
// takes and gives is in the units of the data: its energy is E(z) + Σ log s, so that exp(−E) keeps its integral.
//
// # What is open
//
// Objectives are values of any type that is an [objectives.Method]; those that run directories name are registered by
// [objectives.Register]. Kinds of networks are registered by [RegisterNetwork]. A source of one's own that remembers something is
// part of the checkpoints if it is a [train.Stateful].
package fit
