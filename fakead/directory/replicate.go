package directory

import (
	"fmt"
	"strconv"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/ldap"
)

// logged is a change on its way to the other controllers.
type logged struct {
	due    time.Time // network time
	origin int
	obj    *object
}

// counter is a number that goes on after a restart.
type counter struct{ Next, End uint32 }

// ridBlock is how many RIDs a controller takes from the master at once
// ([MS-ADTS] 3.1.1.1.12; the default of "RID Block Size").
const ridBlock = 500

// enter takes the lock and brings the replica up to what has arrived by now.
// Nothing waits for replication: a change has the moment from which on another
// controller sees it, and is looked at when that one is asked. The unlock
// function must be called.
func (r *Replica) enter() (unlock func()) {
	d := r.d
	d.mu.Lock()
	d.reload()
	r.catchUp()
	return d.mu.Unlock
}

func (r *Replica) catchUp() {
	d := r.d
	if len(d.log) == 0 {
		return
	}
	now := d.o.Clock.Now()
	for r.seen < d.logged+uint64(len(d.log)) {
		c := d.log[r.seen-d.logged]
		if c.origin != r.index {
			if now.Before(c.due) {
				break
			}
			r.receive(c.obj)
		}
		r.seen++
	}
	least := r.seen
	for _, o := range d.replicas {
		least = min(least, o.seen)
	}
	if n := int(least - d.logged); n > 0 {
		// Moved down at times only, so that a long queue is not copied for each change.
		if n == len(d.log) {
			d.log, d.logged = nil, least
		} else if n > len(d.log)/2 {
			d.log, d.logged = append([]logged(nil), d.log[n:]...), least
		}
	}
}

// receive takes a version of an object that was made elsewhere.
func (r *Replica) receive(o *object) {
	if have := r.rows[o.guid]; have != nil {
		o = merge(have.obj, o)
	}
	r.put(o)
}

// change is what one operation does: new versions and counters, kept together
// or not at all.
type change struct {
	r        *Replica
	objects  []*object
	counters map[string]counter
}

func (r *Replica) begin() *change { return &change{r: r} }

// commit shows a change here, keeps it, and sends it on its way; urgent ones
// reach the primary at once, as passwords and lockouts do ([MS-ADTS]
// 3.1.1.1.13 and 3.1.1.5.1.3).
func (c *change) commit(urgent bool) error {
	r, d := c.r, c.r.d
	err := d.o.DB.Update(func(tx *store.Tx) error {
		for _, o := range c.objects {
			key := o.guid.String()
			all := o
			if have, ok := d.rows.Get(tx, key); ok && len(d.replicas) > 1 {
				all = merge(have, o)
			}
			d.rows.Put(tx, key, all)
		}
		for name, n := range c.counters {
			d.counters.Put(tx, name, n)
		}
		d.changes = d.rows.Changes(tx)
		return nil
	})
	if err != nil {
		return ldap.Errorf(ldap.Unavailable, "00002095: SvcErr: DSID-031A1217, problem 5002 (UNAVAILABLE), data 0: %v", err)
	}
	due := d.o.Clock.Now().Add(d.o.Replication)
	for _, o := range c.objects {
		r.put(o)
		if len(d.replicas) > 1 {
			d.log = append(d.log, logged{due, r.index, o})
		}
		if primary := d.replicas[0]; urgent && primary != r {
			primary.receive(o)
		}
	}
	return nil
}

// rid takes the controller's next relative identifier.
func (c *change) rid() uint32 {
	own := "rid/" + strconv.Itoa(c.r.index)
	n := c.counter(own)
	if n.Next == n.End {
		pool := c.counter("ridPool")
		if pool.Next == 0 {
			pool.Next = ridFirst + 100
		}
		n = counter{pool.Next, pool.Next + ridBlock}
		c.count("ridPool", counter{Next: pool.Next + ridBlock})
	}
	c.count(own, counter{n.Next + 1, n.End})
	return n.Next
}

func (c *change) counter(name string) counter {
	if n, ok := c.counters[name]; ok {
		return n
	}
	var n counter
	// Reading cannot fail.
	_ = c.r.d.o.DB.View(func(tx *store.Tx) error {
		n, _ = c.r.d.counters.Get(tx, name)
		return nil
	})
	return n
}

func (c *change) count(name string, n counter) {
	if c.counters == nil {
		c.counters = map[string]counter{}
	}
	c.counters[name] = n
}

// reload reads what the store has where somebody else changed it: a dump was
// restored. All controllers know all then.
func (d *Directory) reload() {
	_ = d.o.DB.View(func(tx *store.Tx) error {
		if n := d.rows.Changes(tx); n != d.changes {
			d.changes = n
			d.load(tx)
		}
		return nil
	})
}

// restore goes on with a forest that the store keeps; false where there is none.
func (d *Directory) restore() bool {
	found := false
	_ = d.o.DB.View(func(tx *store.Tx) error {
		d.changes = d.rows.Changes(tx)
		if found = d.rows.Len(tx) > 0; found {
			d.load(tx)
		}
		return nil
	})
	return found
}

func (d *Directory) load(tx *store.Tx) {
	d.log, d.keys, d.logons = nil, map[GUID]keyset{}, map[GUID]logons{}
	for _, r := range d.replicas {
		r.clear()
		// Update sequence numbers never come twice: a client's mark from before
		// is below all of them.
		r.usn = max(r.usn, uint64(max(0, d.o.Clock.Now().Unix())))
		r.seen = d.logged
	}
	for key, o := range d.rows.Inserted(tx) {
		if o.guid == (GUID{}) {
			// Keys are GUIDs that this package wrote.
			o.guid, _ = ldap.ParseGUID(key)
		}
		for _, r := range d.replicas {
			r.put(o)
		}
	}
	if head := d.replicas[0].rows[d.guid]; head != nil {
		d.sid = SID(head.obj.first(atObjectSID))
	}
}

// String helps in a debugger and in failures of tests.
func (o *object) String() string { return fmt.Sprintf("%s (%s)", o.rdn, o.guid) }
