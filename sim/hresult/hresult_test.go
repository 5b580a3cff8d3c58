package hresult_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/hresult"
)

func TestTableIsSound(t *testing.T) {
	g := NewWithT(t)
	symbol := regexp.MustCompile(`^([A-Z][A-Z0-9_]+|[a-z][a-z0-9_]+)$`)
	names := map[string]hresult.Code{}
	for i, e := range hresult.Entries() {
		g.Expect(e.Name).To(MatchRegexp(symbol.String()), e.Code.Hex())
		g.Expect(e.Meaning).NotTo(BeEmpty(), e.Name)
		g.Expect(e.Source).NotTo(BeEmpty(), e.Name)
		g.Expect(names).NotTo(HaveKey(strings.ToUpper(e.Name)), "one symbol for two codes")
		names[strings.ToUpper(e.Name)] = e.Code
		if i > 0 {
			g.Expect(e.Code).To(BeNumerically(">", hresult.Entries()[i-1].Code), "one code in two rows")
		}
	}
	g.Expect(len(names)).To(BeNumerically(">", 150))
}

func TestSpelling(t *testing.T) {
	for _, c := range []struct {
		code hresult.Code
		want string
	}{
		{hresult.EnrollDeviceNotSupported, "0x80180014 (MENROLL_E_DEVICENOTSUPPORTED)"},
		{hresult.TPMAttestationRetriesExceeded, "0x81039001 (E_AUTOPILOT_CLIENT_TPM_MAX_ATTESTATION_RETRY_EXCEEDED)"},
		{hresult.WaitTimeout, "0x800705B4 (ERROR_TIMEOUT)"},
		{hresult.JoinServerNotAuthorized, "0x801C03EA (dsreg_server_failed_to_authorize)"},
		{hresult.FromHTTPStatus(400), "0x80190190 (HTTP_E_STATUS_BAD_REQUEST)"},
		{hresult.FromHTTPStatus(404), "0x80190194 (HTTP_E_STATUS_NOT_FOUND)"},
		{hresult.FromHTTPStatus(429), "0x801901AD (http_status_too_many_requests)"},
		{hresult.FromHTTPStatus(503), "0x801901F7 (HTTP_E_STATUS_SERVICE_UNAVAIL)"},
		{hresult.OK, "0x00000000 (S_OK)"},
		{0x8ABCDEF0, "0x8ABCDEF0"},
	} {
		NewWithT(t).Expect(c.code.String()).To(Equal(c.want))
	}
}

func TestHTTPStatus(t *testing.T) {
	g := NewWithT(t)
	n, ok := hresult.FromHTTPStatus(503).HTTPStatus()
	g.Expect(ok).To(BeTrue())
	g.Expect(n).To(Equal(503))
	_, ok = hresult.Code(0x80190001).HTTPStatus()
	g.Expect(ok).To(BeFalse(), "MDM registration's own codes share the facility")
	_, ok = hresult.WaitTimeout.HTTPStatus()
	g.Expect(ok).To(BeFalse())
}

func TestParse(t *testing.T) {
	for text, want := range map[string]hresult.Code{
		"0x80180014":                      hresult.EnrollDeviceNotSupported,
		"0X8018002b":                      hresult.EnrollMDMNotConfigured,
		" menroll_e_devicenotsupported\n": hresult.EnrollDeviceNotSupported,
		"-2145910764":                     hresult.EnrollDeviceNotSupported,
		"2149056532":                      hresult.EnrollDeviceNotSupported,
		"0":                               hresult.OK,
	} {
		got, err := hresult.Parse(text)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(got).To(Equal(want), text)
	}
	for _, text := range []string{"", "0x", "0x180180014", "MENROLL_E_NO_SUCH", "4294967296", "-2147483649", "12 34"} {
		_, err := hresult.Parse(text)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("hresult: parse")), text)
	}
}

func TestParseReadsWhatWindowsPrints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := hresult.Code(rapid.Uint32().Draw(t, "code"))
		for _, text := range []string{c.Hex(), fmt.Sprint(int32(c))} {
			if back, err := hresult.Parse(text); err != nil || back != c {
				t.Fatalf("Parse(%q) = %v, %v", text, back, err)
			}
		}
		if back, err := hresult.Parse(c.Name()); c.Name() != "" && (err != nil || back != c) {
			t.Fatalf("Parse(%q) = %v, %v", c.Name(), back, err)
		}
	})
}

func TestError(t *testing.T) {
	g := NewWithT(t)
	cause := errors.New("certificate not found")
	inner := &hresult.Error{Op: "aik.enroll", Phase: "DevicePreparation.TpmAttestationSubcategory", Code: hresult.NotFound, Err: cause}
	g.Expect(inner.Error()).To(Equal(
		"aik.enroll [DevicePreparation.TpmAttestationSubcategory]: 0x80070490 (ERROR_NOT_FOUND): certificate not found"))
	g.Expect((&hresult.Error{Phase: "MDMEnrolling", Code: hresult.Fail}).Error()).To(Equal("[MDMEnrolling]: 0x80004005 (E_FAIL)"))
	g.Expect((&hresult.Error{Code: hresult.Fail}).Error()).To(Equal("0x80004005 (E_FAIL)"))

	outer := fmt.Errorf("esp: %w", hresult.New("autopilot", hresult.TPMAttestationRetriesExceeded, inner))
	code, ok := hresult.CodeOf(outer)
	g.Expect(ok).To(BeTrue())
	g.Expect(code).To(Equal(hresult.TPMAttestationRetriesExceeded), "the outermost decides")
	g.Expect(errors.Is(outer, cause)).To(BeTrue())

	_, ok = hresult.CodeOf(cause)
	g.Expect(ok).To(BeFalse())
	_, ok = hresult.CodeOf(nil)
	g.Expect(ok).To(BeFalse())
	g.Expect(hresult.WaitTimeout.Failed()).To(BeTrue())
	g.Expect(hresult.OK.Failed()).To(BeFalse())
	g.Expect(hresult.WaitTimeout.Meaning()).To(ContainSubstring("longer"))
	g.Expect(hresult.WaitTimeout.Source()).To(ContainSubstring("learn.microsoft.com"))
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0x80180014", "-1", "E_FAIL", "", "0x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := hresult.Parse(s); err == nil {
			if back, err := hresult.Parse(c.Hex()); err != nil || back != c {
				t.Fatalf("%q gave %v, which does not read back", s, c)
			}
		}
	})
}
