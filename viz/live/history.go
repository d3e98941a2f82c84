package live

// header describes a run to the page.
type header struct {
	Title string         `json:"title"`
	Meta  map[string]any `json:"meta,omitempty"`
	Steps int            `json:"steps"`
	Lo    [2]float64     `json:"lo"`
	Hi    [2]float64     `json:"hi"`
	Names []string       `json:"names,omitempty"` // of the axes
	Data  string         `json:"data,omitempty"`  // base64, see quantise
}

// stored is an encoded frame, or one to be made when it is first asked for.
type stored struct {
	id, step int
	json     []byte                // nil: not yet made
	seconds  float64               // when it was promised
	make     func() (Frame, error) // nil: made
}

// history holds what the page can show, in bounded memory: when a list is full, every other one of its older entries is
// dropped, so that the rest covers the whole run evenly. It is guarded by the server's lock.
type history struct {
	header    []byte // as JSON
	rows      [][columns]float64
	frames    []stored
	end       string
	next      int // number of rows ever added
	nextFrame int // one more than the greatest id
	thinnings int // of frames
	maxRows   int
	maxFrames int
}

func (h *history) addRow(r [columns]float64) {
	h.rows = append(h.rows, r)
	h.next++
	if len(h.rows) > h.maxRows {
		h.rows = thin(h.rows)
	}
}

func (h *history) addFrame(s stored) {
	h.frames = append(h.frames, s)
	h.nextFrame = max(h.nextFrame, s.id+1)
	if len(h.frames) > h.maxFrames {
		h.frames = thin(h.frames)
		h.thinnings++
	}
}

// thin drops every other entry except in the last quarter, and keeps the first.
func thin[T any](s []T) []T {
	old := len(s) * 3 / 4
	out := make([]T, 0, cap(s))
	for i := 0; i < old; i += 2 {
		out = append(out, s[i])
	}
	return append(out, s[old:]...)
}

// frame returns the frame with this id; nil if there is none.
func (h *history) frame(id int) *stored {
	for i := range h.frames {
		if h.frames[i].id == id {
			return &h.frames[i]
		}
	}
	return nil
}

// lastMade returns the last frame that has been made; nil if there is none.
func (h *history) lastMade() *stored {
	for i := len(h.frames) - 1; i >= 0; i-- {
		if h.frames[i].json != nil {
			return &h.frames[i]
		}
	}
	return nil
}
