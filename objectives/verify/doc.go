// Package verify certifies objectives and samplers: checks against known targets, as a table.
//
// For every objective:
//
//	finite differences  the largest difference between the gradient in θ and central differences of the loss under
//	                    common random numbers, over all parameters of a small MLP, relative to the largest element
//	z at the truth      the largest |z| over the parameters of the expected gradient at the true parameters, z = mean /
//	                    standard error, against the quantile that a correct objective exceeds once in ten thousand
//	                    tables. For lsd the expected loss of an arbitrary critic, which is zero by Stein's identity
//	recovery error      training from a perturbed start: the largest error of mean and covariance of a Gaussian, or of
//	                    weights, means and deviations of a mixture of two
//
// For the links between objectives, see [Links].
//
// For every sampler, with many independent chains:
//
//	z of moments        started at exact draws, the chains must still be exact draws after some transitions
//	z of own variance   unadjusted Langevin against its known, slightly wrong variance 1/(1 - h/2)
//	z, short steps      unadjusted Langevin with a step so short that its bias is undetectable
//	z from wide start   started at N(0, 9 I) instead
//	share down levels   annealed over noise levels: the error in the share of one of two distant modes
//	z of share          all chains started in one of two distant modes: the share of the other at the end
//
// The tests of this package run the same checks, and check that broken twins of every objective fail them.
//
// There is an example of [Run].
package verify
