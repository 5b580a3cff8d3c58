package enroll_test

import (
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

const (
	discoveryURL = "https://" + hosts.Enrollment + mde.DiscoveryPath
	policyURL    = "https://" + hosts.Enrollment + mde.PolicyPath
	enrolURL     = "https://" + hosts.Enrollment + mde.EnrolPath
)

var soap = http.Header{"Content-Type": {mde.ContentType}}

func (w *world) discover(address string, m mde.Discover) (*mde.DiscoverResult, error) {
	body, err := mde.EncodeDiscover(mde.Header{MessageID: "urn:uuid:1", To: address}, &m)
	if err != nil {
		w.T.Fatal(err)
	}
	_, d, err := mde.DecodeDiscoverResult(w.Call(w.h, http.MethodPost, address, soap, body, nil).Body.Bytes())
	return d, err
}

func (w *world) policies(address string, s *mde.Security) (*mde.Policy, error) {
	body, err := mde.EncodeGetPolicies(mde.Header{MessageID: "urn:uuid:1", To: address, Security: s}, &mde.GetPolicies{})
	if err != nil {
		w.T.Fatal(err)
	}
	_, p, err := mde.DecodePolicy(w.Call(w.h, http.MethodPost, address, soap, body, nil).Body.Bytes())
	return p, err
}

func (w *world) configure(c enroll.Settings) {
	if err := w.h.Configure(rig.TenantID, c); err != nil {
		w.T.Fatal(err)
	}
}

func TestDiscovery(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	address := strings.ToLower(discoveryURL)
	g.Expect(w.Call(w.h, http.MethodGet, address, nil, nil, nil).Code).To(Equal(200))
	asks := mde.Discover{EmailAddress: ada, DeviceType: mde.DeviceType, AuthPolicies: []mde.AuthPolicy{mde.Federated}}
	for asked, agreed := range map[string]string{"3.0": "3.0", "4.0": "4.0", "5.0": "5.0", "6.0": "6.0", "7.0": "7.0", "9.0": "7.0"} {
		asks.RequestVersion = asked
		d, err := w.discover(address, asks)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(d.EnrollmentVersion).To(Equal(agreed))
		g.Expect(d.EnrollmentURL).To(HaveSuffix(mde.EnrolPath))
		g.Expect(d.AuthenticationServiceURL).To(HaveSuffix(enroll.AuthenticationPath))
	}
	for _, version := range []string{"", "x", "0.5", "-7.0"} {
		asks.RequestVersion = version
		_, err := w.discover(address, asks)
		g.Expect(err).To(MatchError(ContainSubstring("MessageFormat")), version)
	}
	g.Expect(w.Call(w.h, http.MethodPost, "https://x/EnrollmentServer/Other.svc", soap, []byte{}, nil).Code).To(Equal(404))
	g.Expect(w.Call(w.h, http.MethodPut, address, soap, []byte{}, nil).Code).To(Equal(405))
}

func TestAuthPolicies(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	asks := mde.Discover{EmailAddress: ada, RequestVersion: "7.0", DeviceType: mde.DeviceType}
	for _, way := range []mde.AuthPolicy{mde.Federated, mde.OnPremise, mde.Certificate} {
		w.configure(enroll.Settings{AuthPolicy: way})
		asks.AuthPolicies = []mde.AuthPolicy{mde.Federated, mde.Certificate, mde.OnPremise}
		d, err := w.discover(discoveryURL, asks)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(d.AuthPolicy).To(Equal(way))
		g.Expect(d.AuthenticationServiceURL != "").To(Equal(way == mde.Federated))
		asks.AuthPolicies = nil
		_, err = w.discover(discoveryURL, asks)
		g.Expect(err).NotTo(HaveOccurred(), "a client that names none takes what there is")
	}
	asks.AuthPolicies = []mde.AuthPolicy{mde.Federated}
	_, err := w.discover(discoveryURL, asks)
	g.Expect(err).To(MatchError(ContainSubstring(hresult.EnrollNotSupported.Hex())))
	asks.EmailAddress = "device@" + hosts.Enrollment
	d, err := w.discover(discoveryURL, asks)
	g.Expect(err).NotTo(HaveOccurred(), "nobody's address: the technician flow brings a token")
	g.Expect(d.AuthPolicy).To(Equal(mde.Federated))
}

func TestPolicy(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p, err := w.policies(policyURL, mde.EntraSecurity(w.deviceToken()))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.MinimalKeyLength).To(Equal(2048))
	g.Expect(p.AttestationFailure).To(Equal(mde.FailOnError), "the technician flow needs the attestation")
	g.Expect(p.OperationTimeout).To(Equal(120))
	p, err = w.policies(policyURL, mde.EntraSecurity(w.userToken()))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.AttestationFailure).To(Equal(mde.IgnoreOnError))
	w.configure(enroll.Settings{AttestationFailure: mde.RetryOnError})
	for _, token := range []string{w.deviceToken(), w.userToken()} {
		p, err = w.policies(policyURL, mde.EntraSecurity(token))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(p.AttestationFailure).To(Equal(mde.RetryOnError))
	}
	_, err = w.policies(policyURL, nil)
	g.Expect(err).To(MatchError(ContainSubstring(hresult.EnrollAuthentication.Hex())))
}

// Attestation came with 5.0: who agreed on less is not told of it.
func TestPolicyByVersion(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	for version, attests := range map[string]bool{"4.0": false, "5.0": true, "6.0": true, "7.0": true} {
		d, err := w.discover(discoveryURL, mde.Discover{RequestVersion: version, DeviceType: mde.DeviceType})
		g.Expect(err).NotTo(HaveOccurred())
		p, err := w.policies(d.EnrollmentPolicyURL, mde.EntraSecurity(w.deviceToken()))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(p.AttestationFailure != "" && p.OperationTimeout > 0).To(Equal(attests), version)
		g.Expect(p.HashOID).To(Equal(mde.SHA256OID))
	}
}
