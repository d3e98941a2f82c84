// Package metrics judges how well an energy and its samples fit the data. Nothing here is differentiated, and it does
// not matter where the energy comes from: everything is computed from plain functions.
//
//	Energy ──Integrate──▶ log Z ─┬─▶ NLL, KL, reverse KL, TV, leak
//	Truth ──LogProb, Score──────┘   Fisher divergence
//	Samples ─────────────────────▶ MMD², energy distance, histogram, modes, KSD ┄ beside true draws
//
// # Measures of the density
//
// A model is an energy E with q(x) = exp(−E(x))/Z. In one and two dimensions log Z is computed by the midpoint rule
// ([Integrate]), refined until it converges, on the box of the distribution and, for the leak (the mass outside the
// box), on frames around it. In more dimensions the caller provides log Z and its error, from annealed importance
// sampling. If the true log-density log p is known,
//
//	NLL  = −E_p log q                    nats per sample, on fresh draws
//	KL   = ∫ p (log p − log q)           = NLL − entropy
//	rKL  = ∫ q (log q − log p)
//	TV   = ½ ∫ |p − q|
//	F    = E_p |∇log q − ∇log p|²        also relative to E_p |∇log p|²
//	slope = E_p ∇log q·∇log p / E_p |∇log p|²     1 at the right temperature
//
// # Measures of samples
//
// The unbiased squared maximum mean discrepancy ([MMD2]), the energy distance ([EnergyDistance]), the total variation
// of a 25×25 histogram against exact cell masses, that of the weights of the modes, the number of modes found, the
// share of samples in the 99 % highest-density region, and the kernelised Stein discrepancy ([KSD]), which needs only
// the score. Each is accompanied by its floor: the same measure for as many true draws.
//
// Sums over pairs are taken over all pairs, in parallel, with partial sums added in a fixed order, so that a result
// does not depend on the number of cores; ten thousand samples against ten thousand cost about 10⁸ kernel values, a
// second or two. Larger sets are cut to their first maxPairs rows, or fewer in more than five dimensions.
//
// [Evaluate] computes everything that the input allows and returns one [Report], the object of `ebm eval --json`.
//
// There are examples of [Evaluate], [Integrate], [Compare] and [KSD].
package metrics
