package scep

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"sync"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/store"
	wire "windtunnel.test/sim/wire/scep"
)

// Host is the name that a customer's server answers under.
func Host(domain string) string { return "ndes." + domain }

// raKeyNumber is which RSA key of the shared pool opens envelopes.
const raKeyNumber = 2

// minKeyBits is the shortest RSA key that gets a certificate.
const minKeyBits = 2048

// Passwords checks the password of a user who wants a challenge from the page;
// a nil error means that it is right.
type Passwords interface {
	Password(ctx context.Context, tenantID, upn, password string) error
}

// Options are what the service is made of.
type Options struct {
	Tenants     *tenant.Service
	Authorities *authority.Authorities
	Passwords   Passwords // nil: the page gives no challenges
}

// Settings are what a customer set for the server. The zero value gives every
// good request its certificate at once.
type Settings struct {
	Approval bool // requests wait for an administrator
}

// Service is the SCEP servers of all customers.
type Service struct {
	Options
	settings     *store.Table[Settings]
	challenges   *store.Table[challenge]
	transactions *store.Table[transaction]

	mu sync.Mutex
	ra map[string]*registrar // made on first use, by tenant id

	// issuing is held from the look at a transaction to what comes of it: it has one
	// certificate, however often it is asked for at the same time.
	issuing sync.Mutex
}

// registrar is a customer's registration authority.
type registrar struct {
	ca     *pki.CA
	id     wire.Identity
	caCert []byte // answer to GetCACert
}

// New makes the service.
func New(o Options) *Service {
	db := o.Tenants.DB
	return &Service{Options: o, ra: map[string]*registrar{}, settings: store.NewTable[Settings](db, "intune.scep.settings"),
		challenges: store.NewTable[challenge](db, "intune.scep.challenges"), transactions: store.NewTable[transaction](db, "intune.scep.transactions")}
}

// Configure sets a tenant's settings.
func (s *Service) Configure(tenantID string, c Settings) error {
	return s.Tenants.DB.Update(func(tx *store.Tx) error {
		s.settings.Put(tx, strings.ToLower(tenantID), c)
		return nil
	})
}

func (s *Service) registrar(t *tenant.Tenant) (*registrar, error) {
	ca, err := s.Authorities.Organization(t)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.ra[t.ID]; ok {
		return r, nil
	}
	r := &registrar{ca: ca, id: wire.Identity{Key: pki.PooledRSA(raKeyNumber)}}
	r.id.Certificate, err = ca.Issue(ca.Cert.NotBefore, &x509.Certificate{
		Subject: pkix.Name{CommonName: t.Domain + " MSCEP-RA"}, NotAfter: ca.Cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}, r.id.Key.Public())
	if err == nil {
		r.caCert, err = wire.MarshalCertificates(r.id.Certificate, ca.Cert)
	}
	if err != nil {
		return nil, fmt.Errorf("fakeintune/scep: registration authority of %s: %w", t.Domain, err)
	}
	s.ra[t.ID] = r
	return r, nil
}

// Operation names a request for the journal and for fault rules.
func Operation(r *http.Request) string {
	switch path := strings.ToLower(strings.TrimSuffix(r.URL.Path, "/")); path {
	case wire.NDESPath, wire.PKIClient:
		switch op := r.URL.Query().Get("operation"); op {
		case wire.OpGetCACaps, wire.OpGetCACert, wire.OpPKIOperation:
			return "scep." + strings.ToLower(op)
		}
	case wire.AdminPath:
		return "scep.challenge"
	}
	return "scep.unknown"
}

// Handler answers for one customer's server. It reads at most [wire.MaxSize]
// of a message.
func (s *Service) Handler(t *tenant.Tenant) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch Operation(r) {
		case "scep.getcacaps":
			answer(w, wire.TypeCapabilities, wire.Capabilities{"AES", "DES3", "POSTPKIOperation", "Renewal", "SHA-1", "SHA-256", "SHA-512", "SCEPStandard"}.Marshal())
		case "scep.getcacert":
			ra, err := s.registrar(t)
			if err != nil {
				s.deny(w, r, http.StatusInternalServerError, "internal")
				return
			}
			answer(w, wire.TypeCARACert, ra.caCert)
		case "scep.pkioperation":
			s.operate(w, r, t)
		case "scep.challenge":
			s.page(w, r, t)
		default:
			http.Error(w, "not modelled: "+r.Method+" "+r.URL.Path+", operation "+r.URL.Query().Get("operation"), http.StatusNotFound)
		}
	})
}

func answer(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	// A client that went away is no error of the service.
	_, _ = w.Write(body)
}

// deny answers what cannot be answered by a SCEP message.
func (s *Service) deny(w http.ResponseWriter, r *http.Request, status int, check string) {
	s.Tenants.Refused(r.Context(), "scep", Operation(r), check, fmt.Sprint(status))
	http.Error(w, http.StatusText(status)+": "+check, status)
}

var errSize = errors.New("too big")

// message is the request's: the body of a POST, base64 in the query of a GET
// (RFC 8894 4.1, 4.3).
func message(r *http.Request) ([]byte, error) {
	var data []byte
	var err error
	switch r.Method {
	case http.MethodPost:
		data, err = io.ReadAll(io.LimitReader(r.Body, wire.MaxSize+1))
	case http.MethodGet:
		// A plus sign that nobody escaped arrives as a blank.
		data, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(r.URL.Query().Get("message"), " ", "+"))
	}
	if err == nil && len(data) > wire.MaxSize {
		err = errSize
	}
	return data, err
}

func (s *Service) operate(w http.ResponseWriter, r *http.Request, t *tenant.Tenant) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		s.deny(w, r, http.StatusMethodNotAllowed, "method")
		return
	}
	data, err := message(r)
	switch {
	case errors.Is(err, errSize):
		s.deny(w, r, http.StatusRequestEntityTooLarge, "message size")
		return
	case err != nil:
		s.deny(w, r, http.StatusBadRequest, "message encoding")
		return
	}
	m, err := wire.Parse(data)
	if err != nil {
		s.deny(w, r, http.StatusBadRequest, "pkiMessage")
		return
	}
	reply, err := s.reply(r.Context(), t, m)
	if err != nil {
		s.deny(w, r, http.StatusInternalServerError, "internal")
		return
	}
	answer(w, wire.TypePKIMessage, reply)
}

var challengePage = template.Must(template.New("challenge").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Network Device Enrollment Service</title></head><body>
<p>To complete certificate enrollment for your network device you will need the following information:</p>
<p>The thumbprint (hash value) for the CA certificate is: <b>{{.Thumbprint}}</b></p>
<p>The enrollment challenge password is: <b>{{.Challenge}}</b></p>
<p>This password can be used only once and will expire within {{.Minutes}} minutes.</p>
</body></html>
`))

// page is NDES' page for administrators, where people get a challenge by hand.
// Here anybody with a password gets one: the certificate is his, whatever its
// subject says (our model).
func (s *Service) page(w http.ResponseWriter, r *http.Request, t *tenant.Tenant) {
	w.Header().Set("Cache-Control", "no-store")
	upn, password, ok := r.BasicAuth()
	if !ok || s.Passwords == nil || password == "" || s.Passwords.Password(r.Context(), t.ID, upn, password) != nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+Host(t.Domain)+`"`)
		s.deny(w, r, http.StatusUnauthorized, "password")
		return
	}
	ra, err := s.registrar(t)
	var text string
	if err == nil {
		text, err = s.NewChallenge(r.Context(), t, Challenge{UPN: upn})
	}
	if err != nil {
		s.deny(w, r, http.StatusInternalServerError, "internal")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = challengePage.Execute(w, struct {
		Thumbprint, Challenge string
		Minutes               int
	}{pki.Thumbprint(ra.ca.Cert), text, int(s.Tenants.Timing.Intune.SCEPChallengeLife.Minutes())})
}
