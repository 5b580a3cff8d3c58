package msa

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/msa"
)

// Attestation knows which TPM an AIK lives in.
type Attestation interface {
	// Attested verifies an AIK certificate (the AIK's own; issuers are the
	// service's) and gives the SHA-256 of the SubjectPublicKeyInfo of the
	// endorsement key that it was certified with.
	Attested(certificate []byte, now time.Time) (aik *x509.Certificate, ekHash [32]byte, err error)
}

// Options are the service's settings beside the common ones.
type Options struct {
	service.Options
	// Attestation is nil where no TPM-validated tickets are given.
	Attestation Attestation
}

// Service answers for login.live.com.
type Service struct {
	service.Core
	settings Options

	key      *ecdsa.PrivateKey
	accounts *accounts
}

// New makes a service.
func New(o Options) *Service { return &Service{settings: o} }

func (s *Service) init() {
	s.Init("msa", s.settings.Options, func() {
		s.key = pki.Key(s.Seed, "device tickets")
		s.accounts = newAccounts(s.DB)
	})
}

// PublicKey verifies the tickets that the service gives, with msa.Verify of
// sim/wire.
func (s *Service) PublicKey() *ecdsa.PublicKey {
	s.init()
	return &s.key.PublicKey
}

// VerifyTicket checks a ticket for an audience at a moment.
func (s *Service) VerifyTicket(ticket, audience string, now time.Time) (wire.Claims, error) {
	return wire.Verify(ticket, s.PublicKey(), audience, now)
}

// ServeHTTP answers deviceaddcredential.srf and RST2.srf.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	switch {
	case r.Method == http.MethodPost && strings.EqualFold(r.URL.Path, wire.PathDeviceAdd):
		s.addDevice(w, r)
	case r.Method == http.MethodPost && strings.EqualFold(r.URL.Path, wire.PathTicket):
		s.giveTickets(w, r)
	default:
		service.NotModelled(w, r)
	}
}

// addDevice makes an account with the name and password that the device chose.
func (s *Service) addDevice(w http.ResponseWriter, r *http.Request) {
	if !sendsXML(r) {
		s.notAdded(w, r, "content type", wire.DeviceAddBadParameter)
		return
	}
	body, err := service.ReadBody(r)
	if err != nil {
		s.notAdded(w, r, "body", wire.DeviceAddBadParameter)
		return
	}
	req, err := wire.ParseDeviceAddRequest(body)
	if err != nil {
		s.notAdded(w, r, "credentials", wire.DeviceAddNoCredentials)
		return
	}
	hardware, ok := req.DeviceInfo.HardwareID()
	if !ok {
		s.notAdded(w, r, "hardware components", wire.DeviceAddBadParameter)
		return
	}
	// The same hardware gets the same id, however often Windows is installed.
	k := s.Seed.Key("puid", hardware)
	a := account{
		PUID: wire.DevicePUID(binary.BigEndian.Uint64(k[:8])), HardwareID: hardware,
		Password: sha256.Sum256([]byte(req.Authentication.Password)),
	}
	if err := s.accounts.add(req.Authentication.Membername, a); err != nil {
		s.notAdded(w, r, "member name", wire.DeviceAddExists)
		return
	}
	s.Record(r.Context(), "msa.device.added", journal.F("gdid", a.PUID.GlobalID()))
	s.writeXML(w, func() ([]byte, error) { return wire.Encode(wire.Added(a.PUID, hardware)) })
}

func (s *Service) notAdded(w http.ResponseWriter, r *http.Request, check string, code wire.DeviceAddCode) {
	s.Refused(r.Context(), "msa.device.add", check, fmt.Sprint(int(code)))
	s.writeXML(w, func() ([]byte, error) { return wire.Encode(wire.NotAdded(code)) })
}

// writeXML answers with 200: the service puts its refusals into the body.
func (s *Service) writeXML(w http.ResponseWriter, encode func() ([]byte, error)) {
	body, err := encode()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	service.Write(w, http.StatusOK, wire.ContentType+"; charset=utf-8", body)
}

// refusal is a fault with the check that decided.
type refusal struct {
	check  string
	status uint32
	detail string
}

func (r *refusal) Error() string { return r.check + ": " + r.detail }

func (s *Service) giveTickets(w http.ResponseWriter, r *http.Request) {
	response, err := s.tickets(r)
	if err == nil {
		s.writeXML(w, response.Encode)
		return
	}
	no := &refusal{"internal", wire.StatusBadRequest, err.Error()}
	errors.As(err, &no)
	s.Refused(r.Context(), "msa.ticket", no.check, fmt.Sprintf("0x%08X", no.status))
	s.writeXML(w, wire.NewFault(no.status, no.check+": "+no.detail, s.Now()).Encode)
}

func (s *Service) tickets(r *http.Request) (*wire.TicketResponse, error) {
	if !sendsXML(r) {
		return nil, &refusal{"content type", wire.StatusBadRequest, "the body has to be XML"}
	}
	body, err := service.ReadBody(r)
	if err != nil {
		return nil, &refusal{"body", wire.StatusBadRequest, err.Error()}
	}
	req, err := wire.ParseTicketRequest(body)
	if err != nil {
		return nil, &refusal{"request", wire.StatusBadRequest, err.Error()}
	}
	now := s.Now()
	if err := s.fresh(req, now); err != nil {
		return nil, err
	}
	a, ok := s.accounts.get(req.Username)
	sum := sha256.Sum256([]byte(req.Password))
	if !ok || subtle.ConstantTimeCompare(sum[:], a.Password[:]) != 1 {
		return nil, &refusal{"device account", wire.StatusBadCredentials, "name or password"}
	}
	claims := wire.Claims{PUID: a.PUID.String(), GlobalID: a.PUID.GlobalID(), HardwareID: a.HardwareID}
	if req.Proof != nil {
		if err := s.prove(req, &claims, now); err != nil {
			return nil, err
		}
	}
	return s.issue(r, req, a, claims, now)
}

func sendsXML(r *http.Request) bool {
	return service.Sends(r, wire.ContentType, "text/xml", "application/xml")
}

// fresh keeps a request from being used later or twice (WS-Security 1.1,
// section 10: timestamp and message id).
func (s *Service) fresh(req wire.TicketRequest, now time.Time) error {
	skew := s.Timing.MSA.RequestSkew
	switch {
	case req.Created.After(now.Add(skew)), now.Add(-skew).After(req.Expires):
		return &refusal{"timestamp", wire.StatusBadRequest, "the request is not of now"}
	case req.Proof != nil && !s.accounts.first(req.MessageID, req.Expires.Add(skew), now):
		return &refusal{"message id", wire.StatusBadRequest, "the request came before"}
	}
	return nil
}

func (s *Service) issue(r *http.Request, req wire.TicketRequest, a account, claims wire.Claims, now time.Time) (*wire.TicketResponse, error) {
	life := s.Timing.MSA.DeviceTicketLife
	out := &wire.TicketResponse{PUID: a.PUID, ServerTime: now}
	for _, scope := range req.Scopes {
		claims.Audience, claims.Nonce = scope.Address, s.NewID("ticket")
		ticket, err := wire.Issue(s.key, claims, now, life)
		if err != nil {
			return nil, err
		}
		out.Tickets = append(out.Tickets, wire.IssuedTicket{Scope: scope.Address, Value: ticket, Created: now, Expires: now.Add(life)})
	}
	s.Record(r.Context(), "msa.ticket.issued", journal.F("gdid", claims.GlobalID), journal.F("tpm", claims.TPMValidated))
	return out, nil
}

// Operation names a request for journals and fault rules.
func Operation(r *http.Request) string {
	switch {
	case strings.EqualFold(r.URL.Path, wire.PathDeviceAdd):
		return "msa.device.add"
	case strings.EqualFold(r.URL.Path, wire.PathTicket):
		return "msa.ticket"
	}
	return "msa.other"
}
