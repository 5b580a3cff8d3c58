package mdm_test

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/syncml"
)

// reports is an attestation service: it knows reports by their text.
type reports map[string]*maa.Report

func (r reports) VerifyReport(_ context.Context, report string, _ time.Time) (*maa.Report, error) {
	if v, ok := r[report]; ok {
		return v, nil
	}
	return nil, errors.New("nobody signed that")
}

// healthWorld is a tenant whose devices have to show BitLocker, and one device.
func healthWorld(t *testing.T) (*world, *pc, reports) {
	w, good := newWorld(t), reports{}
	w.h.Health = good
	w.load(tenant.Resources{CompliancePolicies: []graph.CompliancePolicy{{ODataType: graph.TypeCompliancePolicy, DisplayName: "Encrypted",
		BitLockerEnabled: true, Assignments: []graph.Assignment{{Target: graph.AllDevices()}}}}})
	return w, w.enroll(tenant.EnrolledWhiteGlove, "one"), good
}

// own is a session of the device itself.
func (p *pc) own() {
	p.w.T.Helper()
	NewWithT(p.w.T).Expect(p.sync(syncml.Initiation{Login: syncml.LoginStatus("none")}, "")).To(Equal(200))
}

func (p *pc) did(verb, uri string) bool {
	canonical, err := csp.Canonical(uri)
	if err != nil {
		p.w.T.Fatal(err)
	}
	return slices.Contains(p.order, verb+" "+canonical)
}

// nonce is the one that the device was told last.
func (p *pc) nonce() []byte {
	p.w.T.Helper()
	trigger, err := csp.ParseTriggerAttestation(p.nodes[csp.HealthTrigger])
	if err != nil {
		p.w.T.Fatal(err)
	}
	b, err := hex.DecodeString(trigger.Nonce)
	if err != nil {
		p.w.T.Fatal(err)
	}
	return b
}

func (p *pc) report(nonce []byte, name string) *maa.Report {
	return &maa.Report{Nonce: nonce, BitLocker: true, SecureBoot: true, TPMVersion: 2, Confirmation: maa.Confirmation{Key: &maa.Key{Key: pki.Key(1, name).Public()}}}
}

func TestHealthIsAttested(t *testing.T) {
	g := NewWithT(t)
	w, p, good := healthWorld(t)
	p.own()
	g.Expect(p.did("Exec", csp.HealthTrigger)).To(BeTrue())
	trigger, err := csp.ParseTriggerAttestation(p.nodes[csp.HealthTrigger])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(trigger.Endpoint).To(Equal("https://intunemaape1.eus.attest.azure.net/attest/Tpm?api-version=2020-10-01"))
	g.Expect(p.device().DeviceHealthAttestationState).To(BeNil())

	p.own() // under way: neither status nor report
	g.Expect(p.did("Get", csp.HealthStatus)).To(BeTrue())
	g.Expect(p.did("Get", csp.HealthReport)).To(BeTrue())
	g.Expect(p.did("Exec", csp.HealthTrigger)).To(BeFalse())
	g.Expect(p.device().DeviceHealthAttestationState).To(BeNil())

	p.nodes[csp.HealthStatus], p.nodes[csp.HealthReport] = "0", "jwt"
	good["jwt"] = p.report(p.nonce(), "one")
	p.own()
	h := p.device().DeviceHealthAttestationState
	g.Expect(h.Attested()).To(BeTrue())
	g.Expect([]string{h.BitLocker, h.SecureBoot, h.CodeIntegrity, h.TPMVersion}).To(Equal([]string{"enabled", "enabled", "disabled", "2.0"}))
	g.Expect(w.ended[len(w.ended)-1].Changed).To(BeTrue())

	p.own() // answered, and asked not long ago
	g.Expect(p.order).NotTo(ContainElement(ContainSubstring("HealthAttestation")))
	w.Pass(time.Hour)
	first := p.nonce()
	p.own()
	g.Expect(p.did("Exec", csp.HealthTrigger)).To(BeTrue())
	g.Expect(p.nonce()).NotTo(Equal(first))
	p.own() // the old report still stands there: it is no answer
	g.Expect(p.device().DeviceHealthAttestationState.Attested()).To(BeTrue())
	g.Expect(w.ended[len(w.ended)-1].Changed).To(BeFalse())
	g.Expect(w.Refusals()).To(BeEmpty())
}

func TestHealthReportsThatAreNotBelieved(t *testing.T) {
	for _, tc := range []struct {
		name, status, refusal string
		answer                func(p *pc, good reports)
	}{
		{"nobody signed it", "report refused", "health report", func(p *pc, _ reports) { p.nodes[csp.HealthReport] = "forged" }},
		{"it is about another device's key", "report refused", "health report key", func(p *pc, good reports) {
			p.nodes[csp.HealthReport], good["jwt"] = "jwt", p.report(p.nonce(), "two")
		}},
		{"there is none: the device could not", "0x80070490", "", func(p *pc, _ reports) { p.nodes[csp.HealthStatus] = "-2147023728" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			w, p, good := healthWorld(t)
			p.own()
			p.nodes[csp.HealthStatus] = "0"
			tc.answer(p, good)
			p.own()
			h := p.device().DeviceHealthAttestationState
			g.Expect(h.Attested()).To(BeFalse())
			g.Expect(h.Status).To(Equal(tc.status))
			if tc.refusal == "" {
				g.Expect(w.Refusals()).To(BeEmpty())
			} else {
				g.Expect(w.Refusals()).To(HaveLen(1))
				g.Expect(strings.HasPrefix(w.Refusals()[0], tc.refusal+" ")).To(BeTrue(), w.Refusals()[0])
			}
		})
	}
}

// A PC that lay on a shelf for a week still has its last report, which nobody takes any more. While the attestation is
// under way, which the missing status says, that is no answer.
func TestHealthReportOfBeforeIsNoAnswer(t *testing.T) {
	g := NewWithT(t)
	w, p, good := healthWorld(t)
	p.own()
	p.nodes[csp.HealthStatus], p.nodes[csp.HealthReport] = "0", "jwt"
	good["jwt"] = p.report(p.nonce(), "one")
	p.own()
	w.Pass(7 * 24 * time.Hour)
	p.own()
	g.Expect(p.did("Exec", csp.HealthTrigger)).To(BeTrue())
	delete(p.nodes, csp.HealthStatus)
	delete(good, "jwt") // expired
	p.own()
	g.Expect(w.Refusals()).To(BeEmpty())
	g.Expect(p.device().DeviceHealthAttestationState.Attested()).To(BeTrue())

	p.nodes[csp.HealthStatus], p.nodes[csp.HealthReport] = "0", "new"
	good["new"] = p.report(p.nonce(), "one")
	good["new"].BitLocker = false
	p.own()
	g.Expect(p.device().DeviceHealthAttestationState.BitLocker).To(Equal(graph.HealthDisabled))
}

// A tenant whose policies do not ask has not one command more.
func TestHealthIsNotAskedWithoutPolicy(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	w.h.Health = reports{}
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	for range 3 {
		p.own()
		g.Expect(p.order).NotTo(ContainElement(ContainSubstring("HealthAttestation")))
		w.Pass(time.Hour)
	}
}
