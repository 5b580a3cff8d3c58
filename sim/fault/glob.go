package fault

import "strings"

// Match reports whether the glob matches the whole text: * is any run of characters, ? is one, and case does not count.
func Match(glob, text string) bool {
	g, t := []rune(strings.ToLower(glob)), []rune(strings.ToLower(text))
	star, mark := -1, 0 // where to go back to when what follows a * does not fit
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(g) && g[i] == '*':
			star, mark = i, j
			i++
		case i < len(g) && (g[i] == '?' || g[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(g) && g[i] == '*' {
		i++
	}
	return i == len(g)
}
