package train

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream returns the random stream for the seed, the name and the indices k. Streams that differ in any of them are
// independent for all practical purposes: the 128 bits of a PCG's state are the first half of SHA-256(seed, k…, name).
func Stream(seed uint64, name string, k ...uint64) *rand.Rand {
	return rand.New(newSource(seed, name, k...))
}

// newSource returns the source behind Stream. It implements encoding.BinaryMarshaler and BinaryUnmarshaler; a
// *rand.Rand on top of it holds no state of its own.
func newSource(seed uint64, name string, k ...uint64) *rand.PCG {
	src := new(rand.PCG)
	reseed(src, seed, name, k...)
	return src
}

// reseed sets src to the start of the stream for the seed, the name and the indices k, without allocating.
func reseed(src *rand.PCG, seed uint64, name string, k ...uint64) {
	var buf [128]byte
	b := binary.LittleEndian.AppendUint64(buf[:0], seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(k)))
	for _, v := range k {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = append(b, name...)
	sum := sha256.Sum256(b)
	src.Seed(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16]))
}
