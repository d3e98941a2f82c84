package live

import "github.com/stheno-ebm/stheno/datasets/files"

// printed returns the header with text as a page can show it: names of columns and paths come from files of strangers.
// Control characters and marks that turn the direction of writing are shown, not sent, and long text is cut.
func (h header) printed() header {
	h.Title = files.Printable(h.Title, maxTitle)
	names := make([]string, len(h.Names))
	for i, name := range h.Names {
		names[i] = files.Name(name)
	}
	meta := make(map[string]any, len(h.Meta))
	for key, v := range h.Meta {
		if text, ok := v.(string); ok {
			v = files.Printable(text, maxTitle)
		}
		meta[files.Name(key)] = v
	}
	h.Names, h.Meta = names, meta
	return h
}

const maxTitle = 200 // characters
