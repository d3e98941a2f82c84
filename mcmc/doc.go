// Package mcmc moves many Markov chains at once through a density known up to a constant, and says how well they mixed.
//
//	          ┌────────── EnergyGrad(x) ─────────┐
//	          ▼                                  │
//	State ─▶ Kernel.Step ─▶ State′, Info      Target, exp(-E)
//	          ▲                  │
//	          └─ settings ─ Adapter (warm-up)
//	                             ▼
//	             Sample: Draws ─▶ Diagnose: R̂, ESS, divergences, modes
//
// # Conventions
//
// A [Target] is an energy E with p(x) = exp(-E(x))/Z. A batch of chains is a *mat.Dense, one chain per row with stride d.
// One [Kernel.Step] is one transition of every chain; energies and gradients of the present positions are cached in
// the [State], so that K transitions ask for
//
//	Langevin       K      calls of EnergyGrad
//	MALA, BAOAB    K + 1
//	HMC            K·L + 1 (L leapfrog steps)
//
// Steps are written h for Langevin, x' = x - h∇E(x) + √(2h) ξ, and ε for Hamiltonian dynamics; h = ε²/2 makes them
// comparable. Randomness is a *rand.Rand, passed last; nothing here reads a clock or a global,
// but for whether a batch takes long enough to be cut among cores, which changes no draw.
//
// A compiled energy (energy.Evaluator) is a Target, and so is a plain Go function, by [RowFunc] or [TargetFunc].
//
// # Which kernel
//
//	Langevin    cheapest step; biased by its step size, never rejects
//	MALA        the same, exact
//	HMC         far-reaching moves in many dimensions, all chains in step: many chains of a compiled energy
//	NUTS        the length chooses itself, move by move; one tree per chain: few chains of a posterior
//	BAOAB       underdamped Langevin: less biased than Langevin at the same cost, never rejects
//	Tempering   for separate modes: exact, K levels at K times the cost
//	Annealed    for a good start from anywhere; only approximately invariant
//
// [Sample] runs one of them over cores, [Warmup] finds the settings, [Diagnose] says whether the draws can be trusted, [AIS]
// estimates log Z.
//
// # Kernels of one's own
//
// A kernel is a type with Step and Validate. What else it can do it says by methods, which are looked for in ours and yours alike:
//
//	Tunable    a step that warm-up finds
//	Massive    a mass that warm-up finds
//	Outer      a kernel inside, which is adapted there
//	Adaptive   settings that it finds by itself in warm-up
//	Traited    its name, and what diagnostics must know
//
// A warm-up of a kernel that has none of the first four, or that only embeds one which has, is an error.
//
// # Thresholds
//
// Those of [Diagnostics.Warnings] are
//
//	R̂ 1.01, more for many short chains   Vehtari et al. 2021, and RHatLimit
//	400 effective draws in all            Vehtari et al. 2021
//	E-BFMI 0.3                            Betancourt 2016
//	no divergence
//
// The 400 are 50 for each half of the four chains that are usual there: enough for a mean to within 0.05 standard
// deviations. They bound the error of what all draws say together, and that does not ask how many chains shared the work: a
// thousand chains of ten draws each have them. A picture of a few long chains (viz.Diagnostics) wants the same 50 per half, that
// is 100 per chain: there each chain is looked at by itself, its trace and autocorrelation as its R̂ beside the others, and
// 25 effective draws of each of 16 chains tell nothing of a single one.
//
// # Numbers that are not numbers
//
// A position whose energy or gradient is NaN or infinite is never accepted. The chain stays where it was, and the
// transition is counted as a divergence. Kernels without an accept step (Langevin, BAOAB) go back to the position before.
// A chain that starts at such a point keeps it until a proposal with a finite energy comes along; [Starts] draws points where there is
// one, and a warm-up with other chains in order lets it go on from where one of them is.
//
// # Continuing a run
//
// A kernel is a value with settings only. All that moves is the State and the random source: save
// [State.MarshalBinary], the source's own MarshalBinary (rand.PCG and rand.ChaCha8 have it; rand.Rand adds no state),
// and the kernel's settings as adapted. A run that is restored from these continues bit for bit as if it had not been
// interrupted, provided the target returns the same bits for the same batch.
package mcmc
