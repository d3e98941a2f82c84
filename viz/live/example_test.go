package live_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/stheno-ebm/stheno/viz/live"
)

// A loop that trains nothing, on the page: http://127.0.0.1:PORT/?token=…
func ExampleServer() {
	srv, err := live.NewServer(live.Config{Addr: ":0", Title: "bowl", Steps: 100, Lo: [2]float64{-1, -1},
		Hi: [2]float64{1, 1}})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	frames := 0
	for step := 1; step <= 100; step++ {
		if srv.Gate(context.Background()) { // paused: waits; stopped: true
			break
		}
		srv.Record(live.NewRecord(step, float64(step)/1000, 1/float64(step)))
		err := srv.Offer(func() (live.Frame, error) { // only if somebody is watching
			frames++
			return live.Frame{Step: step, Energy: []float64{2, 2, 2, 2}}, nil
		})
		if err != nil {
			panic(err)
		}
	}
	if err := srv.Done("finished"); err != nil {
		panic(err)
	}
	res, err := http.Get(srv.URL())
	if err != nil {
		panic(err)
	}
	res.Body.Close()
	fmt.Println(res.Status, "viewers:", srv.Viewers(), "frames made:", frames)
	// Output: 200 OK viewers: 0 frames made: 0
}
