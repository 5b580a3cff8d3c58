package expect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
)

// HaveLogged succeeds for a PC with a row in a Windows event log: the channel's
// name, or a glob such as "*Autopilot", and the event's number. A channel that
// Windows has not here is an error.
func HaveLogged(channel string, id int) types.GomegaMatcher {
	inChannel := func(e journal.Event) bool {
		return e.Kind == device.EventLogged && fault.Match(channel, e.Text("channel"))
	}
	return known(scenario.KnownChannel(channel), fmt.Sprintf("have logged event %d in %s", id, channel), func(e journal.Event) bool {
		return inChannel(e) && e.Text("id") == strconv.Itoa(id)
	}, func(events []journal.Event) string {
		var ids []string
		for _, e := range events {
			if inChannel(e) && !slices.Contains(ids, e.Text("id")) {
				ids = append(ids, e.Text("id"))
			}
		}
		if len(ids) == 0 {
			return "nothing is logged there"
		}
		return "there are " + strings.Join(ids, ", ")
	})
}
