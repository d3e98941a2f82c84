// Package verify is the certificate of objectives and samplers: checks against known targets, as a table.
//
// For every objective:
//
//	gradient   the gradient in θ is the finite difference of the loss under common random numbers, in every parameter
//	zero       the expected gradient is zero at the truth: the largest |z| over the parameters, z = mean / standard error,
//	           against the quantile that a right objective exceeds once in ten thousand tables
//	gaussian   training from a perturbed start recovers mean and covariance of a Gaussian
//	mixture    training from a perturbed start recovers weights, means and deviations of a mixture of two
//
// For every sampler: many chains start as exact draws; after some transitions they must still be such draws (z-tests of
// moments), or draws of the slightly wrong law that the sampler is known to have.
//
// The tests of this package run the same checks, and broken twins of every objective that must fail them.
package verify
