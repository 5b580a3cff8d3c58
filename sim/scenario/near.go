package scenario

import (
	"slices"
	"strings"
)

// near is `; did you mean "x"?` with the known name that looks most like a
// wrong one, or "".
func near(wrong string, known []string) string {
	best, least := "", 2+len(wrong)/4
	for _, k := range known {
		if d := distance(strings.ToLower(wrong), strings.ToLower(k)); d < least {
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

// distance is Levenshtein's, of texts of sensible length.
func distance(a, b string) int {
	const most = 80
	if len(a) > most || len(b) > most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// indexFold compares without case, as names in Entra ID and Intune do.
func indexFold(list []string, s string) int {
	return slices.IndexFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}
