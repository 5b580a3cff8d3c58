package outcome

import (
	"fmt"
	"strconv"
	"strings"

	"windtunnel.test/sim/scenario"
)

// objectFits tells whether an object of Graph has members as they must be.
func objectFits(where []scenario.FieldIs, o map[string]any) bool {
	for _, f := range where {
		if !same(f.Is, memberOf(o, f.Field)) {
			return false
		}
	}
	return true
}

// memberOf is a member, by its dotted path, as a text; "" where there is none.
func memberOf(o map[string]any, path string) string {
	var v any = o
	for _, name := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[name]
	}
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// short shows the members of an object that are asked for.
func short(o map[string]any, where []scenario.FieldIs) string {
	var parts []string
	for _, f := range where {
		parts = append(parts, f.Field+"="+memberOf(o, f.Field))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
