// Package viz is part of Stheno.
package viz
