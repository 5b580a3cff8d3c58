package mdm

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
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
	// Credentials are what a device proves in the SyncML header, beside its
	// certificate; nil: nothing, as with Intune.
	Credentials func(m tenant.ManagedDevice) Credentials
	// SCEP gives challenges for certificate profiles; nil: SCEP profiles are not
	// delivered.
	SCEP *scep.Service
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
	Origin     int // what asked for the session (UserAgentOrigin); 0: not said
}

// Credentials are a name and a secret that device and server share.
type Credentials struct {
	Scheme       string // syncml.AuthMD5 or syncml.AuthBasic; "": none are wanted
	User, Secret string
}

// Agent describes IntuneWindowsAgent.msi (our model).
type Agent struct {
	Version string
	Size    int64 // bytes
	Install time.Duration
}

func (a Agent) withDefaults(t timing.MDM) Agent {
	if a.Version == "" {
		a.Version = "1.97.102.0"
	}
	if a.Size == 0 {
		a.Size = int64(t.AgentSize)
	}
	if a.Install == 0 {
		a.Install = t.AgentInstall
	}
	return a
}

// Service answers for the OMA-DM host.
type Service struct {
	Options
	rows  *store.Table[row]
	agent item // the job that installs the management extension

	mu        sync.Mutex
	catalogue map[string]parsed // settings policies that were read, by tenant and id
}

// New makes the gateway and publishes the management extension's installer.
func New(o Options) (*Service, error) {
	s := &Service{Options: o, rows: newTable(o.Tenants.DB), catalogue: map[string]parsed{}}
	var err error
	s.agent, err = s.publishAgent(o.Agent.withDefaults(o.Tenants.Timing.MDM))
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
		s.refuse(w, r, no("not modelled", http.StatusNotFound))
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, r, no("method", http.StatusMethodNotAllowed))
		return
	}
	binary, err := encoding(r)
	var reply *syncml.Message
	if err == nil {
		reply, err = s.message(r, binary)
	}
	body, kind := []byte(nil), syncml.ContentType
	switch {
	case err != nil:
	case binary:
		kind = syncml.ContentTypeWBXML
		body, err = reply.EncodeWBXML()
	default:
		body = reply.Encode()
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(http.StatusOK)
	// A client that went away is no error of the service.
	_, _ = w.Write(body)
}

// encoding tells whether the message is in WBXML. One that does not say what it
// is, is XML.
func encoding(r *http.Request) (binary bool, err error) {
	text := r.Header.Get("Content-Type")
	if text == "" {
		return false, nil
	}
	kind, parameters, err := mime.ParseMediaType(text)
	charset := parameters["charset"]
	switch {
	case err != nil || charset != "" && !strings.EqualFold(charset, "utf-8"):
	case kind == syncml.ContentTypeWBXML:
		return true, nil
	case kind == "application/vnd.syncml.dm+xml":
		return false, nil
	}
	return false, no("content type", http.StatusUnsupportedMediaType)
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	n := &refusal{"internal", http.StatusInternalServerError}
	errors.As(err, &n)
	s.Tenants.Refused(r.Context(), "mdm", Operation(r), n.check, http.StatusText(n.status))
	http.Error(w, n.check, n.status)
}

// message takes one message of a device and gives the server's.
func (s *Service) message(r *http.Request, binary bool) (*syncml.Message, error) {
	client, err := s.Authorities.MDMClient(r)
	if err != nil {
		return nil, no(err.Error(), authority.Status(err))
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	decode := syncml.Decode
	if binary {
		decode = syncml.DecodeWBXML
	}
	m, err := decode(body)
	if err != nil {
		return nil, no("message format", http.StatusBadRequest)
	}
	if !strings.EqualFold(m.Header.Source, client.Device.ID) {
		return nil, no("SyncHdr source", http.StatusForbidden)
	}
	c := &conversation{s: s, ctx: r.Context(), client: client, in: m, size: len(body)}
	if c.row, err = s.load(client); err != nil {
		return nil, err
	}
	origin, _ := strconv.Atoi(r.Header.Get("UserAgentOrigin")) // not said: 0
	return c.exchange(bearer(r), origin)
}

// readBody reads a message of at most syncml.MaxBytes.
func readBody(r *http.Request) ([]byte, error) {
	switch mode := r.URL.Query().Get("mode"); {
	case mode != "" && !strings.EqualFold(mode, "Maintenance") && !strings.EqualFold(mode, "Machine"):
		return nil, no("mode", http.StatusBadRequest)
	case r.ContentLength > syncml.MaxBytes:
		return nil, no("message length", http.StatusRequestEntityTooLarge)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, syncml.MaxBytes+1))
	switch {
	case err != nil:
		return nil, no("message length", http.StatusBadRequest)
	case len(body) > syncml.MaxBytes:
		return nil, no("message length", http.StatusRequestEntityTooLarge)
	}
	return body, nil
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
