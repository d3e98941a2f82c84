package kernels

import "golang.org/x/sys/cpu"

var hardwareFMA = cpu.X86.HasFMA
