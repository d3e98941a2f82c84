//go:build !unix

package viz

import "time"

var began = time.Now()

func processorTime() time.Duration { return time.Since(began) }
