// Package datasets holds the distributions that energies are trained on and judged against: where the data come from,
// and, because these densities are known exactly, what log p, its score ∇ log p and its entropy are.
//
//	name ──New──▶ Distribution ──Sample──▶ batches ──▶ training
//	                   └─ LogProb, Score, Entropy ───▶ measures of fit
//	file ──Load─▶ Points ──Split, Standardizer, Smoothed──▶ batches
//
// # The named distributions
//
// [New] builds one by its name, [Names] lists them and [Describe] says in a line what each is. Every one has
//
//   - a generator, Sample, which fills the rows of a batch with independent draws;
//   - the exact normalised log-density, LogProb, in nats, finite in the farthest tail (of a density that is positive
//     there: sums of tiny terms are made in log space);
//   - the exact score, ∇ₓ log p;
//   - the differential entropy −E log p, in nats;
//   - Bounds, a box that holds all but 1e-6 of the mass;
//   - its modes (clusters, rings, arms) with their weights, and the rule that assigns a point to one of them.
//
// The densities of the "noisy curve" kind (2spirals, moons, swissroll, cos) are integrals along the curve. They are
// summed with Gauss–Legendre nodes that lie a fraction of the noise apart, so that the sum is exact to about 1e-12, and
// only the part of the curve that a point can see is summed. Rings are Bessel functions, squares are differences of
// error functions, the rest is in closed form.
//
// The package datasettest holds each generator against its density.
//
// # Your own data
//
// [Load] reads points of any dimension from a .csv, .tsv, .txt, .npy or .npz file (package table says how, and what else it can),
// [Points] draws from them, and a [Standardizer] brings them to zero mean and unit variance and back. [Smoothed] draws from them as
// training should, moved within the scatter of their neighbours: a model that sees the same few thousand points over and over learns
// them by heart. [NewImage] makes a picture into a density. [Open] takes a name or a path and finds out itself.
//
// # Conventions
//
// A batch is a *mat.Dense, one sample per row. Distributions are immutable and safe for concurrent use. Shapes that do
// not fit are the caller's mistake and panic; wrong names and files are errors.
package datasets
