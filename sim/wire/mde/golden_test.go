package mde_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name. Where xmllint is installed, it must find the file well-formed.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	g := gomega.NewWithT(t)
	path := filepath.Join("testdata", name)
	if *update {
		g.Expect(os.MkdirAll("testdata", 0o755)).To(gomega.Succeed())
		g.Expect(os.WriteFile(path, append(got, '\n'), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(got) + "\n").To(gomega.Equal(string(want)))
	if tool, err := exec.LookPath("xmllint"); err == nil {
		out, err := exec.Command(tool, "--noout", "--nonet", path).CombinedOutput()
		g.Expect(err).NotTo(gomega.HaveOccurred(), string(out))
	}
}

var (
	request = mde.Header{
		MessageID: "urn:uuid:11111111-2222-4333-8444-555555555555",
		To:        "https://enrollment.manage.microsoft.com/EnrollmentServer/Discovery.svc",
	}
	answer = mde.Header{
		RelatesTo: request.MessageID, ActivityID: "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
		Security: &mde.Security{
			Created: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), Expires: time.Date(2026, 9, 1, 8, 5, 0, 0, time.UTC),
		},
	}
)

func withSecurity(s *mde.Security) mde.Header {
	h := request
	h.Security = s
	return h
}

func discover() *mde.Discover {
	return &mde.Discover{
		EmailAddress: "user@contoso.com", RequestVersion: "7.0", DeviceType: mde.DeviceType, ApplicationVersion: "10.0.26100.1742",
		OSEdition: "4", AuthPolicies: []mde.AuthPolicy{mde.OnPremise, mde.Federated, mde.Certificate},
	}
}

func discoverResult() *mde.DiscoverResult {
	return &mde.DiscoverResult{
		AuthPolicy: mde.Federated, EnrollmentVersion: "5.0", EnrollmentPolicyURL: "https://m/p", EnrollmentURL: "https://m/e?a=1&b=2",
		AuthenticationServiceURL: "https://m/auth",
	}
}

func policy() *mde.Policy {
	return &mde.Policy{
		ID: "{policy}", FriendlyName: "MDM", CommonName: "MDMDevice", ValiditySeconds: 31536000, RenewalSeconds: 3628800,
		MinimalKeyLength: 2048, HashOID: mde.SHA256OID, AttestationFailure: mde.RetryOnError, OperationTimeout: 100,
	}
}

func technician() mde.Context {
	return mde.Context{
		OSEdition: "4", OSVersion: "10.0.26100.1742", DeviceName: "DESKTOP-<1>", EnrollmentType: mde.EnrolDevice,
		DeviceType: mde.DeviceType, ApplicationVersion: "10.0.26100.1742", DeviceID: "0123456789ABCDEF", MAC: []string{"00-15-5D-00-00-01", "00-15-5D-00-00-02"},
		IMEI: []string{"350"}, Locale: "en-US", HWDevID: "00ff", ZeroTouchProvisioning: "5d1e8e5e-0000-4000-8000-000000000001", WhiteGlove: true,
		AIKAttestationClaim: []byte("claim"), AIKPub: []byte("pub"), AIKCert: []byte("cert"), AadAIKAttestationClaim: []byte("aad"), AADPub: []byte("aadpub"),
		AttestationStatus: "Status=Succeeded;AttestationErrorMsg=", AttestationStatusHResult: "0x0", RequestVersion: "7.0",
		Extra: []mde.ContextItem{{Name: "AzVMIAMExtensionJoin", Value: "false"}},
	}
}

func provisioning() *mde.Provisioning {
	return &mde.Provisioning{
		Roots: [][]byte{[]byte("root")}, CAs: [][]byte{[]byte("issuing")},
		Client: mde.ClientCertificate{Store: mde.StoreSystem, DER: []byte("client"), ROBOSupport: true, RenewPeriod: 42, RetryInterval: 4},
		App: mde.Application{
			ProviderID: "MS DM Server", Name: "Microsoft", Addr: "https://r.manage.microsoft.com/devicegatewayproxy/cimhandler.ashx",
			ConnRetryFreq: 6, InitialBackoff: 30000, MaxBackoff: 120000, BackCompatRetryDisabled: true,
			DefaultEncoding: "application/vnd.syncml.dm+xml", CertSearch: mde.CertSearch("CN=pc 1", mde.StoreSystem),
			Client: mde.Auth{Type: "DIGEST", Secret: "dummy", Data: "nonce"}, Server: mde.Auth{Type: "BASIC", Name: "dummy", Secret: "dummy"},
		},
		DM: mde.DMClient{
			EntDeviceName: "pc-1", EntDMID: "8f1e",
			Poll: mde.Poll{FirstRetries: 5, FirstInterval: 3, SecondRetries: 8, SecondInterval: 15, RemainingInterval: 480, OnLogin: true},
		},
	}
}

func encoded(t *testing.T) func([]byte, error) []byte {
	return func(data []byte, err error) []byte {
		t.Helper()
		gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
		return data
	}
}

func TestGolden(t *testing.T) {
	must := encoded(t)
	jwt, wresult, user := mde.EntraSecurity("eyJ0.e30.c2ln"), mde.FederatedSecurity([]byte("token")), mde.OnPremiseSecurity("CONTOSO\\u", "p<w>")
	fault, ok := mde.NewFault(hresult.EnrollDeviceNotSupported, "one-time limit check")
	gomega.NewWithT(t).Expect(ok).To(gomega.BeTrue())
	fault.Message, fault.TraceID = "delete the device first", "trace-1"
	issue := &mde.Enrol{Request: []byte("pkcs10"), Context: technician()}
	for name, data := range map[string][]byte{
		"discover.xml":             must(mde.EncodeDiscover(request, discover())),
		"discover-response.xml":    must(mde.EncodeDiscoverResult(answer, discoverResult())),
		"policies.xml":             must(mde.EncodeGetPolicies(withSecurity(jwt), &mde.GetPolicies{})),
		"policies-response.xml":    must(mde.EncodePolicy(answer, policy())),
		"enrol-technician.xml":     must(mde.EncodeEnrol(withSecurity(jwt), issue)),
		"enrol-federated.xml":      must(mde.EncodeEnrol(withSecurity(wresult), &mde.Enrol{Request: []byte("pkcs10")})),
		"enrol-onpremise.xml":      must(mde.EncodeEnrol(withSecurity(user), &mde.Enrol{Request: []byte("pkcs10")})),
		"renew.xml":                must(mde.EncodeEnrol(request, &mde.Enrol{Renew: true, Request: []byte("pkcs7")})),
		"enrol-response.xml":       must(mde.EncodeEnrolResult(answer, &mde.EnrolResult{Provisioning: []byte("<wap-provisioningdoc/>")})),
		"fault.xml":                must(mde.EncodeFault(answer, fault)),
		"fault-plain.xml":          must(mde.EncodeFault(answer, &mde.Fault{Subcode: mde.MessageFormat, Reason: "unreadable"})),
		"provisioning-intune.xml":  must(provisioning().Encode(mde.LayoutIntune)),
		"provisioning-mde2.xml":    must(provisioning().Encode(mde.LayoutSpec)),
		"provisioning-minimum.xml": must((&mde.Provisioning{Client: mde.ClientCertificate{Store: mde.StoreUser, DER: []byte("c")}}).Encode(mde.LayoutIntune)),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, data) })
	}
}
