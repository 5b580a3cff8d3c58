package vclock

// event is an entry of the scheduler's queue: an actor to go on with, or a scope
// whose time is up. It is embedded in what it belongs to, which therefore has
// at most one.
type event struct {
	at    int64  // nanoseconds since the clock's start
	rank  uint64 // the owner's place in the permutation drawn from the seed
	seq   uint64
	round uint32 // passes over one moment: who yields comes after all others
	pos   int32  // index in the heap plus one; 0 when not queued
	actor *actor
	scope *scope
}

// before is the order of the run: time, then the seed's permutation, then
// sequence.
func (e *event) before(o *event) bool {
	switch {
	case e.at != o.at:
		return e.at < o.at
	case e.round != o.round:
		return e.round < o.round
	case e.rank != o.rank:
		return e.rank < o.rank
	default:
		return e.seq < o.seq
	}
}

// eventHeap is a four-ary heap; its entries know their place, so that a
// cancelled event leaves at once and an empty heap means that nothing is due.
type eventHeap []*event

func (h *eventHeap) push(e *event) {
	*h = append(*h, e)
	h.up(len(*h) - 1)
}

func (h *eventHeap) pop() *event {
	top := (*h)[0]
	h.remove(top)
	return top
}

func (h *eventHeap) remove(e *event) {
	if e.pos == 0 {
		return
	}
	i, last := int(e.pos-1), len(*h)-1
	e.pos = 0
	moved := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	if i == last {
		return
	}
	(*h)[i] = moved
	if !h.down(i) {
		h.up(i)
	}
}

func (h eventHeap) up(i int) {
	e := h[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		h[i].pos = int32(i + 1)
		i = parent
	}
	h[i] = e
	e.pos = int32(i + 1)
}

func (h eventHeap) down(i int) bool {
	e, from := h[i], i
	for {
		first := 4*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h)); c++ {
			if h[c].before(h[least]) {
				least = c
			}
		}
		if !h[least].before(e) {
			break
		}
		h[i] = h[least]
		h[i].pos = int32(i + 1)
		i = least
	}
	h[i] = e
	e.pos = int32(i + 1)
	return i != from
}
