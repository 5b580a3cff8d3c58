package mdm

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
)

const userWay = tenant.ViaUser

// delivers tells whether a PKCS certificate profile belongs to this session:
// certificates of the machine's store to the device, others to the user.
func delivers(c graph.DeviceConfiguration, scope csp.Scope, mine bool) bool {
	if scope == csp.Device {
		return c.CertificateStore != "user"
	}
	return mine || c.CertificateStore == "user"
}

// certificate is the certificate of a PKCS profile. Key and certificate are
// made by the service, as the certificate connector does, and travel as a PFX.
func (s *Service) certificate(sub delivery.Subject, c graph.DeviceConfiguration, scope csp.Scope) item {
	pfx := csp.PFX{Scope: scope, ID: c.ID}
	uri, err := csp.Canonical(pfx.Node())
	if err != nil {
		uri = pfx.Node() // ids are escaped: cannot happen
	}
	name := subject(c, sub)
	return item{
		owner: c.ID, uri: uri, pfx: true, digest: digest("pfx", name, strconv.Itoa(c.Version)),
		make: func(context.Context) ([]csp.Node, error) {
			blob, password, err := s.makePFX(sub, c, name)
			if err != nil {
				return nil, fmt.Errorf("fakeintune/mdm: certificate %q: %w", c.DisplayName, err)
			}
			return pfx.Nodes(keyLocation(c), base64.StdEncoding.EncodeToString(blob), password, false), nil
		},
	}
}

// makePFX issues the certificate. Key and password belong to profile and
// subject, so that sending it again brings the same.
func (s *Service) makePFX(sub delivery.Subject, c graph.DeviceConfiguration, name string) (blob []byte, password string, err error) {
	ca, err := s.Authorities.Organization(sub.Tenant)
	if err != nil {
		return nil, "", err
	}
	names := []string{"pfx", sub.Tenant.ID, c.ID, sub.Device.ID, name}
	key := pki.Key(s.Tenants.Seed, names...)
	now := s.Tenants.Now()
	cert, err := ca.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: validity(c, now),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key.Public())
	if err != nil {
		return nil, "", err
	}
	secret := s.Tenants.Seed.Key(append(names, "password")...)
	password = hex.EncodeToString(secret[:16])
	// A random password of 128 bits needs no stretching: one iteration.
	blob, err = pkcs12.Modern.WithIterations(1).WithRand(s.Tenants.Seed.Reader(append(names, "salt")...)).Encode(key, cert, []*x509.Certificate{ca.Cert}, password)
	return blob, password, err
}

// validity is the profile's period; a year where it names none.
func validity(c graph.DeviceConfiguration, now time.Time) time.Time {
	n := 1
	if c.CertificateProfile == nil || c.CertificateValidityPeriodValue <= 0 {
		return now.AddDate(n, 0, 0)
	}
	switch n = c.CertificateValidityPeriodValue; c.CertificateValidityPeriodScale {
	case "days":
		return now.AddDate(0, 0, n)
	case "months":
		return now.AddDate(0, n, 0)
	default:
		return now.AddDate(n, 0, 0)
	}
}

func keyLocation(c graph.DeviceConfiguration) csp.KeyLocation {
	if c.CertificateProfile == nil {
		return csp.KeyInTPMIfPresent
	}
	switch c.KeyStorageProvider {
	case "useTpmKspOtherwiseFail":
		return csp.KeyInTPM
	case "useSoftwareKsp":
		return csp.KeyInSoftware
	case "usePassportForWorkKspOtherwiseFail":
		return csp.KeyInHelloForBusiness
	}
	return csp.KeyInTPMIfPresent
}

// subject fills the profile's name format in. The variables are those of
// learn.microsoft.com, "Use PKCS certificates", subject name format.
func subject(c graph.DeviceConfiguration, sub delivery.Subject) string {
	m := sub.Device
	user, upn := m.UserID, m.UserPrincipalName
	if sub.User != nil {
		user, upn = sub.User.ID, sub.User.UPN
	}
	format := strings.TrimPrefix(c.SubjectNameFormatString, "CN=")
	switch {
	case format == "" && sub.User != nil:
		format = "{{UserPrincipalName}}"
	case format == "":
		format = "{{AAD_Device_ID}}"
	}
	return expand(format, map[string]string{
		"AAD_Device_ID": m.AzureADDeviceID, "DeviceId": m.ID, "Device_Serial": m.SerialNumber, "SerialNumber": m.SerialNumber,
		"DeviceName": m.DeviceName, "UserPrincipalName": upn, "UserName": upn, "UserID": user,
	})
}

// expand replaces {{name}} by the variable's value. Names that are not variables
// stay.
func expand(format string, variables map[string]string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(format, "{{")
		name, after, closed := strings.Cut(rest, "}}")
		if !open || !closed {
			b.WriteString(format)
			return b.String()
		}
		b.WriteString(before)
		if value, ok := variables[name]; ok {
			b.WriteString(value)
			format = after
		} else {
			b.WriteByte('{')
			format = format[len(before)+1:]
		}
	}
}
