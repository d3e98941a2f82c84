// Package train is the training loop: batch → gradient → clip → update → average → record.
//
//	Source ─▶ x ─▶ Objective.Gradient ─▶ Clip ─▶ Optimizer.Step ─▶ θ ─▶ Average
//	                     │ Stats                                  │
//	                     ├─▶ Sentinel ── trips ──▶ last checkpoint, smaller rate
//	                     └─▶ Recorder, Hooks      checkpoint: all of this, in one file
//
// One step at θ_t, with its batch x and its noise drawn from separate streams:
//
//	x  ~ Source
//	g  = ∂loss/∂θ (x, noise)                       Objective.Gradient
//	g ← g · min(1, c/(‖g‖+1e-6))                   Clip
//	θ ← θ − η_t · update(g)                        Optimizer.Step, η_t = η · Schedule.Factor(t)
//	θ̄ ← d_t θ̄ + (1−d_t) θ                          Average
//
// Data move one way and every buffer belongs to the loop: a step of the loop itself does not allocate.
//
// # Randomness
//
// All randomness comes from one seed and a name: Stream(seed, "noise", k). The loop seeds the stream of step t from
// (seed, name, attempt, t), so the state of the generator need not be kept between steps: a run that is stopped and
// resumed sees the same numbers as without interruption. An attempt is the period between two rollbacks.
//
// # Fault tolerance
//
// A checkpoint holds everything that the next step depends on: θ, the optimizer's moments, the average, the state of
// the data source and of the objective (replay buffers, learnt constants), the recorder's position and open window,
// the sentinel's memory. It is one file, written to a temporary name, synced and renamed; it carries a version and a
// SHA-256 sum. Resuming from it continues bit for bit. Cancelling the context of Run writes a checkpoint and returns.
//
// # Early stopping
//
// Training on finitely many points eventually overfits. With Config.Early the averaged weights are evaluated on
// held-out points, the best are kept in Result.Best, and a run that has not improved for long ends. Without it
// Result.Best is the average at the last step.
//
// # Divergence
//
// The sentinel checks every step. After a non-finite loss or gradient, exploding energies, dying chains, a diverging
// gap, or a diverging loss, whether to −∞ or on held-out points, the run goes back to the last good checkpoint, with a
// smaller learning rate and fresh noise, up to a given number of times; then Run returns an *Error that says what was
// seen, since when, and what usually helps. A non-finite loss is never replaced by a number.
//
// There are examples of [Run] and [Stream].
package train
