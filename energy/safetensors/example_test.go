package safetensors_test

import (
	"bytes"
	"fmt"

	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// torch's safetensors.load_file reads the files written here, and the other way round.
func ExampleFile() {
	f := &safetensors.File{
		Tensors: []safetensors.Tensor{
			{Name: "net.0.weight", DType: safetensors.F32, Shape: []int{2, 3}, Data: []float64{1, 2, 3, 4, 5, 6}},
			{Name: "net.0.bias", DType: safetensors.F32, Shape: []int{2}, Data: []float64{0.5, -0.5}},
		},
		Metadata: map[string]string{"format": "pt"},
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, f); err != nil {
		panic(err)
	}
	g, err := safetensors.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		panic(err)
	}
	t := g.Tensor("net.0.bias")
	fmt.Println(t.DType, t.Shape, t.Data)
	_, err = safetensors.Read(bytes.NewReader(b.Bytes()[:60]), 60)
	fmt.Println("cut short:", err != nil)
	// Output:
	// F32 [2] [0.5 -0.5]
	// cut short: true
}
