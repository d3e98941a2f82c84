// Package datasets provides the distributions that energies are trained on and judged against: the data, and, since
// these densities are known exactly, log p, its score ∇ log p and its entropy.
//
//	name ──New──▶ Distribution ──Sample──▶ batches ──▶ training
//	                   └─ LogProb, Score, Entropy ───▶ measures of fit
//	file ──Load─▶ Points ──Split, Standardizer, Smoothed──▶ batches
//
// # The named distributions
//
// [New] builds one by name, [Names] lists them, and [Describe] describes each in a line. Every one has
//
//   - a generator, Sample, which fills the rows of a batch with independent draws;
//   - the exact normalised log-density, LogProb, in nats, finite in the farthest tail wherever the density is positive
//     (sums of tiny terms are taken in log space);
//   - the exact score, ∇ₓ log p;
//   - the differential entropy −E log p, in nats;
//   - Bounds, a box that holds all but 1e-6 of the mass;
//   - its modes (clusters, rings, arms), their weights, and a rule that assigns a point to one of them.
//
// The densities of the "noisy curve" kind (2spirals, moons, swissroll, cos) are integrals along the curve. They are
// computed with Gauss–Legendre nodes a fraction of the noise apart, accurate to about 1e-12, over the part of the curve
// that contributes at a point. Rings are Bessel functions, squares are differences of error functions, and the rest is
// in closed form.
//
// Package datasettest checks each generator against its density.
//
// # Your own data
//
// [Load] reads points of any dimension from a .csv, .tsv, .txt, .npy or .npz file (see package table for the formats
// and options), [Points] draws from them, and a [Standardizer] maps them to zero mean and unit variance and back.
// [Smoothed] draws from them as training should, perturbed within the spread of their neighbours: a model that sees the
// same few thousand points over and over memorises them. [NewImage] turns a picture into a density. [Open] takes a name
// or a path and works out which it is.
//
// # Conventions
//
// A batch is a *mat.Dense, one sample per row. Distributions are immutable and safe for concurrent use. Mismatched
// shapes are programming errors and panic; wrong names and files are errors.
//
// There are examples of [New], [Load] and [Distribution].
package datasets
