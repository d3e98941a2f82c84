// Package objectives is part of Stheno.
package objectives
