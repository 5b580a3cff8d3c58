package vclock

// link is a node of a circular, doubly linked, intrusive list; a link without
// an owner is a list's root. Lists are used where removal from the middle must
// be cheap and order must be that of insertion (never a map's).
type link[T any] struct {
	prev, next *link[T]
	owner      *T
}

func (root *link[T]) init() { root.prev, root.next = root, root }

// push appends n to the list of root.
func (root *link[T]) push(n *link[T], owner *T) {
	n.owner = owner
	n.prev, n.next = root.prev, root
	n.prev.next, root.prev = n, n
}

func (n *link[T]) linked() bool { return n.owner != nil }

// remove takes n out of its list; it may be called again.
func (n *link[T]) remove() {
	if n.owner == nil {
		return
	}
	n.prev.next, n.next.prev = n.next, n.prev
	n.prev, n.next, n.owner = nil, nil, nil
}
