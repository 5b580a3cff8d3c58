package fakeintune

import (
	"context"
	"net/http"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/compliance"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/graph"
	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/odj"
	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/fakeintune/sidecar"
	"windtunnel.test/fakeintune/storage"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/fakeintune/ztd"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/hosts"
)

// What Intune wants of Entra ID and of Microsoft accounts.
type (
	Directory       = tenant.Directory
	AutopilotDevice = tenant.AutopilotDevice
	DirectoryDevice = tenant.DirectoryDevice
	DirectoryUser   = tenant.DirectoryUser
	Tokens          = tenant.Tokens
	Claims          = tenant.Claims
	Tickets         = tenant.Tickets
	TicketInfo      = tenant.TicketInfo
)

// What enrolment wants of the AIK certificate service, and what apps want of
// the content delivery network.
type (
	Attestation = enroll.Attestation
	// SignIn is what enrolment wants of Entra ID about users without a token.
	SignIn = enroll.SignIn
	// HealthReports is what management wants of the attestation service.
	HealthReports = mdm.HealthReports
	Publisher     = delivery.Publisher
)

// Options put an Intune together.
type Options struct {
	Clock     vclock.Clock     // nil: wall time
	Journal   *journal.Journal // nil: nothing is recorded
	Timing    *timing.Profile  // nil: timing.Default()
	Seed      vclock.Seed
	DB        *store.DB        // nil: one of its own
	Now       func() time.Time // the service's own time; nil: the clock's
	Directory Directory        // nil: an empty one
	Tokens    Tokens           // nil: no token is good
	Tickets   Tickets          // nil: no ticket is good
	AIKs      Attestation      // nil: no AIK certificate is good
	Health    HealthReports    // nil: no device's health is attested
	SignIn    SignIn           // nil: no user has a password
	Publisher Publisher        // takes content for download; nil: it goes nowhere
	// Supported tells which Windows still get updates, by version and edition
	// number; nil: every one does.
	Supported func(version, edition string, at time.Time) bool

	// Since and Starts are for a service that goes on with an earlier process's
	// state; see tenant.Options.
	Since  time.Time
	Starts int

	TenantID string // of the first customer; "": none yet, see Service().Add
	Domain   string // its primary domain
}

// Server is all surfaces over one state.
type Server struct {
	service *tenant.Service
	tenant  *tenant.Tenant
	graph   *graph.Handler
	ztd     *ztd.Handler

	authorities *authority.Authorities
	enroll      *enroll.Service
	mdm         *mdm.Service
	sidecar     *sidecar.Service
	compliance  *compliance.Service
	storage     *storage.Handler
	logs        *storage.LogHandler
	scep        *scep.Service
	odj         *odj.Service
}

// New makes the surfaces.
func New(o Options) (*Server, error) {
	s := &Server{service: tenant.New(tenant.Options{Clock: o.Clock, Journal: o.Journal, Timing: o.Timing, Seed: o.Seed, DB: o.DB,
		Now: o.Now, Directory: o.Directory, Tokens: o.Tokens, Tickets: o.Tickets, Since: o.Since, Starts: o.Starts})}
	if o.TenantID != "" {
		var err error
		if s.tenant, err = s.service.Add(o.TenantID, o.Domain); err != nil {
			return nil, err
		}
	}
	s.graph, s.ztd = graph.New(s.service), ztd.New(s.service)
	if err := s.manage(o); err != nil {
		return nil, err
	}
	s.Resume(context.Background())
	return s, nil
}

// Resume takes up what the rows say is under way: imports, syncs, assignments,
// evaluations, and files that devices may be about to download. New does so;
// call it again after DB.Restore.
func (s *Server) Resume(ctx context.Context) {
	s.service.Resume(ctx)
	s.compliance.Resume(ctx)
	for _, t := range s.service.Tenants() {
		s.mdm.PublishApps(t)
		s.sidecar.PublishApps(t)
	}
}

// manage makes the surfaces that devices enrol with and are managed by.
func (s *Server) manage(o Options) error {
	var err error
	if s.authorities, err = authority.New(s.service); err != nil {
		return err
	}
	s.compliance = compliance.New(s.service)
	s.storage, s.logs = storage.New(s.service), storage.NewLogs(s.service)
	s.enroll = enroll.New(enroll.Options{Tenants: s.service, Authorities: s.authorities, Attestation: o.AIKs, SignIn: o.SignIn, Supported: o.Supported})
	s.odj = odj.New(odj.Options{Tenants: s.service, Authorities: s.authorities})
	s.scep = scep.New(scep.Options{Tenants: s.service, Authorities: s.authorities, Passwords: o.SignIn})
	if s.mdm, err = mdm.New(mdm.Options{Tenants: s.service, Authorities: s.authorities, Content: o.Publisher, Health: o.Health, SCEP: s.scep, SessionEnded: s.compliance.SessionEnded}); err != nil {
		return err
	}
	s.sidecar = sidecar.New(sidecar.Options{Tenants: s.service, Authorities: s.authorities, Content: o.Publisher, Technician: s.mdm.Technician})
	return nil
}

// Service is the state with all customers.
func (s *Server) Service() *tenant.Service { return s.service }

// Tenant is the customer of the options, nil where they name none.
func (s *Server) Tenant() *tenant.Tenant { return s.tenant }

// Host is how one name is served.
type Host struct {
	Name      string
	Handler   http.Handler
	Operation func(*http.Request) string
	// ClientCert: the service looks at client certificates, so TLS has to ask.
	ClientCert bool
}

// Hosts are the names that Intune answers under, in a fixed order, without
// graph.microsoft.com, which it shares.
func (s *Server) Hosts() []Host {
	list := []Host{
		{hosts.Autopilot, s.ztd, ztd.Operation, false},
		{hosts.Enrollment, s.enroll, enroll.Operation, true},
		{hosts.OMADM, s.mdm, mdm.Operation, true},
		{hosts.IntuneLocation, s.sidecar, sidecar.Operation, true},
		{hosts.SideCar, s.sidecar, sidecar.Operation, true},
		{hosts.ODJConnector, s.odj, odj.Operation, true},
		{storage.Host, s.storage, storage.Operation, false},
		{storage.LogHost, s.logs, storage.Operation, false},
	}
	if s.tenant != nil {
		list = append(list, Host{hosts.EnrollmentPrefix + s.tenant.Domain, s.enroll, enroll.Operation, true},
			Host{scep.Host(s.tenant.Domain), s.scep.Handler(s.tenant), scep.Operation, false})
	}
	return list
}

// SCEP answers for ndes.<domain>: it gives devices certificates of the
// customer's own authority.
func (s *Server) SCEP() *scep.Service { return s.scep }

// Graph answers deviceManagement and deviceAppManagement of graph.microsoft.com.
func (s *Server) Graph() http.Handler { return s.graph }

// ZTD answers for ztd.dds.microsoft.com.
func (s *Server) ZTD() http.Handler { return s.ztd }

// Enrollment answers for enrollment.manage.microsoft.com; its Configure sets a
// customer's enrolment restrictions.
func (s *Server) Enrollment() *enroll.Service { return s.enroll }

// MDM answers for r.manage.microsoft.com.
func (s *Server) MDM() *mdm.Service { return s.mdm }

// SideCar answers for manage.microsoft.com and fef.msua01.manage.microsoft.com.
func (s *Server) SideCar() *sidecar.Service { return s.sidecar }

// Compliance evaluates devices.
func (s *Server) Compliance() *compliance.Service { return s.compliance }
