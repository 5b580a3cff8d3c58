package authority

import (
	"fmt"
	"sync"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/store"
)

// Authorities are the CAs of one service.
type Authorities struct {
	Root *pki.CA
	MDM  *pki.CA // of the certificates that enrolment issues
	IME  *pki.CA // of the management extension's certificates
	ODJ  *pki.CA // of the certificates of Intune Connectors for Active Directory

	s      *tenant.Service
	born   time.Time
	issued *store.Table[Holder] // by thumbprint

	mu            sync.Mutex
	organizations map[string]*pki.CA // made on first use, by tenant id
}

// New makes the authorities of a service, born when it is.
func New(s *tenant.Service) (*Authorities, error) {
	a := &Authorities{s: s, born: s.Born(), organizations: map[string]*pki.CA{},
		issued: store.NewTable(s.DB, "intune.certificates", store.Index(bySerial, func(h Holder) []string { return []string{h.key()} }))}
	var err error
	if a.Root, err = pki.NewRoot(a.born, s.Seed.Derive("authority"), "Microsoft Intune Root Certification Authority", pki.Options{}); err != nil {
		return nil, fmt.Errorf("fakeintune: %w", err)
	}
	for _, sub := range []struct {
		ca   **pki.CA
		name string
	}{{&a.MDM, "Microsoft Intune MDM Device CA"}, {&a.IME, "Microsoft Intune Management Extension CA"}, {&a.ODJ, "Microsoft Intune Connector CA"}} {
		o := pki.Options{NotBefore: a.Root.Cert.NotBefore, Life: a.Root.Cert.NotAfter.Sub(a.Root.Cert.NotBefore)}
		if *sub.ca, err = a.Root.Sub(a.born, sub.name, o); err != nil {
			return nil, fmt.Errorf("fakeintune: %w", err)
		}
	}
	return a, nil
}

// Organization is a customer's own certification authority, which the
// certificate connector would talk to.
func (a *Authorities) Organization(t *tenant.Tenant) (*pki.CA, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ca, ok := a.organizations[t.ID]; ok {
		return ca, nil
	}
	ca, err := pki.NewRoot(a.born, a.s.Seed.Derive("authority", t.ID), t.Domain+" Issuing CA", pki.Options{})
	if err != nil {
		return nil, fmt.Errorf("fakeintune: authority of %s: %w", t.Domain, err)
	}
	a.organizations[t.ID] = ca
	return ca, nil
}
