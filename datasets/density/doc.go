// Package density provides known densities: normalised, with log p in closed form, its score and exact draws, and fits
// to points.
//
//	points ──FitGaussian, FitMixture, FitKernel, BoxOf──▶ Density
//	Density ──LogProb, Score, Sample──▶ noise, base, reference, proposal
//
// # The densities
//
//   - [Gaussian], N(μ, LLᵀ);
//   - [Mixture], a mixture of Gaussians whose covariances are full, tied, diagonal or spherical;
//   - a kernel density, a mixture with one component per point: [NewKernel], and [FitKernel] with the most likely
//     width;
//   - [Box], uniform on a box;
//   - [Warped], a mixture of Gaussians of columns that a [Warp] has straightened;
//   - [Blend], a mixture of densities of any kind;
//   - [Tabulated], the values of a low-dimensional density on a grid.
//
// [FitMixture] fits mixtures by expectation–maximisation and chooses the number of components and the kind of
// covariance by BIC or by the likelihood of held-out points; [Search] returns everything it tried. Coordinates may be
// in any units, from 1e-150 to 1e150: fits are made in units of the columns' standard deviations, and a mixture stores
// roots of covariances, not covariances.
//
// [FitWarped] fits mixtures of straightened columns to points whose columns follow each other along curves, for which a
// mixture needs many Gaussians.
//
// Your own density is a type with the methods of [Density], and of [Scorer] if its score is known. Package energy
// builds graphs for the densities of this package, and for any other that provides its graph.
//
// # Conventions
//
// A batch is a *mat.Dense, one point per row. Densities are immutable and safe for concurrent use. Mismatched shapes
// are programming errors and panic; points and parameters that do not determine a density are errors, see
// [SingularError].
//
// There are examples of [FitMixture] and [NewBlend].
package density
