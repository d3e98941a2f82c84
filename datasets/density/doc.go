// Package density holds the densities that are known: normalised, with log p in closed form, its score, exact draws,
// and fitted to points.
//
//	points ──FitGaussian, FitMixture, FitKernel, BoxOf──▶ Density ──LogProb, Score, Sample──▶ noise, base, reference, proposal
//
// # The densities
//
//   - [Gaussian], N(μ, LLᵀ);
//   - [Mixture], a mixture of Gaussians whose covariances are full, tied, diagonal or spherical;
//   - a kernel density, a mixture with one component per point: [NewKernel], and [FitKernel] with the width that is likeliest;
//   - [Box], uniform on a box;
//   - [Blend], a mixture of densities of any kind;
//   - [Tabulated], the values of a density of a few dimensions on a grid.
//
// [FitMixture] fits mixtures by expectation and maximisation and chooses the number of components and the kind of
// covariance by BIC or by the likelihood of points held out; [Search] returns all it has tried. Coordinates may be
// in any units, from 1e-150 to 1e150: fits are made in units of the columns' standard deviations, and a mixture
// keeps roots of covariances, not covariances.
//
// A density of one's own is a type with the methods of [Density], and of [Scorer] if it knows its score. Package
// energy builds the graphs of those of this package, and of any other that brings a graph along.
//
// # Conventions
//
// A batch is a *mat.Dense, one point per row. Densities are immutable and safe for concurrent use. Shapes that do
// not fit are the caller's mistake and panic; points and parameters on which no density can stand are errors, see
// [SingularError].
package density
