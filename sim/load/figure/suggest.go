package figure

import (
	"fmt"
	"slices"
	"strings"
)

// meant suggests the figure that a name without meaning stands nearest to:
// another global one, or another stat of the same step.
func meant(figure string) string {
	var known []string
	for name := range globals {
		known = append(known, name)
	}
	for at, c := range figure {
		if c != '.' || at == 0 {
			continue
		}
		for name := range stats {
			known = append(known, figure[:at+1]+name)
		}
	}
	return near(figure, known)
}

// near is `; did you mean "..."?` where a known name is near enough to be meant,
// else "". Of equally near ones it is the last in the alphabet: p98 is rather
// p99 than p90.
func near(name string, known []string) string {
	if len(name) > 64 {
		return "" // no slip of the hand
	}
	known = slices.Clone(known)
	slices.Sort(known)
	best, at := "", min(2, len(name)/3)
	for _, k := range known {
		if d := distance(name, k); d <= at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", strings.ToValidUTF8(best, "?"))
}

// distance is how many characters have to be put in, left out or changed to get
// from one name to the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
