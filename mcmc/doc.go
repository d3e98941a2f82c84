// Package mcmc runs many Markov chains at once on a density known up to a constant, and diagnoses how well they mixed.
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
// A [Target] is an energy E with p(x) = exp(-E(x))/Z. A batch of chains is a *mat.Dense, one chain per row with stride
// d. One [Kernel.Step] is one transition of every chain; energies and gradients at the current positions are cached in
// the [State], so that K transitions take
//
//	Langevin       K      calls of EnergyGrad
//	MALA, BAOAB    K + 1
//	HMC            K·L + 1 (L leapfrog steps)
//
// Steps are written h for Langevin, x' = x - h∇E(x) + √(2h) ξ, and ε for Hamiltonian dynamics; h = ε²/2 makes them
// comparable. Randomness is a *rand.Rand, passed last; nothing here reads a clock or a global, except to decide whether
// a batch takes long enough to be divided among cores, which does not change any draw.
//
// A compiled energy (energy.Evaluator) is a Target, and so is a plain Go function, by [RowFunc] or [TargetFunc].
//
// # Which kernel
//
//	Langevin      cheapest step; biased by its step size, never rejects
//	MALA          the same, exact
//	HMC           long moves in many dimensions, all chains in lockstep: many chains on a compiled energy
//	NUTS          chooses the length of each move itself; one tree per chain: a few chains on a posterior
//	BAOAB         underdamped Langevin: less biased than Langevin at the same cost, never rejects
//	Tempering     for separated modes: exact, K levels at K times the cost
//	Annealed      for a good start from anywhere; only approximately invariant
//	Independence  draws of a density near the target; exact, and alone enough only if that is very near
//	Jumping       the same between the moves of another kernel
//
// [Sample] runs a kernel on all cores, [Warmup] adapts its settings, [Diagnose] says whether the draws can be trusted,
// and [AIS] estimates log Z.
//
// # Your own kernels
//
// A kernel is a type with Step and Validate. Further methods declare its capabilities, for the built-in kernels and
// yours alike:
//
//	Tunable    a step size that warm-up adapts
//	Massive    a mass that warm-up adapts
//	Outer      an inner kernel, which is adapted in place
//	Adaptive   other settings adapted in warm-up
//	Traited    its name, and what diagnostics need to know
//
// Warm-up of a kernel with none of the first four, or with methods merely inherited by embedding, is an error.
//
// # Thresholds
//
// The thresholds of [Diagnostics.Warnings] are
//
//	R̂ 1.01, more for many short chains   Vehtari et al. 2021, and RHatLimit
//	400 effective draws in total          Vehtari et al. 2021
//	E-BFMI 0.3                            Betancourt 2016
//	no divergence
//
// The 400 are 50 for each half of the usual four chains: enough for a mean to within 0.05 standard deviations. They
// bound the error of estimates from all draws, however many chains share the work: a thousand chains of ten draws each
// are enough. A plot of a few long chains (viz.Diagnostics) asks for the same 50 per half, that is 100 per chain: there
// each chain is judged by itself, by its trace and autocorrelation and its R̂ against the others, and 25 effective
// draws in each of 16 chains say nothing about a single one.
//
// # Non-finite values
//
// A position whose energy or gradient is NaN or infinite is never accepted. The chain stays where it was, and the
// transition is counted as a divergence. Kernels without an accept step (Langevin, BAOAB) return to the previous
// position. A chain that starts at such a point stays there until a proposal with a finite energy comes along; [Starts]
// draws points with finite energies, and warm-up restarts it from one of the other chains if they are in order.
//
// # Continuing a run
//
// A kernel is a value with settings only. All that changes is the State and the random source: save
// [State.MarshalBinary], the source's own MarshalBinary (rand.PCG and rand.ChaCha8 have it; rand.Rand adds no state),
// and the kernel's settings as adapted. A run restored from these continues bit for bit as if it had not been
// interrupted, provided the target returns the same bits for the same batch.
//
// There are examples of [Sample], [Kernel], [AIS], [Tempering], [Adapter], [Diagnose], [RHat] and [Resample].
package mcmc
