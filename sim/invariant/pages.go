package invariant

import (
	"fmt"
	"slices"
)

// Categories of the enrollment status page, in their order
// (learn.microsoft.com/mem/intune/enrollment/windows-enrollment-status), and the
// states of its rows.
var categories = []string{"DevicePreparation", "DeviceSetup", "AccountSetup"}

const (
	inProgress  = "inProgress"
	succeeded   = "succeeded"
	failed      = "failed"
	notStarted  = "notStarted"
	notRequired = "notRequired"
)

// rowWays are what may become of a row; "" is one that was not seen yet. One
// that failed is tried again when somebody presses "Try again", which opens its
// category anew.
var rowWays = map[string][]string{
	"":          {notStarted, inProgress, succeeded, failed, notRequired},
	notStarted:  {notStarted, inProgress, succeeded, failed, notRequired},
	inProgress:  {inProgress, succeeded, failed, notRequired},
	succeeded:   {succeeded},
	failed:      {failed},
	notRequired: {notRequired},
}

var pageRules = []Invariant{
	{"categories-in-order", "a category of the status page begins when the one before it has ended", func(l *look) string {
		if l.pc == nil || l.Kind != "esp.category" {
			return ""
		}
		c := l.Text("category")
		i := slices.Index(categories, c)
		if i < 0 {
			return "there is no category " + c
		}
		if l.Text("state") != inProgress {
			if l.m.category[c] != inProgress {
				return fmt.Sprintf("%s is %s and had not begun", c, l.Text("state"))
			}
			return ""
		}
		for _, before := range categories[:i] {
			if l.m.category[before] == inProgress {
				return fmt.Sprintf("%s begins while %s goes on", c, before)
			}
		}
		for _, later := range categories[i+1:] {
			if l.m.category[later] == inProgress {
				return fmt.Sprintf("%s begins while %s goes on", c, later)
			}
		}
		return ""
	}},
	{"rows-stay-done", "a row of the status page that is through does not begin again", func(l *look) string {
		if l.pc == nil || l.Kind != "esp.row" {
			return ""
		}
		was, is := l.m.rows[l.Text("category")+"/"+l.Text("row")], l.Text("state")
		if may, known := rowWays[was]; !known || !slices.Contains(may, is) {
			return fmt.Sprintf("%s is %s after %s", l.Text("row"), is, was)
		}
		return ""
	}},
	{"rows-of-their-category", "a row changes while its category is worked on", func(l *look) string {
		if l.pc == nil || l.Kind != "esp.row" {
			return ""
		}
		if state := l.m.category[l.Text("category")]; state != inProgress {
			return fmt.Sprintf("%s changes, and %s is %q", l.Text("row"), l.Text("category"), state)
		}
		return ""
	}},
}
