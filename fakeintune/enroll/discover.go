package enroll

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

// Versions of the protocol: the highest that is spoken, and the one from which
// on keys are attested. From 7.0 on devices say how their own attempt went.
const (
	maxVersion    = 7
	attestVersion = 5
)

// versionQuery is how the policy service learns which version was agreed on:
// its request does not say, and the address is the server's to choose.
const versionQuery = "version"

func (s *Service) discover(ctx context.Context, x exchange) ([]byte, mde.Header, error) {
	h, m, err := mde.DecodeDiscover(x.body)
	if err != nil {
		return nil, h, unreadable(err)
	}
	if m.DeviceType != mde.DeviceType {
		return nil, h, no("device type", hresult.EnrollNotSupported, "device type %q", m.DeviceType)
	}
	version, err := agree(m.RequestVersion)
	if err != nil {
		return nil, h, err
	}
	way := s.settingsFor(ctx, m.EmailAddress).AuthPolicy
	if way == "" {
		way = mde.Federated
	}
	// A client that names no policy takes what it gets.
	if len(m.AuthPolicies) > 0 && !slices.Contains(m.AuthPolicies, way) {
		return nil, h, no("authentication policy", hresult.EnrollNotSupported, "the organization authenticates by %s", way)
	}
	result := mde.DiscoverResult{
		AuthPolicy: way, EnrollmentVersion: version,
		EnrollmentPolicyURL: "https://" + hosts.Enrollment + mde.PolicyPath, EnrollmentURL: "https://" + hosts.Enrollment + mde.EnrolPath,
	}
	if version != newest {
		result.EnrollmentPolicyURL += "?" + url.Values{versionQuery: {version}}.Encode()
	}
	if way == mde.Federated { // Entra-joined devices never open it: they bring a token
		result.AuthenticationServiceURL = "https://" + hosts.Enrollment + AuthenticationPath
	}
	answer, err := mde.EncodeDiscoverResult(h.Reply(), &result)
	return answer, h, err
}

// settingsFor are the settings of the customer whose user asks; a new tenant's
// where nobody knows the user, as in the technician flow.
func (s *Service) settingsFor(ctx context.Context, email string) Settings {
	if s.SignIn != nil {
		if id, ok := s.SignIn.TenantOf(ctx, email); ok {
			return s.Settings(id)
		}
	}
	return Settings{}
}

var newest = strconv.Itoa(maxVersion) + ".0"

// agree is the version to speak: the client's, at most ours ([MS-MDE2] 3.1.4,
// EnrollmentVersion).
func agree(requested string) (string, error) {
	v, err := number(requested)
	switch {
	case err != nil || v < 1:
		return "", no("request version", hresult.EnrollMessageFormat, "RequestVersion %q", requested)
	case v > maxVersion:
		return newest, nil
	}
	return requested, nil
}

func number(version string) (float64, error) { return strconv.ParseFloat(version, 64) }

func (s *Service) policy(ctx context.Context, x exchange) ([]byte, mde.Header, error) {
	h, _, err := mde.DecodeGetPolicies(x.body)
	if err != nil {
		return nil, h, unreadable(err)
	}
	c, err := s.authenticate(ctx, h, proof{asks: true, body: x.body})
	if err != nil {
		return nil, h, err
	}
	t := s.Tenants.Timing.MDM
	p := &mde.Policy{
		ID: "{DBBEF75F-24C0-4A2B-9B3B-5B1A6B1C5E51}", FriendlyName: "Microsoft Intune MDM", CommonName: "MDMDeviceCertificate",
		ValiditySeconds: int(t.CertificateLife.Seconds()), RenewalSeconds: int(t.CertificateRenewBefore.Seconds()),
		MinimalKeyLength: minKeyBits, HashOID: mde.SHA256OID,
	}
	if v, err := number(x.URL.Query().Get(versionQuery)); err != nil || v >= attestVersion {
		p.AttestationFailure, p.OperationTimeout = s.Settings(c.tenant.ID).behaviour(c.user == nil), int(t.AttestationTimeout.Seconds())
	}
	answer, err := mde.EncodePolicy(h.Reply(), p)
	return answer, h, err
}
