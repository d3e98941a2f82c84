// Package metrics judges how well an energy and its samples fit the data. Nothing here is differentiated, and nothing
// here knows where the energy comes from: everything is computed from plain functions.
//
//	Energy ──Integrate──▶ log Z ─┬─▶ NLL, KL, reverse KL, TV, leak
//	Truth ──LogProb, Score──────┘   Fisher divergence
//	Samples ─────────────────────▶ MMD², energy distance, histogram, modes, KSD ┄ beside true draws
//
// # Measures of the density
//
// A model is an energy E with q(x) = exp(−E(x))/Z. In one and two dimensions log Z is had by the midpoint rule
// ([Integrate]), refined until it stands still, on the box of the distribution and, to know the leak (the mass outside
// of the box), on frames around it. In more dimensions the caller brings log Z with its error, from annealed importance
// sampling. With the true log-density log p known,
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
// The unbiased squared maximum mean discrepancy ([MMD2]), the energy distance ([EnergyDistance]), the total variation of
// a 25×25 histogram against exact cell masses, that of the weights of the modes, the number of modes found, the share
// of samples in the 99 % highest-density region, and the kernelised Stein discrepancy ([KSD]) that needs only the
// score. Beside each stands its floor: the same measure for as many true draws.
//
// Sums over pairs are taken over all pairs, in parallel, with partial sums added in a fixed order, so that a result does
// not depend on the number of cores; ten thousand samples against ten thousand cost about 10⁸ kernel values, a second
// or two. Larger sets are cut to their first [MaxPairs] rows, in more than five dimensions to fewer.
//
// [Evaluate] computes everything that the known parts allow and returns one [Report], the object of `ebm eval --json`.
package metrics
