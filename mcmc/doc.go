// Package mcmc is part of Stheno.
package mcmc
