package sidecar

import "sync"

// keptAnswers and keptText bound what is kept, in answers and in bytes of one's
// text.
const (
	keptAnswers = 256
	keptText    = 256 << 10
)

// kept remembers what a function that depends on its text alone made of it. The
// agents of many PCs are told the same, and each PC's is told it at every round.
// The keys are whole texts, so that nothing kept can ever be out of date.
type kept[V any] struct {
	mu   sync.Mutex
	made map[string]V
}

func (k *kept[V]) get(text string) (V, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.made[text]
	return v, ok
}

// put forgets all the others where there are too many.
func (k *kept[V]) put(text string, v V) {
	if len(text) > keptText {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.made == nil || len(k.made) >= keptAnswers {
		k.made = map[string]V{}
	}
	k.made[text] = v
}

var (
	packed  kept[string] // payloads of app policies, by their text
	opened  kept[[]App]  // what they say, by the payload
	scripts kept[[]Script]
)
