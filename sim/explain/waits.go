package explain

import (
	"fmt"
	"regexp"
	"strings"

	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/ending"
)

// stuckAt is the screen and row of an outcome "stuck(screen, row)".
func (a *Account) stuckAt() (screen, row string, ok bool) {
	inner, ok := strings.CutPrefix(strings.TrimSuffix(a.Outcome, ")"), "stuck(")
	screen, row, _ = strings.Cut(inner, ", ")
	return screen, row, ok
}

// known are the endless waits of Windows on the screen that somebody gave up at.
func (a *Account) known() (list []ending.Wait) {
	screen, _, ok := a.stuckAt()
	for _, w := range ending.Waits() {
		if ok && w.Screen == screen {
			list = append(list, w)
		}
	}
	return list
}

// waits are what Windows may be waiting for without end.
func (a *Account) waits() (list []Ground) {
	for _, w := range a.known() {
		list = append(list, Ground{Kind: "wait", Text: fmt.Sprintf("known to wait without end: %s (%s; %s)", w.Why, w.Rule, w.Source)})
	}
	return list
}

// issueForm is an id of the catalogue.
var issueForm = regexp.MustCompile(`\b[A-Z]\d\d\b`)

// waiting are the issues that the known waits are rows of.
func (a *Account) waiting(issues *catalog.List) (list []*catalog.Entry) {
	for _, w := range a.known() {
		for _, id := range issueForm.FindAllString(w.Rule, -1) {
			if e, ok := issues.Find(id); ok {
				list = append(list, e)
			}
		}
	}
	return list
}
