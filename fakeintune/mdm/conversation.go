package mdm

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// conversation is one exchange: a device's message, and the server's commands
// that answer it.
type conversation struct {
	s      *Service
	ctx    context.Context
	client authority.Client
	in     *syncml.Message
	size   int // of in, in bytes
	row    row

	statuses []syncml.Command // for what came, in its order
	now      []syncml.Command // the device's whole package, once it is there
	out      []queued         // what this message has to ask
	next     bool             // the device asked for the next message
	more     bool             // its package goes on
	ended    bool
	late     []func(*tenant.ManagedDevice) // changes that the session's end, or the next message, brings

	attested bool // the device says that its attestation ended well
}

func (c *conversation) ask(k kind, i item, commands ...syncml.Command) {
	for n, cmd := range commands {
		p := pending{Kind: kindNode, Owner: i.owner, URI: i.uri}
		if len(cmd.Items) > 0 {
			p.URI = cmd.Items[0].Target
		}
		if n == len(commands)-1 {
			p = pending{Kind: k, Owner: i.owner, Also: i.also, URI: i.uri, Digest: i.digest}
		}
		c.out = append(c.out, queued{Command: cmd, Pending: p})
	}
}

// begin opens a session with package 1.
func (c *conversation) begin(token string) error {
	first := syncml.Message{Header: c.in.Header, Commands: c.now, Final: true}
	first.Header.MsgID = 1 // after a challenge it is another
	init, err := syncml.ReadInitiation(&first)
	if err != nil {
		return no("package 1", http.StatusBadRequest)
	}
	c.row.Session.Begun = true
	if init.Unenrolment {
		c.row.Session.Unenroll, c.ended = true, true
		return nil
	}
	user, err := c.who(init, token)
	if err != nil {
		return err
	}
	sub := c.subject(user)
	if user != nil {
		c.row.Session.User = user.ID
		if !user.Licensed {
			c.s.Tenants.Record(c.ctx, "mdm.session.server", journal.F("id", c.client.Device.ID), journal.F("user", user.UPN), journal.F("licensed", false))
			c.ended = true // nothing is due to a user without a licence, and nothing is said to be complete
			return nil
		}
	}
	if err := c.alerts(); err != nil || c.ended {
		return err
	}
	if user == nil {
		if alone, err := c.actions(); err != nil || alone {
			return err
		}
	}
	c.health()
	bootstrap := init.BootstrapSync == syncml.BootstrapDevice && user == nil || init.BootstrapSync == syncml.BootstrapUser && user != nil
	switch {
	case !c.complete():
		return c.everything(sub)
	case bootstrap:
		c.row.Session.Stage = probing
		scope := csp.Device
		if user != nil {
			scope = csp.User
		}
		c.ask(kindProbe, item{}, syncml.NewGet(csp.FirstSyncStatus(scope, csp.ServerHasFinishedProvisioning)))
		return c.changes(sub)
	}
	return c.changes(sub)
}

// who says whose session this is. A token that is not good ends it; a token of
// the device itself makes it the device's.
func (c *conversation) who(init syncml.Initiation, token string) (*tenant.DirectoryUser, error) {
	if init.AADUserToken != "" && token != "" && init.AADUserToken != token {
		return nil, no("AADUserToken", http.StatusUnauthorized)
	}
	if token == "" {
		token = init.AADUserToken
	}
	if token == "" {
		return nil, nil
	}
	t := c.client.Tenant
	claims, err := c.s.Tenants.Tokens.Verify(c.ctx, token, enroll.Audience, c.s.Tenants.Now())
	switch {
	case err != nil:
		return nil, no("token", http.StatusUnauthorized)
	case !strings.EqualFold(claims.TenantID, t.ID):
		return nil, no("token tenant", http.StatusUnauthorized)
	case claims.UPN == "" && claims.DeviceID == "":
		return nil, no("token subject", http.StatusUnauthorized)
	}
	if !c.same(claims.DeviceID) {
		return nil, no("token device", http.StatusUnauthorized)
	}
	if claims.UPN == "" || init.Login != syncml.LoginUser {
		return nil, nil
	}
	user, ok := c.s.Tenants.Directory.User(c.ctx, t.ID, claims.UPN)
	if !ok || !user.Enabled {
		return nil, no("token user", http.StatusUnauthorized)
	}
	return &user, c.adopt(user, claims)
}

// same tells whether a token's device can be the one whose session this is. It
// may have joined anew as another object, but not as another managed device's.
func (c *conversation) same(deviceID string) bool {
	if deviceID == "" || strings.EqualFold(deviceID, c.client.Device.AzureADDeviceID) {
		return true
	}
	if _, err := c.client.Tenant.DeviceByEntraID(deviceID); err == nil {
		return false
	}
	d, ok := c.s.Tenants.Directory.Device(c.ctx, c.client.Tenant.ID, deviceID)
	return ok && d.Enabled
}

// adopt makes the first user who signs in the device's primary user, and
// follows a device that joined anew.
func (c *conversation) adopt(user tenant.DirectoryUser, claims tenant.Claims) error {
	m := c.client.Device
	if m.UserPrincipalName != "" && (claims.DeviceID == "" || strings.EqualFold(claims.DeviceID, m.AzureADDeviceID)) {
		return nil
	}
	hybrid := m.Hybrid && c.hybridJoined(claims.DeviceID)
	var err error
	c.client.Device, err = c.client.Tenant.UpdateDevice(m.ID, func(m *tenant.ManagedDevice) error {
		if m.UserPrincipalName == "" && user.Licensed {
			m.UserID, m.UserPrincipalName, m.UserDisplayName, m.EmailAddress = user.ID, user.UPN, user.DisplayName, user.UPN
		}
		if claims.DeviceID != "" {
			m.AzureADDeviceID = claims.DeviceID
		}
		if hybrid {
			m.JoinType, m.AzureADRegistered = "hybridAzureADJoined", true
		}
		return nil
	})
	return err
}

// hybridJoined: the device that signs a user in is registered through its
// domain.
func (c *conversation) hybridJoined(deviceID string) bool {
	d, ok := c.s.Tenants.Directory.Device(c.ctx, c.client.Tenant.ID, deviceID)
	return ok && d.TrustType == graph.TrustHybrid
}

func (c *conversation) subject(user *tenant.DirectoryUser) delivery.Subject {
	m := c.client.Device
	return delivery.Subject{Tenant: c.client.Tenant, Device: m, User: user, Technician: m.Kind == tenant.EnrolledWhiteGlove && !c.row.Resealed}
}

// again is the subject of a session that is under way.
func (c *conversation) again() (delivery.Subject, error) {
	if c.row.Session.User == "" {
		return c.subject(nil), nil
	}
	user, ok := c.s.Tenants.Directory.User(c.ctx, c.client.Tenant.ID, c.row.Session.User)
	if !ok {
		return delivery.Subject{}, no("user", http.StatusForbidden)
	}
	return c.subject(&user), nil
}

// keepShown has a device go on showing the status page that it was told to show
// once: a page that is switched off later is off for enrolments to come
// (learn.microsoft.com, "Set up the Enrollment Status Page").
func (c *conversation) keepShown(sub delivery.Subject, due *delivery.Due) {
	switch {
	case sub.User != nil:
	case due.Page.ShowInstallationProgress:
		c.row.Session.Shown = true
	case c.client.Device.PageShown:
		due.Page.ShowInstallationProgress = true
	}
}

// everything sends a scope's contract and all that is due.
func (c *conversation) everything(sub delivery.Subject) error {
	c.row.Session.Stage = sending
	due := sub.Due(c.ctx, true)
	c.keepShown(sub, &due)
	items, err := c.items(sub, due)
	if err != nil {
		return err
	}
	if err := c.domainJoin(sub, due); err != nil {
		return err
	}
	c.ask(kindNode, item{}, c.s.contract(sub, due, items)...)
	if sub.User == nil {
		for _, uri := range inventory {
			c.ask(kindInventory, item{uri: uri}, syncml.NewGet(uri))
		}
	}
	for _, i := range items {
		if (i.enrol || i.pfx) && c.row.has(c.row.Session.User, i.uri, i.digest) {
			continue // it has it, and the page finds it there
		}
		if err := c.bring(i); err != nil {
			return err
		}
	}
	return nil
}

// certificates asks a device that has begun anew for the certificates that it
// was given, and tells whether there were any. Reseal leaves them where they
// are, and who has one does not need another; what a reset took away is due
// again.
func (c *conversation) certificates() (asked bool) {
	for _, n := range c.row.Sent {
		if node := thumbprintNode(n.URI); node != "" && n.User == c.row.Session.User {
			c.ask(kindCertificate, item{uri: n.URI}, syncml.NewGet(node))
			asked = true
		}
	}
	return asked
}

// thumbprintNode is where a device tells which certificate it has of a profile,
// "" for a node of another kind.
func thumbprintNode(uri string) string {
	if s, _, ok := csp.ParseSCEP(uri); ok {
		return s.Node(csp.SCEPThumbprint)
	}
	if p, _, ok := csp.ParsePFX(uri); ok {
		return p.Node(csp.PFXThumbprint)
	}
	return ""
}

// changes sends what is new or different, and asks how jobs are.
func (c *conversation) changes(sub delivery.Subject) error {
	due := sub.Due(c.ctx, true)
	items, err := c.items(sub, due)
	if err != nil {
		return err
	}
	if err := c.domainJoin(sub, due); err != nil {
		return err
	}
	for _, i := range items {
		if !c.row.has(c.row.Session.User, i.uri, i.digest) {
			if err := c.bring(i); err != nil {
				return err
			}
		}
	}
	c.removals(items)
	for _, j := range c.row.MSIs {
		if !j.Status.Settled() && j.User == c.row.Session.User {
			c.ask(kindStatus, item{owner: j.Owner, uri: j.node()}, syncml.NewGet(j.node()))
		}
	}
	return nil
}

// bring sends one item.
func (c *conversation) bring(i item) error {
	commands, err := i.commands(c.ctx)
	if err != nil {
		return err
	}
	k := kindSetting
	switch {
	case i.job != "":
		k = kindJob
		n := install{Owner: i.owner, User: c.row.Session.User, MSI: i.msi, Version: i.version, Status: csp.MSIInitialized}
		if i.exec != "" {
			n.Node = i.uri
		}
		c.row.setMSI(n)
	case i.enrol:
		k = kindEnrol
	}
	c.ask(k, i, commands...)
	return nil
}

// removals has the device delete the settings and certificates that it was
// sent and that are no longer due (learn.microsoft.com, "Assign device
// profiles": settings are removed when the assignment is). Installed apps stay.
func (c *conversation) removals(items []item) {
	user := c.row.Session.User
	for _, n := range c.row.Sent {
		if n.User != user || slices.ContainsFunc(items, func(i item) bool { return i.uri == n.URI }) {
			continue
		}
		if isJob(n.URI) {
			continue
		}
		c.ask(kindRemoval, item{uri: n.URI}, syncml.NewDelete(n.URI))
	}
}

// proceed takes the answers to the server's last message.
func (c *conversation) proceed() error {
	v := &c.row.Session
	if err := c.alerts(); err != nil {
		return err
	}
	fresh, err := c.record()
	if err != nil {
		return err
	}
	v.Fresh = v.Fresh || fresh
	switch {
	case c.ended || len(v.Queue) > 0:
		return nil // the server's package is not whole yet
	case v.Unenroll:
		c.ended = true
	case v.Stage == probing && v.Fresh && c.certificates():
		v.Stage = asking
	case v.Fresh && (v.Stage == probing || v.Stage == asking):
		if v.User == "" {
			c.row.Resealed = true
		}
		c.row.forget(v.User)
		sub, err := c.again()
		if err != nil {
			return err
		}
		return c.everything(sub)
	case v.Stage == sending:
		v.Stage = finishing
		scope := csp.Device
		if v.User != "" {
			scope = csp.User
		}
		c.ask(kindNode, item{}, set(syncml.Replace, csp.Bool(csp.FirstSyncStatus(scope, csp.ServerHasFinishedProvisioning), true))...)
	case v.Stage == finishing:
		v.Complete = true
	}
	return nil
}
