package sim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"windtunnel.test/fakeentra"
	entraservice "windtunnel.test/fakeentra/service"
	entra "windtunnel.test/fakeentra/tenant"
	"windtunnel.test/fakeintune"
	intune "windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/graphfront"
	"windtunnel.test/sim/internet"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/oauth"
)

// connectCloud makes the services of a world and puts them on its network.
func (w *World) connectCloud() error {
	settings, err := aikSettings(w.attestation)
	if err != nil {
		return err
	}
	common := entraservice.Options{Clock: w.Clock, Journal: w.Journal, Timing: w.Timing, Seed: w.Seed.Derive("entra"), DB: w.options.State, Since: w.options.Since, Starts: w.options.Starts}
	settings.Options = common
	w.Entra = fakeentra.New(settings)
	w.Content = &internet.Content{}
	w.Intune, err = fakeintune.New(fakeintune.Options{
		Clock: w.Clock, Journal: w.Journal, Timing: w.Timing, Seed: w.Seed.Derive("intune"), DB: w.options.State, Since: w.options.Since, Starts: w.options.Starts, TenantID: w.Tenant.ID, Domain: w.Tenant.Domain,
		Directory: directory{w.Entra.Directory}, Tokens: tokens{w.Entra}, Tickets: tickets{w.Entra},
		AIKs: w.Entra.AIK, Health: healthReports{w.Entra}, Publisher: w.Content, Supported: supported, SignIn: signIn{w.Entra.Directory},
	})
	if err != nil {
		return fmt.Errorf("connect Intune: %w", err)
	}
	for _, h := range w.Entra.Hosts() {
		options := []vnet.ServeOption{vnet.Operation(h.Operation)}
		if h.ClientCert {
			options = append(options, vnet.ClientCert(vnet.RequestClientCert))
		}
		w.Network.Serve(h.Name, h.Handler, options...)
	}
	for _, h := range w.Intune.Hosts() {
		options := []vnet.ServeOption{vnet.Operation(h.Operation)}
		if h.ClientCert {
			options = append(options, vnet.ClientCert(vnet.RequestClientCert))
		}
		w.Network.Serve(h.Name, h.Handler, options...)
	}
	front := graphfront.Front{Intune: w.Intune.Graph(), Directory: w.Entra.Graph, Now: w.Clock.Now, NewID: w.requestIDs(), Refused: w.refusedByFront}
	w.Network.Serve(hosts.Graph, front, vnet.Operation(graphfront.Operation))
	if err := w.connectVendors(); err != nil {
		return fmt.Errorf("connect TPM vendors: %w", err)
	}
	if err := internet.PublishOffice(w.Content, w.Timing); err != nil {
		return fmt.Errorf("connect Office's content network: %w", err)
	}
	return internet.Attach(w.Network, w.Clock, w.Content)
}

// requestIDs names requests to Graph's front.
func (w *World) requestIDs() func() string {
	seed, n := w.Seed.Derive("graph front", strconv.Itoa(w.options.Starts)), new(atomic.Uint64)
	return func() string { return seed.UUID("request", strconv.FormatUint(n.Add(1), 10)) }
}

// refusedByFront journals what Graph's front refuses by itself.
func (w *World) refusedByFront(ctx context.Context, operation, check, code string) {
	w.Journal.Record(vnet.DeviceOf(ctx), journal.Refused, journal.F("service", "graphfront"), journal.F("operation", operation),
		journal.F("check", check), journal.F("code", code))
}

// supported tells whether a Windows gets updates at a moment, as far as its
// release is known.
func supported(version, sku string, at time.Time) bool {
	windows := scenario.Windows{Build: scenario.Build(strings.TrimPrefix(version, "10.0."))}
	for _, e := range []scenario.Edition{scenario.EditionHome, scenario.EditionPro, scenario.EditionEnterprise, scenario.EditionEducation} {
		if mdm.SKU(string(e)) == sku {
			windows.Edition = e
		}
	}
	end, known := windows.EndOfService()
	return !known || at.Before(end)
}

// directory is Entra ID as Intune sees it.
type directory struct{ d *entra.Directory }

func (a directory) EnsureAutopilotDevice(_ context.Context, tenantID string, d intune.AutopilotDevice) (string, error) {
	dev, err := a.d.Register(entra.Registration{
		TenantID: tenantID, ZTDID: d.ZtdID, OrderID: d.GroupTag, PurchaseOrder: d.PurchaseOrder, DisplayName: d.DisplayName,
		HardwareID: d.HardwareID, EKHash: d.EKHash,
	})
	return dev.DeviceID, err
}

func (a directory) DeleteAutopilotDevice(_ context.Context, tenantID, deviceID string) error {
	dev, err := a.d.Device(tenantID, deviceID)
	if errors.Is(err, entra.ErrNoDevice) {
		return nil // somebody deleted the object first
	}
	if err != nil {
		return err
	}
	return a.d.Unregister(tenantID, dev.ZTDID())
}

func (a directory) Device(_ context.Context, tenantID, deviceID string) (intune.DirectoryDevice, bool) {
	dev, err := a.d.Device(tenantID, deviceID)
	if err != nil {
		return intune.DirectoryDevice{}, false
	}
	groups, due := a.d.DeviceGroups(dev)
	return intune.DirectoryDevice{
		ID: dev.DeviceID, ObjectID: dev.ObjectID, TrustType: dev.TrustType, Enabled: dev.Enabled, KeyHash: dev.KeyHash,
		Groups: groups, GroupsDue: due,
	}, true
}

func (a directory) User(_ context.Context, tenantID, name string) (intune.DirectoryUser, bool) {
	u, err := a.d.User(tenantID, name)
	if err != nil {
		return intune.DirectoryUser{}, false
	}
	g := u.Resource
	return intune.DirectoryUser{
		ID: g.ID, UPN: g.UserPrincipalName, DisplayName: g.DisplayName, Licensed: len(g.AssignedLicenses) > 0, Enabled: g.Enabled(),
		Groups: a.d.MemberOf(tenantID, g.ID),
	}, true
}

func (a directory) SetCompliance(_ context.Context, tenantID, deviceID string, managed, compliant bool) error {
	_, err := a.d.SetCompliance(tenantID, deviceID, verdict(managed), verdict(compliant))
	return err
}

func verdict(b bool) entra.Verdict {
	if b {
		return entra.Yes
	}
	return entra.No
}

// tokens verifies access tokens by Entra's keys.
type tokens struct{ e *fakeentra.Entra }

func (a tokens) Verify(_ context.Context, token, audience string, now time.Time) (intune.Claims, error) {
	c, err := oauth.Verify(a.e.STS.Keys(), token, audience, now)
	if err != nil {
		return intune.Claims{}, err
	}
	return intune.Claims{
		TenantID: c.TenantID, ObjectID: c.ObjectID, UPN: c.UPN, DeviceID: c.DeviceID, AppID: c.AppID,
		Scopes: strings.Fields(c.Scopes), Roles: c.Roles, Expires: time.Unix(c.Expires, 0).UTC(),
	}, nil
}

// healthReports verifies reports by the attestation service's keys.
type healthReports struct{ e *fakeentra.Entra }

func (a healthReports) VerifyReport(_ context.Context, report string, now time.Time) (*maa.Report, error) {
	return a.e.Health.Verify(report, now)
}

// tickets verifies device tickets by the Microsoft account service's key.
type tickets struct{ e *fakeentra.Entra }

func (a tickets) VerifyTicket(_ context.Context, ticket string, now time.Time) (intune.TicketInfo, error) {
	c, err := a.e.MSA.VerifyTicket(ticket, msa.ScopeDeployment, now)
	if err != nil {
		return intune.TicketInfo{}, err
	}
	return intune.TicketInfo{PUID: c.PUID, HardwareID: c.HardwareID, TPMValidated: c.TPMValidated, EKHash: c.EKHash}, nil
}
