package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// DomainJoinState is how far a device's request for a domain join is.
type DomainJoinState string

// Its values.
const (
	JoinWaiting   DomainJoinState = "waiting"   // for a connector
	JoinTaken     DomainJoinState = "taken"     // by a connector, until its lease ends
	JoinReady     DomainJoinState = "ready"     // the blob waits for the device
	JoinDelivered DomainJoinState = "delivered" // the device has it
	JoinFailed    DomainJoinState = "failed"
	JoinExpired   DomainJoinState = "expired"
)

// DomainJoin is a device's request for an offline domain join blob.
type DomainJoin struct {
	ID, TenantID, DeviceID string
	ProfileID              string // configuration that it follows from
	Domain, OU             string
	Prefix                 string
	Random                 int // characters after the prefix

	State            DomainJoinState
	Created, Expires time.Time
	ConnectorID      string // that took it last
	Lease            time.Time
	Try              int // connectors that took it and did not bring it to an end

	ComputerName   string
	Blob           []byte // gone once the device has it
	ErrorCode      uint32
	DiagnosticCode uint32
	Diagnostic     string
}

// fail ends it. That stands for a while, so that a device that asks at each
// session does not get it refused at each; one that asks after that, as at
// somebody's "Retry", asks anew (our model: what Intune does is not public).
func (d *DomainJoin) fail(now time.Time, retry time.Duration) {
	d.State, d.Expires = JoinFailed, now.Add(retry)
}

// open: a connector may still work on it.
func (d DomainJoin) open() bool { return d.State == JoinWaiting || d.State == JoinTaken }

// Why a connector's word about a request does not count.
var (
	ErrLease = errors.New("the request is not this connector's")
)

// NetBIOSName is the longest computer name in a domain ([MS-NBTE] 2.2.1).
const NetBIOSName = 15

// RequestDomainJoin asks for what a domain-join profile gives a device. A
// request of the device that has not expired stands for a new one.
func (t *Tenant) RequestDomainJoin(ctx context.Context, deviceID string, p graph.DeviceConfiguration) (DomainJoin, error) {
	now := t.s.Now()
	var d DomainJoin
	made := false
	err := t.s.DB.Update(func(tx *store.Tx) error {
		if old, ok := t.latestJoin(tx, deviceID); ok && (now.Before(old.Expires) || old.State == JoinReady || old.State == JoinDelivered) {
			d = old
			return nil
		} else if ok && old.open() {
			old.State = JoinExpired
			t.s.domainJoins.Put(tx, t.key(old.ID), old)
		}
		id, _, err := t.nextID(tx, "domainJoin")
		if err != nil {
			return err
		}
		made = true
		d = DomainJoin{ID: id, TenantID: t.ID, DeviceID: deviceID, ProfileID: p.ID, Domain: strings.ToLower(p.ActiveDirectoryDomainName),
			OU: p.OrganizationalUnit, Prefix: p.ComputerNameStaticPrefix, State: JoinWaiting, Created: now, Expires: now.Add(t.s.Timing.Hybrid.JoinRequestLife)}
		d.Random = NetBIOSName - len(d.Prefix)
		if n := p.ComputerNameSuffixRandomCharCount; n > 0 {
			d.Random = min(d.Random, n)
		}
		t.s.domainJoins.Put(tx, t.key(id), d)
		return nil
	})
	if err == nil && made {
		t.s.joinBell.ring()
		t.s.Record(ctx, "odj.requested", journal.F("device", deviceID), journal.F("request", d.ID), journal.F("domain", d.Domain), journal.F("ou", d.OU))
	}
	return d, err
}

// latestJoin is a device's newest request.
func (t *Tenant) latestJoin(tx *store.Tx, deviceID string) (latest DomainJoin, ok bool) {
	for _, d := range t.s.domainJoins.By(tx, byDevice, t.key(deviceID)) {
		if !ok || d.Created.After(latest.Created) {
			latest, ok = d, true
		}
	}
	return latest, ok
}

// DomainJoinOf is a device's newest request.
func (t *Tenant) DomainJoinOf(deviceID string) (d DomainJoin, ok bool) {
	// Reading cannot fail: the function returns nil.
	_ = t.s.DB.View(func(tx *store.Tx) error {
		d, ok = t.latestJoin(tx, deviceID)
		return nil
	})
	return d, ok
}

// TakeDomainJoins gives a connector at most n requests of its domain for its
// own, the oldest first, until the lease ends.
func (t *Tenant) TakeDomainJoins(ctx context.Context, c Connector, n int) ([]DomainJoin, error) {
	now, timing := t.s.Now(), t.s.Timing.Hybrid
	var taken, given []DomainJoin
	err := t.s.DB.Update(func(tx *store.Tx) error {
		var open []DomainJoin
		for _, d := range t.s.domainJoins.By(tx, byOpen, t.ID+"/"+c.Domain) {
			open = append(open, d)
		}
		slices.SortStableFunc(open, func(a, b DomainJoin) int { return a.Created.Compare(b.Created) })
		for _, d := range open {
			lapsed := d.State == JoinTaken && !now.Before(d.Lease)
			switch {
			case !now.Before(d.Expires):
				d.State = JoinExpired
				given = append(given, d)
			case d.State == JoinTaken && !lapsed || len(taken) == n:
				continue
			case lapsed && d.Try+1 >= timing.ConnectorTries:
				d.fail(now, timing.JoinRetry)
				d.Diagnostic = "no connector brought it to an end"
				given = append(given, d)
			default:
				if lapsed {
					d.Try++
				}
				d.State, d.ConnectorID, d.Lease = JoinTaken, c.ID, now.Add(timing.ConnectorLease)
				taken = append(taken, d)
			}
			t.s.domainJoins.Put(tx, t.key(d.ID), d)
		}
		return nil
	})
	for _, d := range given {
		t.s.Record(ctx, "odj.ended", journal.F("device", d.DeviceID), journal.F("request", d.ID), journal.F("state", string(d.State)))
	}
	return taken, err
}

// endJoin changes a request that a connector holds.
func (t *Tenant) endJoin(ctx context.Context, c Connector, requestID string, change func(*DomainJoin)) error {
	now := t.s.Now()
	var d DomainJoin
	err := t.s.DB.Update(func(tx *store.Tx) error {
		var ok bool
		if d, ok = t.s.domainJoins.Get(tx, t.key(requestID)); !ok {
			return fmt.Errorf("domain join request %q: %w", requestID, ErrNotFound)
		}
		if d.State != JoinTaken || d.ConnectorID != c.ID || !now.Before(d.Lease) {
			return fmt.Errorf("domain join request %q: %w", requestID, ErrLease)
		}
		change(&d)
		t.s.domainJoins.Put(tx, t.key(requestID), d)
		return nil
	})
	if err == nil {
		t.s.Record(ctx, "odj.ended", journal.F("device", d.DeviceID), journal.F("request", d.ID), journal.F("state", string(d.State)),
			journal.F("connector", c.Name), journal.F("computer", d.ComputerName))
	}
	return err
}

// DomainJoinReady takes what a connector brought for a request.
func (t *Tenant) DomainJoinReady(ctx context.Context, c Connector, requestID, computer string, blob []byte) error {
	return t.endJoin(ctx, c, requestID, func(d *DomainJoin) {
		d.State, d.ComputerName, d.Blob = JoinReady, computer, slices.Clone(blob)
	})
}

// DomainJoinFailed takes a connector's word that it could not do a request. Another
// try is made unless that is final or was the last.
func (t *Tenant) DomainJoinFailed(ctx context.Context, c Connector, requestID string, code, diagnostic uint32, text string, final bool) error {
	err := t.endJoin(ctx, c, requestID, func(d *DomainJoin) {
		d.ErrorCode, d.DiagnosticCode, d.Diagnostic = code, diagnostic, text
		if d.Try++; final || d.Try >= t.s.Timing.Hybrid.ConnectorTries {
			d.fail(t.s.Now(), t.s.Timing.Hybrid.JoinRetry)
			return
		}
		d.State = JoinWaiting
	})
	if err == nil {
		t.s.joinBell.ring()
	}
	return err
}

// DomainJoinDelivered notes that a device answered to its blob, which is kept no
// longer.
func (t *Tenant) DomainJoinDelivered(ctx context.Context, requestID string, ok bool) error {
	var d DomainJoin
	err := t.s.DB.Update(func(tx *store.Tx) error {
		var found bool
		if d, found = t.s.domainJoins.Get(tx, t.key(requestID)); !found {
			return fmt.Errorf("domain join request %q: %w", requestID, ErrNotFound)
		}
		if d.Blob, d.State = nil, JoinDelivered; !ok {
			d.fail(t.s.Now(), t.s.Timing.Hybrid.JoinRetry)
		}
		t.s.domainJoins.Put(tx, t.key(requestID), d)
		if m, there := t.s.devices.Get(tx, t.key(d.DeviceID)); there && ok {
			m.DeviceName, m.ManagedDeviceName = d.ComputerName, d.ComputerName
			t.s.devices.Put(tx, t.key(d.DeviceID), m)
		}
		return nil
	})
	if err == nil {
		t.s.Record(ctx, "odj.ended", journal.F("device", d.DeviceID), journal.F("request", d.ID), journal.F("state", string(d.State)), journal.F("computer", d.ComputerName))
	}
	return err
}
