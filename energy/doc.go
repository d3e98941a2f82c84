// Package energy is part of Stheno.
package energy
