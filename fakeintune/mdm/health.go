package mdm

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/syncml"
	"windtunnel.test/sim/wire/tpmattest"
)

// HealthReports is the attestation service as Intune relies on it: it verifies
// a report's signature, issuer and dates.
type HealthReports interface {
	VerifyReport(ctx context.Context, report string, now time.Time) (*maa.Report, error)
}

// healthAsked is what was last asked about a device's health.
type healthAsked struct {
	At    time.Time // zero: nothing yet
	Nonce string    // hex; "" once it is answered
}

// relyingParty names Intune to the attestation service (our model).
const relyingParty = "https://" + hosts.OMADM

// health has the device attest how it started, where a compliance policy wants
// to know: one session starts the attestation, a later one fetches the report.
// A tenant without such a policy has nothing of it.
func (c *conversation) health() {
	if c.s.Health == nil {
		return
	}
	asked, now := &c.row.Health, c.s.Tenants.Now()
	due := asked.At.IsZero() || now.Sub(asked.At) >= c.s.Tenants.Timing.Compliance.HealthInterval
	if asked.Nonce == "" && !due || !c.wantsHealth() {
		return
	}
	if asked.Nonce != "" && !due {
		c.ask(kindAttested, item{uri: csp.HealthStatus}, syncml.NewGet(csp.HealthStatus))
		c.ask(kindReport, item{uri: csp.HealthReport}, syncml.NewGet(csp.HealthReport))
		return
	}
	nonce := c.s.Tenants.Seed.Key("health nonce", c.client.Device.ID, strconv.FormatInt(now.UnixNano(), 10))
	trigger, err := csp.TriggerAttestation{
		RelyingParty: relyingParty, Endpoint: "https://" + hosts.HealthAttestation + maa.Path + "?api-version=" + maa.APIVersion,
		Nonce: hex.EncodeToString(nonce[:]), Correlation: hex.EncodeToString(nonce[:8]) + ".0",
	}.Encode()
	if err != nil {
		return // texts always encode
	}
	*asked = healthAsked{At: now, Nonce: hex.EncodeToString(nonce[:])}
	c.ask(kindTrigger, item{uri: csp.HealthTrigger}, syncml.NewExec(csp.HealthTrigger, syncml.Chr, trigger))
}

// wantsHealth tells whether a policy that reaches the device asks for it.
func (c *conversation) wantsHealth() bool {
	t, m, some := c.client.Tenant, c.client.Device, false
	for p := range t.CompliancePolicies().All() {
		some = some || p.AsksHealth()
	}
	if !some {
		return false
	}
	for _, p := range t.Targets(t.Audience(c.ctx, m.AzureADDeviceID, m.UserID)).Policies {
		if p.Policy.AsksHealth() {
			return true
		}
	}
	return false
}

// healthAnswer takes what the device says to one of the commands above, and
// gives what changes by it; nil: nothing.
func (c *conversation) healthAnswer(k kind, a syncml.Answer) func(*tenant.ManagedDevice) {
	asked := &c.row.Health
	switch value, ok := result(a); k {
	case kindTrigger:
		if a.Status.Success() {
			return nil
		}
		asked.Nonce = ""
		return c.unattested("not started: " + strconv.Itoa(int(a.Status)))
	case kindAttested:
		n, err := strconv.ParseInt(value, 10, 64)
		if !ok || err != nil {
			return nil // under way
		}
		if c.attested = n == 0; c.attested {
			return nil
		}
		asked.Nonce = ""
		return c.unattested(hresult.Code(uint32(n)).Hex())
	case kindReport:
		if !ok || asked.Nonce == "" || !c.attested {
			return nil // what stands there is of an older question
		}
		return c.takeReport(value)
	}
	return nil
}

// takeReport believes a report that the service signed for this question and
// for the holder of this device's MDM key. A report to an older question is
// what the device still has: the answer is under way.
func (c *conversation) takeReport(text string) func(*tenant.ManagedDevice) {
	asked := &c.row.Health
	report, err := c.s.Health.VerifyReport(c.ctx, text, c.s.Tenants.Now())
	switch {
	case err != nil:
		asked.Nonce = ""
		c.refuseReport("health report", err.Error())
		return c.unattested("report refused")
	case !strings.EqualFold(hex.EncodeToString(report.Nonce), asked.Nonce):
		return nil
	case report.Confirmation.Key == nil || !tpmattest.SameKey(c.client.Cert.PublicKey, report.Confirmation.Key.Key):
		asked.Nonce = ""
		c.refuseReport("health report key", "it is another device's")
		return c.unattested("report refused")
	}
	asked.Nonce = ""
	return c.setHealth(stateOf(report))
}

func (c *conversation) refuseReport(check, why string) {
	c.s.Tenants.Refused(c.ctx, "mdm", "mdm.session", check, why)
}

// unattested is the state of a device of whose start nobody knows.
func (c *conversation) unattested(why string) func(*tenant.ManagedDevice) {
	s := graph.DeviceHealthAttestationState{Status: why}
	if before := c.client.Device.DeviceHealthAttestationState; before != nil {
		s.AttestationKey = before.AttestationKey // what enrolment proved stays
	}
	return c.setHealth(s)
}

// setHealth keeps a state. The session has brought something new where it says
// something else than the one before.
func (c *conversation) setHealth(s graph.DeviceHealthAttestationState) func(*tenant.ManagedDevice) {
	before := c.client.Device.DeviceHealthAttestationState
	same := before != nil
	if same {
		old := *before
		old.LastUpdateDateTime, old.IssuedDateTime = s.LastUpdateDateTime, s.IssuedDateTime
		old.ResetCount, old.RestartCount = s.ResetCount, s.RestartCount
		same = old == s
	}
	c.row.Session.Changed = c.row.Session.Changed || !same
	s.LastUpdateDateTime = graph.At(c.s.Tenants.Now())
	c.s.Tenants.Record(c.ctx, "mdm.health", journal.F("id", c.client.Device.ID), journal.F("status", s.Status),
		journal.F("secureBoot", s.SecureBoot), journal.F("bitLocker", s.BitLocker), journal.F("codeIntegrity", s.CodeIntegrity))
	return func(m *tenant.ManagedDevice) { m.DeviceHealthAttestationState = &s }
}

// stateOf puts a report into Graph's words.
func stateOf(r *maa.Report) graph.DeviceHealthAttestationState {
	text := func(on bool) string {
		if on {
			return graph.HealthEnabled
		}
		return graph.HealthDisabled
	}
	return graph.DeviceHealthAttestationState{
		Status: graph.HealthAttested, IssuedDateTime: graph.At(time.Unix(r.IssuedAt, 0)), ContentVersion: r.MSVersion, AttestationKey: enroll.AIKPresent,
		ResetCount: int64(r.ResetCount), RestartCount: int64(r.RestartCount),
		BitLocker: text(r.BitLocker), SecureBoot: text(r.SecureBoot), CodeIntegrity: text(r.CodeIntegrity),
		BootDebugging: text(!r.BootDebuggingDisabled), KernelDebugging: text(!r.OSDebuggingDisabled), TestSigning: text(!r.TestSigningDisabled),
		SafeMode: text(!r.NotSafeMode), WindowsPE: text(!r.NotWinPE), EarlyLaunch: text(r.ELAM), VirtualSecureMode: text(r.VBS),
		DataExecutionPolicy: strconv.FormatUint(r.DEPPolicy, 10), TPMVersion: strconv.Itoa(r.TPMVersion) + ".0",
		PCRHashAlgorithm: strconv.Itoa(int(r.PCRHash)), PCR0: hex.EncodeToString(r.PCR0),
	}
}
