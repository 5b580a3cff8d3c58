package problem

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Max is how many problems a message shows; the rest are counted.
const Max = 20

// Problem is one mistake and its place. Line and Col start at 1; 0 means that the place is not known, and the message
// leaves it out.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Col     int    `json:"col,omitempty"`
	Message string `json:"message"`
}

// String gives FILE:LINE:COL: message.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:", p.Line)
		if p.Col > 0 {
			fmt.Fprintf(&b, "%d:", p.Col)
		}
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(p.Message)
	return b.String()
}

// List is all mistakes of one or more files. As an error it prints one a line, at most Max of them.
type List []Problem

// Error shows the first Max problems and counts the others.
func (l List) Error() string {
	lines := make([]string, 0, Max+1)
	for i, p := range l {
		if i == Max {
			lines = append(lines, fmt.Sprintf("and %d more", len(l)-Max))
			break
		}
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// Addf appends a problem.
func (l *List) Addf(file string, line, col int, format string, args ...any) {
	*l = append(*l, Problem{file, line, col, fmt.Sprintf(format, args...)})
}

// Err gives the list as an error, sorted by file and place, or nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return sorted
}

// From takes the problems out of an error chain; ok is false when it has none.
func From(err error) (l List, ok bool) {
	ok = errors.As(err, &l)
	return l, ok
}
