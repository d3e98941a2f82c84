package live

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// Text from files reaches the page on a line of its own, printable and truncated.
func TestTextOfFiles(t *testing.T) {
	evil := "a\x1b[31m\u202eb\a\r\n" + strings.Repeat("c", 3<<20)
	s, err := NewServer(Config{
		Addr: "127.0.0.1:0", Title: evil, Names: []string{evil, "plain"},
		Meta: map[string]any{"dataset": evil, "seed": 3, evil: "x"},
		Hi:   [2]float64{1, 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sent := s.hist.header
	if len(sent) > 2000 {
		t.Errorf("the header has %d bytes", len(sent))
	}
	var h header
	if err := json.Unmarshal(sent, &h); err != nil {
		t.Fatal(err)
	}
	texts := append([]string{h.Title}, h.Names...)
	for key, v := range h.Meta {
		text, _ := v.(string)
		texts = append(texts, key, text)
	}
	for _, text := range texts {
		if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is sent", text)
		}
	}
	if h.Names[1] != "plain" || h.Meta["seed"] != 3.0 {
		t.Errorf("got %q and %v, want what is plain as it is", h.Names, h.Meta)
	}
}
