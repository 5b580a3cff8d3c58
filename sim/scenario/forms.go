package scenario

import (
	"fmt"
	"strconv"
	"strings"
)

// decodeNode reads a name, a list of names, or names with weights.
func (w *Weights) decodeNode(d *decoder, n *node, path string) {
	switch n.kind {
	case kindString:
		*w = append(*w, Weight{n.text, 1})
	case kindList:
		for i, item := range n.list {
			if d.places[fmt.Sprintf("%s[%d]", path, i)] = (place{item.line, item.col}); item.kind != kindString {
				d.wrongType(item, fmt.Sprintf("%s[%d]", path, i), "a name")
				continue
			}
			*w = append(*w, Weight{item.text, 1})
		}
	case kindMap:
		for i, p := range n.pairs {
			d.places[fmt.Sprintf("%s[%d]", path, i)] = place{p.line, p.col}
			weight, err := strconv.ParseFloat(strings.ReplaceAll(p.value.text, "_", ""), 64)
			if p.value.kind != kindNumber || err != nil || !(weight > 0 && weight <= 1e6) {
				d.wrongType(p.value, path+"."+p.key, "a weight above 0")
				continue
			}
			*w = append(*w, Weight{p.key, weight})
		}
	default:
		d.wrongType(n, path, "a name, a list of names, or names with weights")
		return
	}
	if len(*w) == 0 && len(n.list)+len(n.pairs) == 0 {
		d.errorf(n, "%s: is empty; name at least one", path)
	}
}

// decodeNode reads a time since the start, or an event.
func (m *Moment) decodeNode(d *decoder, n *node, path string) {
	if n.kind != kindMap {
		d.text(n, &m.After, path)
		return
	}
	m.Event = &EventMatch{}
	d.value(n, addressed(m.Event), path)
}

// decodeNode reads values by path; groups may be nested.
func (s *Settings) decodeNode(d *decoder, n *node, path string) {
	if n.kind != kindMap {
		d.wrongType(n, path, "values by their path, such as esp.timeout: 90m")
		return
	}
	*s = Settings{}
	s.flatten(d, n, path, "")
}

func (s Settings) flatten(d *decoder, n *node, path, prefix string) {
	for _, p := range n.pairs {
		key := prefix + p.key
		d.places[path+"."+key] = place{p.value.line, p.value.col}
		switch p.value.kind {
		case kindMap:
			s.flatten(d, p.value, path, key+".")
		case kindString, kindNumber, kindBool:
			if _, twice := s[key]; twice {
				d.addf(p.line, p.col, "%s.%s: is there twice", path, key)
			}
			s[key] = plain(p.value)
		default:
			d.wrongType(p.value, path+"."+key, "a value")
		}
	}
}
