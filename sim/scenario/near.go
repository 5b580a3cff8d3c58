package scenario

import (
	"slices"
	"strings"

	"windtunnel.test/sim/wire/problem"
)

// near is `; did you mean "x"?` with the known name that looks most like a
// wrong one, or "".
func near(wrong string, known []string) string {
	best, least := "", 2+len(wrong)/4
	for _, k := range known {
		if d := problem.Distance(strings.ToLower(wrong), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return `; did you mean "` + best + `"?`
}

// choose is near, or all names where they are few.
func choose(wrong string, known []string) string {
	if s := near(wrong, known); s != "" || len(known) == 0 {
		return s
	}
	if len(known) > 12 {
		return ""
	}
	var names []string
	for _, k := range known {
		if !slices.Contains(names, k) {
			names = append(names, k)
		}
	}
	return "; there are " + strings.Join(names, ", ")
}

// indexFold compares without case, as names in Entra ID and Intune do.
func indexFold(list []string, s string) int {
	return slices.IndexFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}
