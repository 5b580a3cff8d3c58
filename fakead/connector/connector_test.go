package connector_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/connector"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	wire "windtunnel.test/sim/wire/connector"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/odj"
)

// The connector makes the account with its own rights, and what it uploads is
// what the directory has.
func TestConnectorJoins(t *testing.T) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		t.Run(home.String(), func(t *testing.T) { joins(newWorldAt(t, home, fakead.Options{})) })
	}
}

func joins(w *world) {
	w.account(unit)
	c := w.connector("server1", nil)
	w.request("d1", profile(nil))
	w.during(5*time.Minute, c)
	d := w.state("d1")
	w.Expect(d.State).To(gomega.Equal(tenant.JoinReady), "%v", w.events.Timeline("server1"))
	w.Expect(d.ComputerName).To(gomega.MatchRegexp(`^AP-[A-Z0-9]{12}$`))
	join, err := odj.Decode(d.Blob)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	found, ok := w.forest.Primary().AccountBySAM(d.ComputerName + "$")
	w.Expect(ok).To(gomega.BeTrue())
	w.Expect(found.DN).To(gomega.Equal("CN=" + d.ComputerName + "," + unit))
	w.Expect(join.AccountSID).To(gomega.Equal(found.SID.String()))
	w.Expect(join.DNSDomain).To(gomega.Equal(odj.DomainInfo{Name: "CORP", DNS: domain, Forest: domain, GUID: w.forest.GUID().String(), SID: w.forest.SID().String()}))
	w.Expect(join.Controller.Name).To(gomega.Equal(`\\dc1.` + domain))
	w.Expect(join.MachinePassword).To(gomega.HaveLen(120))
	w.Expect(c.Status().Joins).To(gomega.Equal(1))
	for _, id := range []int{connector.EventStarted, connector.EventPolled, connector.EventJoined, connector.EventUploaded} {
		w.Expect(w.told("server1", id)).To(gomega.HaveLen(1), "%d", id)
	}
	for _, e := range w.events.Timeline("server1") {
		w.Expect(e.String()).NotTo(gomega.ContainSubstring(join.MachinePassword))
	}
}

// Several connectors of a domain share the requests, and none is done twice.
func TestConnectorsShare(t *testing.T) {
	w := newWorld(t, fakead.Options{})
	w.account(unit)
	one, two := w.connector("server1", nil), w.connector("server2", nil)
	w.clock.AfterFunc(t.Context(), time.Minute, "test", func(context.Context) {
		for i := range 25 {
			w.request(string(rune('a'+i)), profile(nil))
		}
	})
	w.during(8*time.Minute, one, two)
	w.Expect(one.Status().Joins + two.Status().Joins).To(gomega.Equal(25))
	w.Expect(one.Status().Joins).To(gomega.BeNumerically(">", 0))
	w.Expect(two.Status().Joins).To(gomega.BeNumerically(">", 0))
}

// What fails at the connector, and how it tells.
func TestConnectorFailures(t *testing.T) {
	type tell = func(o *connector.Options)
	for _, tc := range []struct {
		name    string
		rights  []string
		options tell
		profile func(p *graph.DeviceConfiguration)
		code    string
		text    string
		tries   int
	}{
		{"no right in the unit", nil, nil, nil, "5", "insufficientAccessRights", 3},
		{"unit not configured", []string{unit}, func(o *connector.Options) { o.OUs = nil }, nil, "5", "OrganizationalUnitsUsedForOfflineDomainJoin", 1},
		{"a container", []string{unit}, nil, unitOf("CN=Computers,DC=corp,DC=contoso,DC=com"), "87", "not an organizational unit", 1},
		{"no domain in the DN", []string{unit}, nil, unitOf("OU=Autopilot"), "87", "not in the domain", 1},
		{"quotes", []string{unit}, nil, unitOf(`"` + unit + `"`), "87", "organizational unit", 1},
		{"unit that is not there", []string{unit}, func(o *connector.Options) { o.OUs = []string{"OU=Gone," + unit} }, unitOf("OU=Gone," + unit), "", "noSuchObject", 3},
		{"wrong password later", []string{unit}, nil, nil, "1326", "", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fakead.Options{})
			w.account(tc.rights...)
			c := w.connector("server1", tc.options)
			if tc.name == "wrong password later" {
				w.clock.AfterFunc(t.Context(), time.Second, "test", func(context.Context) { w.setPassword(account, "An0ther one") })
			}
			w.clock.AfterFunc(t.Context(), 2*time.Second, "test", func(context.Context) { w.request("d1", profile(tc.profile)) })
			w.during(15*time.Minute, c)
			d := w.state("d1")
			w.Expect(d.State).To(gomega.Equal(tenant.JoinFailed), "%v", w.events.Timeline("server1"))
			failed := w.told("server1", connector.EventJoinFailed)
			w.Expect(failed).To(gomega.HaveLen(tc.tries))
			w.Expect(failed[0].Text("diagnosticCode")).To(gomega.Equal("0x00000800"))
			w.Expect(failed[0].Text("text")).To(gomega.ContainSubstring(tc.text))
			if tc.code != "" {
				w.Expect(failed[0].Text("errorCode")).To(gomega.Equal(tc.code))
			}
			w.Expect(failed[0].Text("message")).To(gomega.ContainSubstring("RequestOfflineDomainJoinBlob_Failure"))
		})
	}
}

func unitOf(dn string) func(p *graph.DeviceConfiguration) {
	return func(p *graph.DeviceConfiguration) { p.OrganizationalUnit = dn }
}

// Without a unit in the profile the account goes to the Computers container,
// ten of them by the quota that every account has.
func TestMachineAccountQuota(t *testing.T) {
	w := newWorld(t, fakead.Options{})
	w.account()
	c := w.connector("server1", nil)
	for i := range 11 {
		w.request(string(rune('a'+i)), profile(unitOf("")))
	}
	w.during(15*time.Minute, c)
	w.Expect(c.Status().Joins).To(gomega.Equal(10))
	failed := w.told("server1", connector.EventJoinFailed)
	w.Expect(failed).NotTo(gomega.BeEmpty())
	w.Expect(failed[0].Text("errorCode")).To(gomega.Equal("8557"), "%v", failed[0])
}

// A name that is taken is replaced by another one, where the profile leaves
// room for that.
func TestNameClash(t *testing.T) {
	w := newWorld(t, fakead.Options{})
	w.account(unit)
	whole := func(p *graph.DeviceConfiguration) { p.ComputerNameStaticPrefix = "ABCDEFGHIJKLMNO" }
	short := func(p *graph.DeviceConfiguration) {
		p.ComputerNameStaticPrefix, p.ComputerNameSuffixRandomCharCount = "AP-", 3
	}
	w.request("d1", profile(whole))
	w.request("d2", profile(whole))
	w.request("d3", profile(short))
	c := w.connector("server1", nil)
	w.during(15*time.Minute, c)
	states := []tenant.DomainJoinState{w.state("d1").State, w.state("d2").State}
	w.Expect(states).To(gomega.ConsistOf(tenant.JoinReady, tenant.JoinFailed))
	failed := w.told("server1", connector.EventJoinFailed)
	w.Expect(failed).To(gomega.HaveLen(3))
	w.Expect(w.state("d3").ComputerName).To(gomega.MatchRegexp(regexp.MustCompile(`^AP-[A-Z0-9]{3}$`).String()))
}

// A connector that is stopped in the middle leaves its request to another.
func TestConnectorDies(t *testing.T) {
	w := newWorld(t, fakead.Options{})
	w.account(unit)
	one := w.connector("server1", nil)
	_, err := w.tenant.AddConnector(t.Context(), tenant.Connector{Name: "dead", Domain: domain})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.request("d1", profile(nil))
	taken, err := w.tenant.TakeDomainJoins(t.Context(), w.tenant.Connectors()[0], 10)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(taken).To(gomega.HaveLen(1))
	w.during(2*time.Minute, one)
	w.Expect(one.Status().Joins).To(gomega.BeZero())
	w.during(8*time.Minute, one)
	w.Expect(w.state("d1").State).To(gomega.Equal(tenant.JoinReady))
}

// A poll waits with Intune for work, and a request is served at once.
func TestPollsForLong(t *testing.T) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		t.Run(home.String(), func(t *testing.T) {
			w := newWorldAt(t, home, fakead.Options{})
			w.account(unit)
			c := w.connector("server1", nil)
			var ready tenant.DomainJoinState
			const late = 95 * time.Minute
			w.clock.AfterFunc(t.Context(), late, "test", func(context.Context) { w.request("d1", profile(nil)) })
			w.clock.AfterFunc(t.Context(), late+time.Second, "test", func(context.Context) { ready = w.state("d1").State })
			w.during(2*time.Hour, c)
			w.Expect(ready).To(gomega.Equal(tenant.JoinReady))
			polls := w.events.Find(func(e journal.Event) bool {
				return e.Kind == "http.request" && e.Text("operation") == wire.PathPoll
			})
			w.Expect(polls).To(gomega.HaveLen(12), "nine held to their end, one with the request, two held to theirs; the last is broken off")
			w.Expect(w.told("server1", connector.EventPollFailed)).To(gomega.BeEmpty())
		})
	}
}

// A service that stops leaves the poll that Intune holds, in all homes.
func TestStopDuringAPoll(t *testing.T) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		t.Run(home.String(), func(t *testing.T) {
			w := newWorldAt(t, home, fakead.Options{})
			w.account(unit)
			c := w.connector("server1", nil)
			w.clock.AfterFunc(t.Context(), time.Minute, "test", func(context.Context) { c.Stop() })
			w.clock.AfterFunc(t.Context(), 2*time.Minute, "test", func(context.Context) {
				w.Expect(c.Status().Running).To(gomega.BeFalse())
				w.request("d1", profile(nil))
			})
			w.during(5*time.Minute, c)
			w.Expect(w.state("d1").State).To(gomega.Equal(tenant.JoinWaiting))
		})
	}
}

func TestStopAndStart(t *testing.T) {
	w := newWorld(t, fakead.Options{})
	w.account(unit)
	c := w.connector("server1", nil)
	c.Stop()
	w.request("d1", profile(nil))
	w.during(5*time.Minute, c)
	w.Expect(w.state("d1").State).To(gomega.Equal(tenant.JoinWaiting))
	w.Expect(c.Status().Running).To(gomega.BeFalse())
	c.Start()
	w.during(5*time.Minute, c)
	w.Expect(w.state("d1").State).To(gomega.Equal(tenant.JoinReady))
}

// Behind a proxy the service's memory grows until it is restarted.
func TestMemoryBehindAProxy(t *testing.T) {
	w := newWorld(t, fakead.Options{})
	w.account(unit)
	c := w.connector("server1", nil)
	w.during(time.Hour, c)
	w.Expect(c.Status().Memory).To(gomega.Equal(hybrid().ConnectorMemory))
	w.nic.Site().SetProxy(&vnet.ProxyConfig{})
	w.during(5*24*time.Hour, c)
	w.Expect(c.Status().Memory).To(gomega.BeNumerically(">=", hybrid().ConnectorThrash))
	c.Restart(nil)
	w.during(time.Minute, c)
	w.Expect(c.Status().Memory).To(gomega.BeNumerically("<", hybrid().ConnectorMemory+hybrid().ConnectorLeak))
}

// What keeps a service from coming up, and what mends it.
func TestSetup(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options func(o *connector.Options)
		text    string
		mend    func(o *connector.Options)
	}{
		{"no log on as a service", func(o *connector.Options) { o.NoLogOnAsService = true }, "ODJConnectorSvc", func(o *connector.Options) { o.NoLogOnAsService = false }},
		{"privilege not there yet", func(o *connector.Options) { o.PrivilegesPending = true }, "SeLogonAsServicePrivilegeMissing", func(o *connector.Options) { o.SkipPrivilegeCheck = true }},
		{"old TLS", func(o *connector.Options) { o.NoModernTLS = true }, "securely", func(o *connector.Options) { o.NoModernTLS = false }},
		{"old version", func(o *connector.Options) { o.Version = "6.2204.38.3" }, wire.CodeVersion, func(o *connector.Options) { o.Version = wire.Minimum.String() }},
		{"nobody signed in", func(o *connector.Options) { o.Token = nil }, "administrator", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fakead.Options{})
			w.account(unit)
			c := w.connector("server1", tc.options)
			w.request("d1", profile(nil))
			w.during(3*time.Minute, c)
			failed := w.told("server1", connector.EventSetupFailed)
			w.Expect(failed).To(gomega.HaveLen(1))
			w.Expect(failed[0].Text("text")).To(gomega.ContainSubstring(tc.text))
			w.Expect(w.state("d1").State).To(gomega.Equal(tenant.JoinWaiting))
			if tc.mend == nil {
				return
			}
			c.Restart(tc.mend)
			w.during(4*time.Minute, c)
			w.Expect(w.state("d1").State).To(gomega.Equal(tenant.JoinReady), "%v", w.events.Timeline("server1"))
		})
	}
}

// The skip of the privilege check is known to the newest version only.
func TestSkipPrivilegeCheckNeedsTheNewest(t *testing.T) {
	w := newWorld(t, fakead.Options{})
	w.account(unit)
	c := w.connector("server1", func(o *connector.Options) {
		o.Version, o.PrivilegesPending, o.SkipPrivilegeCheck = wire.AwaitsReplication.String(), true, true
	})
	w.during(3*time.Minute, c)
	w.Expect(w.told("server1", connector.EventSetupFailed)).To(gomega.HaveLen(1))
}

// A new account has not reached the controller that the server asks: versions
// that wait for it come up by themselves, older ones have to be set up again.
func TestAccountNotReplicatedYet(t *testing.T) {
	for _, version := range []wire.Version{wire.Minimum, wire.AwaitsReplication} {
		t.Run(version.String(), func(t *testing.T) {
			w := newWorld(t, fakead.Options{Controllers: []fakead.Controller{{Name: "dc1", Site: "A"}, {Name: "dc2", Site: "B"}}, Sites: []fakead.Site{{Name: "A"}, {Name: "B"}}, Replication: 10 * time.Minute})
			w.late(account)
			c := w.connector("server1", func(o *connector.Options) { o.Version, o.Site = version.String(), "B" })
			w.request("d1", profile(nil))
			w.during(20*time.Minute, c)
			w.Expect(w.told("server1", connector.EventSetupFailed)).NotTo(gomega.BeEmpty())
			w.Expect(c.Status().Running).To(gomega.Equal(version == wire.AwaitsReplication))
			if version == wire.Minimum {
				w.Expect(w.told("server1", connector.EventSetupFailed)).To(gomega.HaveLen(1))
				c.Restart(nil)
				w.during(time.Minute, c)
				w.Expect(c.Status().Running).To(gomega.BeTrue())
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	w := newIntune(t, vnet.Direct)
	for _, o := range []connector.Options{{}, {Clock: w.clock, Net: w.nic, Name: "a", Domain: domain, Account: "a", Version: "7"}} {
		_, err := connector.New(o)
		w.Expect(err).To(gomega.HaveOccurred())
	}
}
