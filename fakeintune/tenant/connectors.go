package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
)

// Connector is an Intune Connector for Active Directory that enrolled.
type Connector struct {
	ID, TenantID string
	Name         string // of its server
	Domain       string // DNS name, in lower case
	Version      string
	Thumbprint   string // of its certificate
	Enrolled     time.Time
	LastSeen     time.Time
}

// AddConnector enrols a connector; one of the same server and domain is
// replaced, and its certificate proves nothing any more.
func (t *Tenant) AddConnector(ctx context.Context, c Connector) (Connector, error) {
	now := t.s.Now()
	c.TenantID, c.Domain, c.Enrolled, c.LastSeen = t.ID, strings.ToLower(c.Domain), now, now
	err := t.s.DB.Update(func(tx *store.Tx) error {
		id, _, err := t.nextID(tx, "connector")
		if err != nil {
			return err
		}
		c.ID = id
		for key, old := range t.s.connectors.By(tx, byTenant, t.ID) {
			if strings.EqualFold(old.Name, c.Name) && old.Domain == c.Domain {
				t.s.connectors.Delete(tx, key)
			}
		}
		t.s.connectors.Put(tx, t.key(id), c)
		return nil
	})
	if err == nil {
		t.s.Record(ctx, "odj.connector.enrolled", journal.F("connector", c.Name), journal.F("domain", c.Domain), journal.F("version", c.Version))
	}
	return c, err
}

// CertifyConnector writes down which certificate proves a connector.
func (t *Tenant) CertifyConnector(id, thumbprint string) error {
	return t.updateConnector(id, func(c *Connector) { c.Thumbprint = strings.ToUpper(thumbprint) })
}

// ConnectorSeen notes that a connector called, and what it said of itself.
func (t *Tenant) ConnectorSeen(id, version string) error {
	now := t.s.Now()
	return t.updateConnector(id, func(c *Connector) { c.Version, c.LastSeen = version, now })
}

func (t *Tenant) updateConnector(id string, change func(*Connector)) error {
	return t.s.DB.Update(func(tx *store.Tx) error {
		c, ok := t.s.connectors.Get(tx, t.key(id))
		if !ok {
			return fmt.Errorf("connector %q: %w", id, ErrNotFound)
		}
		change(&c)
		t.s.connectors.Put(tx, t.key(id), c)
		return nil
	})
}

// Connector finds a connector by id; ErrNotFound.
func (t *Tenant) Connector(id string) (Connector, error) {
	c, ok := read(t.s, t.s.connectors, t.key(id))
	if !ok {
		return c, fmt.Errorf("connector %q: %w", id, ErrNotFound)
	}
	return c, nil
}

// Connectors are those that enrolled, the oldest first. One that has not called
// for long is still among them, until it is cleaned up (learn.microsoft.com,
// Autopilot known issues, inactive connectors).
func (t *Tenant) Connectors() []Connector {
	keep := t.s.Now().Add(-t.s.Timing.Hybrid.ConnectorCleanup)
	all := slices.DeleteFunc(list(t.s, t.s.connectors, byTenant, t.ID), func(c Connector) bool { return c.LastSeen.Before(keep) })
	slices.SortStableFunc(all, func(a, b Connector) int { return a.Enrolled.Compare(b.Enrolled) })
	return all
}
