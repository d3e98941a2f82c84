// Package datasets is part of Stheno.
package datasets
