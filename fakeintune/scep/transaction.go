package scep

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	wire "windtunnel.test/sim/wire/scep"
)

// state is how far a transaction is.
type state string

const (
	statePending  state = "pending"
	stateApproved state = "approved"
	stateRejected state = "rejected"
	stateIssued   state = "issued"
)

// transaction is a request that was good, and what came of it.
type transaction struct {
	State      state
	Request    []byte // PKCS#10 while nothing is issued
	Key        string // digest of the key that is to be certified
	Holder     authority.Holder
	Thumbprint string // of the certificate, and its serial number
	Serial     []byte
	Until      time.Time // a request that waits is forgotten then
}

var errPending = errors.New("the request waits")

// ErrTransaction: there is no such request that waits.
var ErrTransaction = errors.New("no such request waits")

func transactionKey(t *tenant.Tenant, id string) string { return t.ID + "/" + id }

func (s *Service) put(t *tenant.Tenant, id string, row transaction) error {
	return s.Tenants.DB.Update(func(tx *store.Tx) error {
		s.transactions.Put(tx, transactionKey(t, id), row)
		return nil
	})
}

// get reads a transaction, and the settings of its tenant.
func (s *Service) get(t *tenant.Tenant, id string) (row transaction, ok bool) {
	// Reading cannot fail: the function returns nil.
	_ = s.Tenants.DB.View(func(tx *store.Tx) error {
		row, ok = s.transactions.Get(tx, transactionKey(t, id))
		return nil
	})
	if ok && (row.State == statePending || row.State == stateApproved) && s.Tenants.Now().After(row.Until) {
		return transaction{}, false
	}
	return row, ok
}

func (s *Service) setting(t *tenant.Tenant) (c Settings) {
	_ = s.Tenants.DB.View(func(tx *store.Tx) error {
		c, _ = s.settings.Get(tx, t.ID)
		return nil
	})
	return c
}

// again answers a request that came before: its reply may have got lost, or the
// client asks by it whether it was approved. A certificate with a nil error, or
// nothing at all where it is new.
func (s *Service) again(ctx context.Context, a *asking, csr *x509.CertificateRequest) (*x509.Certificate, error) {
	row, ok := s.get(a.t, a.TransactionID)
	switch {
	case !ok:
		return nil, nil
	case row.Key != keyHash(csr.RawSubjectPublicKeyInfo):
		return nil, no(wire.BadRequest, "transaction of another key")
	case row.State == stateIssued && a.MessageType == wire.RenewalReq:
		return nil, nil // the same key once more: a new transaction for who has a certificate
	case !sameKey(a.Signer, csr):
		return nil, nil
	}
	return s.settle(ctx, a, row)
}

// poll answers CertPoll: who waits asks with the key that is to be certified.
func (s *Service) poll(ctx context.Context, a *asking) (*x509.Certificate, error) {
	issuer, _, err := wire.ParseIssuerAndSubject(a.content)
	if err != nil || string(issuer) != string(a.ra.ca.Cert.RawSubject) && string(issuer) != string(a.ra.id.Certificate.RawSubject) {
		return nil, no(wire.BadRequest, "issuer and subject")
	}
	row, ok := s.get(a.t, a.TransactionID)
	if !ok {
		return nil, no(wire.BadCertID, "transaction")
	}
	return s.settle(ctx, a, row)
}

// settle answers for a transaction, to the key that it is about.
func (s *Service) settle(ctx context.Context, a *asking, row transaction) (*x509.Certificate, error) {
	if row.Key != keyHash(a.Signer.RawSubjectPublicKeyInfo) {
		return nil, no(wire.BadMessageCheck, "transaction's key")
	}
	switch row.State {
	case statePending:
		return nil, errPending
	case stateApproved:
		return s.issue(ctx, a.t, a.ra, a.TransactionID, row)
	case stateIssued:
		cert, err := s.Authorities.BySerial(a.t, new(big.Int).SetBytes(row.Serial))
		if err != nil {
			return nil, no(wire.BadCertID, "certificate revoked")
		}
		return cert, nil
	}
	return nil, no(wire.BadRequest, "rejected")
}

// wait puts a request aside.
func (s *Service) wait(ctx context.Context, a *asking, row transaction) error {
	row.State, row.Until = statePending, s.Tenants.Now().Add(s.Tenants.Timing.Intune.SCEPPending)
	if err := s.put(a.t, a.TransactionID, row); err != nil {
		return err
	}
	s.Tenants.Record(ctx, "scep.pending", journal.F("transaction", a.TransactionID))
	return errPending
}

// Pending lists the transactions of a customer that wait for an administrator.
func (s *Service) Pending(t *tenant.Tenant) []string {
	var ids []string
	prefix := transactionKey(t, "")
	_ = s.Tenants.DB.View(func(tx *store.Tx) error {
		for key, row := range s.transactions.All(tx) {
			if row.State == statePending && len(key) > len(prefix) && key[:len(prefix)] == prefix && !s.Tenants.Now().After(row.Until) {
				ids = append(ids, key[len(prefix):])
			}
		}
		return nil
	})
	slices.Sort(ids)
	return ids
}

// Approve lets a request that waits have its certificate when it is asked for
// the next time; ErrTransaction.
func (s *Service) Approve(t *tenant.Tenant, id string) error { return s.decide(t, id, stateApproved) }

// Reject refuses it; ErrTransaction.
func (s *Service) Reject(t *tenant.Tenant, id string) error { return s.decide(t, id, stateRejected) }

func (s *Service) decide(t *tenant.Tenant, id string, to state) error {
	return s.Tenants.DB.Update(func(tx *store.Tx) error {
		row, ok := s.transactions.Get(tx, transactionKey(t, id))
		if !ok || row.State != statePending || s.Tenants.Now().After(row.Until) {
			return fmt.Errorf("fakeintune/scep: transaction %q: %w", id, ErrTransaction)
		}
		row.State = to
		s.transactions.Put(tx, transactionKey(t, id), row)
		return nil
	})
}
