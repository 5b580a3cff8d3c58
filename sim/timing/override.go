package timing

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/problem"
)

// Override changes single values. Keys are dotted paths ("esp.timeout") or groups that hold a map of their own; values are
// what a profile's file may hold ("60m", "60m..90m", 3, true) or a time.Duration. All is changed or, with an error that
// lists every bad key, nothing.
func (p *Profile) Override(values map[string]any) error {
	c := p.clone()
	flat := map[string]any{}
	flatten(flat, "", values)
	list := fields(c)
	known := make([]string, len(list))
	for i, f := range list {
		known[i] = f.path
	}
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(flat)) {
		i := slices.Index(known, path)
		if i < 0 {
			errs = append(errs, fmt.Errorf("timing: unknown key %q%s", path, suggest(path, known)))
			continue
		}
		if err := list[i].set(flat[path]); err != nil {
			errs = append(errs, fmt.Errorf("timing: %s: %w", path, err))
			continue
		}
		c.entries[i].Source, c.entries[i].Mark = "override; the profile's own: "+c.entries[i].Source, Assumed
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	*p = *c
	return nil
}

func flatten(out map[string]any, prefix string, values map[string]any) {
	for key, v := range values {
		if group, ok := v.(map[string]any); ok {
			flatten(out, prefix+key+".", group)
		} else {
			out[prefix+key] = v
		}
	}
}

// suggest names up to three known paths that look like the wrong one.
func suggest(wrong string, known []string) string {
	type candidate struct {
		path     string
		distance int
	}
	var near []candidate
	for _, k := range known {
		d := problem.Distance(strings.ToLower(wrong), strings.ToLower(k))
		if _, leaf, _ := strings.Cut(k, "."); strings.EqualFold(leaf, wrong[strings.LastIndex(wrong, ".")+1:]) {
			d = 0
		}
		if d <= 2+len(wrong)/5 {
			near = append(near, candidate{k, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	if len(near) == 0 {
		return ""
	}
	names := make([]string, 0, 3)
	for _, c := range near[:min(3, len(near))] {
		names = append(names, c.path)
	}
	return "; near: " + strings.Join(names, ", ")
}
