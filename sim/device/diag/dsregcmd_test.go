package diag_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/pki"
)

// bare is a PC with nothing on its disk.
func bare(t *testing.T) diag.Source {
	s := installation(t)
	for _, key := range []string{device.KeyEnrollments, device.KeyIdentityStore} {
		s.Disk.Registry.DeleteTree(key)
	}
	s.Events = nil
	return s
}

func ofDomain(s diag.Source) {
	r := s.Disk.Registry
	r.SetString(device.KeyDomain, "NetBIOS", "CORP")
	r.SetString(device.KeyDomain, "Domain", "corp.contoso.com")
	r.SetDWORD(device.KeyDomain, "Joined", 1)
}

// inEntra has the device registered, under that id.
func inEntra(t *testing.T, s diag.Source, id string) {
	key := pki.RSAKey(0)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: id}, NotBefore: begin, NotAfter: begin.AddDate(10, 0, 0)}
	der, err := x509.CreateCertificate(nil, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: "entra-device", DER: der, Container: "entra-device"})
	r := s.Disk.Registry
	info := device.KeyJoinInfo + `\00aa11bb22cc33dd44ee55ff00aa11bb22cc33dd`
	r.SetString(info, "DeviceId", id)
	r.SetString(info, "TenantId", "11111111-1111-4111-8111-111111111111")
	r.SetString(device.KeyEnrollments, "Current", "0A")
	r.SetString(device.KeyEnrollments+`\0A`, "EnrollmentServiceURL", "https://enrollment.manage.microsoft.com/EnrollmentServer/Discovery.svc")
}

func withPRT(s diag.Source) {
	r, key := s.Disk.Registry, device.KeyIdentityStore+`\PRT`
	r.SetString(key, "Token", "geheim")
	r.SetString(key, "Updated", "1788280200") // 2026-09-01 16:30 UTC
	r.SetString(key, "Expires", "1789489800")
	r.SetString(key, "UserUPN", "alex@contoso.com")
}

func set(r *device.Registry, key string, values map[string]string) {
	for name, value := range values {
		r.SetString(key, name, value)
	}
}

const (
	entraID = "2f8d7c10-3c5b-4c11-9d7e-0a1b2c3d4e5f"
	guid    = "6f1f3c52-8f0b-4a54-9d0e-000000000001"
)

// What the tool says of a PC in each state that its public page has, but for
// the one of an on-premises registration service.
func TestDSRegCmd(t *testing.T) {
	for name, prepare := range map[string]func(s diag.Source){
		"bench": func(diag.Source) {},
		"entra": func(s diag.Source) {
			inEntra(t, s, entraID)
			withPRT(s)
		},
		"waiting": func(s diag.Source) {
			ofDomain(s)
			set(s.Disk.Registry, join.KeyDiagnostics, map[string]string{
				"AD Connectivity Test": "PASS", "AD Configuration Test": "PASS", "DRS Discovery Test": "PASS", "DRS Connectivity Test": "PASS",
				"Token acquisition Test": "PASS", "Time": "2026-09-01 16:52:00.000 UTC", "Phase": join.PhaseJoin, "ClientErrorCode": "0x801c03f2",
				"ServerErrorCode": "DirectoryError", "ServerMessage": "the device object by the given id (" + guid + ") is not found", "HttpsStatus": "400",
				"RequestId": "0f0e0d0c-0000-4000-8000-000000000001",
			})
		},
		"hybrid": func(s diag.Source) {
			ofDomain(s)
			inEntra(t, s, guid)
			withPRT(s)
		},
		"hybrid-noprt": func(s diag.Source) {
			ofDomain(s)
			inEntra(t, s, guid)
			set(s.Disk.Registry, join.KeyPRTAttempt, map[string]string{
				"Time": "2026-09-01 16:58:10.000 UTC", "Status": "0xc000006d", "User": "alex@contoso.com", "Credential": "Password",
				"CorrelationId": "0f0e0d0c-0000-4000-8000-000000000002", "Endpoint": "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/oauth2/token/",
				"Method": "POST", "HttpError": "0x0", "HttpStatus": "400", "ServerErrorCode": "invalid_grant", "ServerErrorDescription": "AADSTS50126: wrong",
			})
			set(s.Disk.Registry, join.KeyDeviceAuth, map[string]string{"Status": "FAILED. Device is either disabled or deleted"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := bare(t)
			prepare(s)
			golden(t, "dsregcmd-"+name+".txt", diag.DSRegCmd(s))
		})
	}
}

// The tool shows that there is a token, not the token.
func TestDSRegCmdHasNoSecrets(t *testing.T) {
	s := bare(t)
	inEntra(t, s, entraID)
	withPRT(s)
	gomega.NewWithT(t).Expect(diag.DSRegCmd(s)).NotTo(gomega.ContainSubstring("geheim"))
}
