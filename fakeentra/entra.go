package fakeentra

import (
	"crypto/x509"
	"net/http"
	"time"

	"windtunnel.test/fakeentra/aik"
	"windtunnel.test/fakeentra/directory"
	"windtunnel.test/fakeentra/drs"
	"windtunnel.test/fakeentra/health"
	"windtunnel.test/fakeentra/msa"
	"windtunnel.test/fakeentra/provisioning"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/sts"
	"windtunnel.test/fakeentra/tenant"
	wireaik "windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

// Options put a whole Entra ID together.
type Options struct {
	service.Options
	EKRoots    []*x509.Certificate // see aik.Options, with the three that follow
	VendorCAs  []*x509.Certificate
	Vulnerable []aik.Firmware
	AIKLimit   aik.Limit
	Resources  []string // audiences of tokens beside Microsoft's own
	Region     string   // written into device certificates
}

// Entra is all surfaces over one directory.
type Entra struct {
	Directory *tenant.Directory
	AIK       *aik.Service
	MSA       *msa.Service
	DRS       *drs.Service
	STS       *sts.Service
	Graph     *directory.Service
	Health    *health.Service
	// Provisioning takes what a directory sync exports.
	Provisioning *provisioning.Service
}

// New makes the surfaces and introduces them to each other.
func New(o Options) *Entra {
	common := o.WithDefaults()
	e := &Entra{Directory: tenant.New(common)}
	e.AIK = aik.New(aik.Options{Options: common, EKRoots: o.EKRoots, VendorCAs: o.VendorCAs, Vulnerable: o.Vulnerable, Limit: o.AIKLimit})
	e.MSA = msa.New(msa.Options{Options: common, Attestation: e.AIK})
	e.DRS = drs.New(drs.Options{Options: common, Directory: e.Directory, Tickets: e.MSA, Attestation: e.AIK, Tokens: tokens{e}, Region: o.Region})
	e.STS = sts.New(sts.Options{Options: common, Directory: e.Directory, Devices: e.DRS, Resources: o.Resources})
	e.Health = health.New(health.Options{Options: common, Attestation: e.AIK})
	e.Graph = directory.New(directory.Options{Options: common, Directory: e.Directory, Tokens: e.STS})
	e.Provisioning = provisioning.New(provisioning.Options{Options: common, Directory: e.Directory, Tokens: e.STS})
	// Authorities are dated, and tables added, now rather than at the first request.
	e.AIK.Root()
	e.MSA.PublicKey()
	e.DRS.CA()
	e.STS.Keys()
	e.Health.Keys()
	return e
}

// tokens lets registration verify tokens of a token service that is made after
// it: each of the two knows the other.
type tokens struct{ e *Entra }

func (t tokens) VerifyToken(token, audience string, now time.Time) (*oauth.Claims, error) {
	return t.e.STS.VerifyToken(token, audience, now)
}

// Host is how one name is served.
type Host struct {
	Name      string // may be "*.suffix"
	Handler   http.Handler
	Operation func(*http.Request) string
	// ClientCert: the service looks at client certificates, so TLS has to ask.
	ClientCert bool
}

// Hosts are the names that Entra answers under, in a fixed order, without
// graph.microsoft.com, which it shares: Graph takes part in a front door there.
func (e *Entra) Hosts() []Host {
	return []Host{
		{"*" + wireaik.HostSuffix, e.AIK, aik.Operation, false},
		{hosts.MSA, e.MSA, msa.Operation, false},
		{hosts.Registration, e.DRS, drs.Operation, true},
		{hosts.Login, e.STS, sts.Operation, false},
		{hosts.LoginOld, e.STS, sts.Operation, false},
		{hosts.LoginDevice, e.STS, sts.Operation, false},
		{hosts.LoginMicrosoft, e.STS, sts.Operation, false},
		{hosts.LoginIssuer, e.STS, sts.Operation, false},
		{hosts.HealthAttestation, e.Health, health.Operation, false},
		{hosts.GraphOld, e.Graph, directory.Operation, false},
		{hosts.Provisioning, e.Provisioning, provisioning.Operation, false},
	}
}
