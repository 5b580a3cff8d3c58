package journal

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed kinds.txt
var kindsText string

// Kinds are all kinds of events that the rooms record, in order. Whoever names
// one, in an expectation or a timeline, can be told that there is none of that
// name: an event that cannot happen is otherwise one that never happens.
var Kinds = sync.OnceValue(func() []string { return strings.Fields(kindsText) })
