package mdm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/syncml"
)

// Options are what the gateway is made of.
type Options struct {
	Tenants     *tenant.Service
	Authorities *authority.Authorities
	// Content takes the files that devices are told to download; nil: they go
	// nowhere, and devices get 404.
	Content delivery.Publisher
	// Agent is the management extension's installer; the zero value is the usual
	// one.
	Agent Agent
	// Health verifies what an attestation service says of devices; nil: none is
	// asked for, and nothing is known of any device's start.
	Health HealthReports
	// SessionEnded is called at the end of each session; nil: nobody wants to know.
	SessionEnded func(ctx context.Context, e Ended)
}

// Ended tells what a session that has ended was about.
type Ended struct {
	Tenant   *tenant.Tenant
	DeviceID string // managed device
	User     string // object id; "" for the device's session
	Complete bool   // the session brought all that a first session has to
	Changed  bool   // the device reported something new
	// Technician: the device is pre-provisioned and has not begun anew since.
	Technician bool
}

// Agent describes IntuneWindowsAgent.msi (our model).
type Agent struct {
	Version string
	Size    int64 // bytes
	Install time.Duration
}

func (a Agent) withDefaults() Agent {
	if a.Version == "" {
		a.Version = "1.97.102.0"
	}
	if a.Size == 0 {
		a.Size = 62 << 20
	}
	if a.Install == 0 {
		a.Install = 25 * time.Second
	}
	return a
}

// Service answers for the OMA-DM host.
type Service struct {
	Options
	rows  *store.Table[row]
	agent item // the job that installs the management extension
}

// New makes the gateway and publishes the management extension's installer.
func New(o Options) (*Service, error) {
	s := &Service{Options: o, rows: newTable(o.Tenants.DB)}
	var err error
	s.agent, err = s.publishAgent(o.Agent.withDefaults())
	return s, err
}

// Operation names a request for the journal and for fault rules.
func Operation(*http.Request) string { return "mdm.session" }

// refusal is a check that said no, with the HTTP status for the caller.
type refusal struct {
	check  string
	status int
}

func (r *refusal) Error() string { return r.check }

func no(check string, status int) error { return &refusal{check, status} }

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.EqualFold(r.URL.Path, enroll.OMADMPath):
		http.Error(w, "not modelled: "+r.URL.Path, http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	reply, err := s.message(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", syncml.ContentType)
	w.WriteHeader(http.StatusOK)
	// A client that went away is no error of the service.
	_, _ = w.Write(reply.Encode())
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	n := &refusal{"internal", http.StatusInternalServerError}
	errors.As(err, &n)
	s.Tenants.Refused(r.Context(), "mdm", Operation(r), n.check, http.StatusText(n.status))
	http.Error(w, n.check, n.status)
}

// message takes one message of a device and gives the server's.
func (s *Service) message(r *http.Request) (*syncml.Message, error) {
	client, err := s.Authorities.MDMClient(r)
	if err != nil {
		return nil, no(err.Error(), authority.Status(err))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, syncml.MaxBytes+1))
	if err != nil {
		return nil, no("message length", http.StatusBadRequest)
	}
	m, err := syncml.Decode(body)
	if err != nil {
		return nil, no("message format", http.StatusBadRequest)
	}
	if !strings.EqualFold(m.Header.Source, client.Device.ID) {
		return nil, no("SyncHdr source", http.StatusForbidden)
	}
	c := &conversation{s: s, ctx: r.Context(), client: client, in: m}
	if c.row, err = s.load(client); err != nil {
		return nil, err
	}
	if m.Header.MsgID == 1 {
		err = c.begin(bearer(r))
	} else {
		err = c.proceed()
	}
	if err != nil {
		return nil, err
	}
	return c.reply()
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Technician tells whether a device is in the technician flow: it was
// pre-provisioned, and nobody has seen it start anew since.
func (s *Service) Technician(m tenant.ManagedDevice) bool {
	if m.Kind != tenant.EnrolledWhiteGlove {
		return false
	}
	var v row
	// Reading cannot fail: the function returns nil.
	_ = s.Tenants.DB.View(func(tx *store.Tx) error {
		v, _ = s.rows.Get(tx, rowKey(m))
		return nil
	})
	return !v.Resealed
}
