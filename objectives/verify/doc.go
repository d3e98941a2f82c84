// Package verify is the certificate of objectives and samplers: checks against known targets, as a table.
//
// For every objective:
//
//	finite differences  the largest difference between the gradient in θ and central differences of the loss under common
//	                    random numbers, over all parameters of a small MLP, relative to the largest element
//	z at the truth      the largest |z| over the parameters of the expected gradient at the true parameters, z = mean /
//	                    standard error, against the quantile that a right objective exceeds once in ten thousand tables.
//	                    For lsd the expected loss of an arbitrary critic, which Stein's identity makes zero
//	recovery error      training from a perturbed start: the largest error of mean and covariance of a Gaussian, or of
//	                    weights, means and deviations of a mixture of two
//
// For the links between objectives, see [Links].
//
// For every sampler, with many independent chains:
//
//	z of moments        started at exact draws, the chains must still be such draws after some transitions
//	z of own variance   unadjusted Langevin against the slightly wrong variance 1/(1 - h/2) that it is known to have
//	z, short steps      unadjusted Langevin with a step so short that its error cannot be seen
//	z from wide start   started at N(0, 9 I) instead
//	share down levels   annealed over noise levels: the error of the share of one of two far modes
//	z of share          all chains started in one of two far modes: the share of the other at the end
//
// The tests of this package run the same checks, and broken twins of every objective that must fail them.
package verify
