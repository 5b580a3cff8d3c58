package journal

import (
	_ "embed"
	"strings"
	"sync"
)

var (
	//go:embed kinds.txt
	kindsText string
	//go:embed screens.txt
	screensText string
	//go:embed channels.txt
	channelsText string
)

// The words of the journal. Whoever names one, in an expectation, a matcher or a
// timeline, can be told that there is none of that name: what cannot happen is
// otherwise something that never happens.
var (
	Kinds    = sync.OnceValue(func() []string { return strings.Fields(kindsText) })                            // of events that the rooms record
	Screens  = sync.OnceValue(func() []string { return strings.Fields(screensText) })                          // identifiers
	Channels = sync.OnceValue(func() []string { return strings.Split(strings.TrimSpace(channelsText), "\n") }) // of Windows' event logs
)
