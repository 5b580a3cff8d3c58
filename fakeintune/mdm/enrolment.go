package mdm

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	wire "windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/syncml"
)

const clientAuthentication = "1.3.6.1.5.5.7.3.2"

// enrolment has the device ask a SCEP server for a certificate. The challenge is
// made when it is sent: it is good once, and not for long.
func (s *Service) enrolment(sub delivery.Subject, c graph.DeviceConfiguration, scope csp.Scope) (item, error) {
	name, upn := subject(c, sub), sub.Device.UserPrincipalName
	if sub.User != nil {
		upn = sub.User.UPN
	}
	ca, err := s.authority(sub, c)
	if err != nil {
		return item{}, fmt.Errorf("fakeintune/mdm: certificate %q: %w", c.DisplayName, err)
	}
	node := csp.SCEP{Scope: scope, ID: c.ID}
	r := csp.SCEPRequest{
		URLs: c.ScepServerURLs, SubjectName: "CN=" + name, EKU: []string{clientAuthentication}, KeyUsage: keyUsage(c.KeyUsage), Protection: keyLocation(c),
		KeyLength: 2048, Hash: "SHA-2", CAThumbprint: ca, ValidPeriod: "Years", ValidUnits: 1,
		RetryDelay: int(s.Tenants.Timing.MDM.SCEPRetryDelay.Minutes()), RetryCount: s.Tenants.Timing.MDM.SCEPRetryCount,
	}
	if len(r.URLs) == 0 {
		r.URLs = []string{(&url.URL{Scheme: "https", Host: scep.Host(sub.Tenant.Domain), Path: wire.NDESPath}).String()}
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(c.KeySize, "size")); err == nil && n > 0 {
		r.KeyLength = n
	}
	if len(c.ExtendedKeyUsages) > 0 {
		r.EKU = nil
		for _, u := range c.ExtendedKeyUsages {
			r.EKU = append(r.EKU, u.ObjectIdentifier)
		}
	}
	if n := c.CertificateValidityPeriodValue; n > 0 {
		r.ValidUnits = n
		switch c.CertificateValidityPeriodScale {
		case "days":
			r.ValidPeriod = "Days"
		case "months":
			r.ValidPeriod = "Months"
		}
	}
	may := scep.Challenge{DeviceID: sub.Device.ID, UPN: upn, Subject: commonName(name)}
	switch {
	case c.SubjectAlternativeNameType == "userPrincipalName" && upn != "":
		r.AltNames = []csp.AltName{{Type: csp.AltUPN, Value: upn}}
	case c.SubjectAlternativeNameType == "emailAddress" && upn != "":
		r.AltNames = []csp.AltName{{Type: csp.AltEmail, Value: upn}}
	case c.SubjectAlternativeNameType == "domainNameService" && sub.Device.DeviceName != "":
		r.AltNames, may.Names = []csp.AltName{{Type: csp.AltDNS, Value: sub.Device.DeviceName}}, []string{sub.Device.DeviceName}
	}
	return item{
		owner: c.ID, uri: canonical(node.Node("")), digest: digest("scep", name, strconv.Itoa(c.Version)), enrol: true,
		make: func(ctx context.Context) (nodes []csp.Node, err error) {
			r := r
			if r.Challenge, err = s.SCEP.NewChallenge(ctx, sub.Tenant, may); err != nil {
				return nil, err
			}
			// Without the interior node, which makes itself: it would be refused
			// where the certificate is there already, and everything with it.
			return append(node.Nodes(r)[1:], csp.Node{URI: node.Node(csp.SCEPEnroll)}), nil
		},
	}, nil
}

// enrolment is one Atomic, Enroll last (ClientCertificateInstall CSP).
func (i item) enrolment(ctx context.Context) ([]syncml.Command, error) {
	nodes, err := i.make(ctx)
	if err != nil {
		return nil, err
	}
	n := len(nodes) - 1
	return []syncml.Command{syncml.NewAtomic(append(set(syncml.Replace, nodes[:n]...), syncml.NewExec(nodes[n].URI, "", ""))...)}, nil
}

// authority is the thumbprint of the authority that the device is to accept:
// that of the profile's trusted root, else the customer's own.
func (s *Service) authority(sub delivery.Subject, c graph.DeviceConfiguration) (string, error) {
	if id := reference(c.SCEPCertificate.RootCertificate); id != "" {
		root, err := sub.Tenant.Configurations().Get(id)
		if err != nil {
			return "", err
		}
		if root.TrustedRoot != nil {
			return thumbprint(certificateOf(*root.TrustedRoot)), nil
		}
	}
	ca, err := s.Authorities.Organization(sub.Tenant)
	if err != nil {
		return "", err
	}
	return thumbprint(ca.Cert.Raw), nil
}

// keyUsage gives the CSP's bits for Graph's list.
func keyUsage(list string) int {
	names := strings.Split(strings.ReplaceAll(list, " ", ""), ",")
	bits := 0
	if list == "" || slices.Contains(names, "digitalSignature") {
		bits |= 0x80
	}
	if list == "" || slices.Contains(names, "keyEncipherment") {
		bits |= 0x20
	}
	return bits
}

// commonName is the first part of a subject whose "CN=" was taken off.
func commonName(name string) string {
	cn, _, _ := strings.Cut(name, ",")
	return strings.TrimSpace(cn)
}
