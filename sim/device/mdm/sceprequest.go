package mdm

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/scep"
)

// scepKeyPair is the key that is to be certified, wherever it is.
type scepKeyPair struct {
	crypto.Signer
	crypto.Decrypter
	container string
}

// Public is the public key.
func (k *scepKeyPair) Public() crypto.PublicKey { return k.Signer.Public() }

// folderKeys is where the software key storage provider has the computer's keys.
const folderKeys = `C:\ProgramData\Microsoft\Crypto\Keys\`

var (
	errNoTPM   = errors.New("KeyProtection wants the TPM, and there is none")
	errNoHello = errors.New("KeyProtection wants a Windows Hello for Business container, and there is none")
)

// openSCEPKey opens the instance's key, or makes it where there is none yet. One
// in software is of the pool that all keys in software are from.
func openSCEPKey(w *device.Windows, sid string, s csp.SCEP, protection string) (*scepKeyPair, error) {
	container := scepContainer(sid, s.ID)
	n, _ := number(protection)
	switch where := csp.KeyLocation(n); {
	case where == csp.KeyInHelloForBusiness:
		return nil, errNoHello
	case where == csp.KeyInTPM && w.Chip == nil:
		return nil, errNoTPM
	case w.Chip != nil && (where == csp.KeyInTPM || where == csp.KeyInTPMIfPresent):
		key, err := w.Key(w.Ctx, container)
		if errors.Is(err, device.ErrNoKey) {
			key, err = w.NewKey(w.Ctx, container)
		}
		if err != nil {
			return nil, err
		}
		bound := key.In(w.Ctx)
		return &scepKeyPair{bound, bound, container}, nil
	}
	pooled := w.Seed.Stream("software key", container).IntN(pki.RSAPoolSize)
	key := pki.PooledRSA(pooled)
	w.Disk.Files.Write(folderKeys+strings.ReplaceAll(container, "/", "_"), []byte("RSA key of the pool, number "+strconv.Itoa(pooled)+"\n"))
	return &scepKeyPair{key, key, "software:" + container}, nil
}

// request is the PKCS #10 request with all that the server wants in it.
func (e *scepEnrolment) request() ([]byte, error) {
	r := e.w.Registry()
	subject, err := e.subject()
	if err != nil {
		return nil, err
	}
	extensions, err := requestExtensions(r.String(e.key, csp.SCEPAltNames), r.String(e.key, csp.SCEPEKUMapping), r.String(e.key, csp.SCEPKeyUsage))
	if err != nil {
		return nil, refused(hresult.InvalidParameter, err)
	}
	der, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{
		RawSubject: subject, SignatureAlgorithm: x509.SHA256WithRSA, ExtraExtensions: extensions,
	}, e.own)
	challenge := r.String(e.key, csp.SCEPChallenge)
	if err == nil && challenge != "" {
		der, err = scep.AddChallenge(der, challenge, func(tbs []byte) ([]byte, error) {
			sum := sha256.Sum256(tbs)
			return e.own.Sign(io.Reader(nil), sum[:], crypto.SHA256)
		})
	}
	if err != nil {
		return nil, hresult.New(opSCEP, hresult.PCPInternalError, err)
	}
	return der, nil
}

func (e *scepEnrolment) subject() ([]byte, error) {
	name, err := distinguishedName(e.w.Registry().String(e.key, csp.SCEPSubjectName))
	if err != nil {
		return nil, refused(hresult.InvalidParameter, err)
	}
	return name, nil
}

// attributeTypes are the short names that CertStrToName takes.
var attributeTypes = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "SN": {2, 5, 4, 4}, "SERIALNUMBER": {2, 5, 4, 5}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "S": {2, 5, 4, 8}, "ST": {2, 5, 4, 8},
	"STREET": {2, 5, 4, 9}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11}, "T": {2, 5, 4, 12}, "TITLE": {2, 5, 4, 12}, "G": {2, 5, 4, 42}, "GN": {2, 5, 4, 42}, "I": {2, 5, 4, 43},
	"E": {1, 2, 840, 113549, 1, 9, 1}, "EMAIL": {1, 2, 840, 113549, 1, 9, 1}, "DC": {0, 9, 2342, 19200300, 100, 1, 25}, "UID": {0, 9, 2342, 19200300, 100, 1, 1},
}

// distinguishedName reads a name as CertStrToName does: "CN=name,O=\"a, b\"".
func distinguishedName(text string) ([]byte, error) {
	var rdns pkix.RDNSequence
	for _, part := range splitQuoted(text) {
		short, value, ok := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		if quoted, is := strings.CutPrefix(value, `"`); is {
			value = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
		}
		oid, known := attributeTypes[strings.ToUpper(strings.TrimSpace(short))]
		if !ok || !known || value == "" {
			return nil, fmt.Errorf("subject name %q: %q is no attribute", text, part)
		}
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: oid, Value: value}})
	}
	return asn1.Marshal(rdns)
}

// splitQuoted splits at commas and semicolons that no quotation marks hold.
func splitQuoted(text string) (parts []string) {
	quoted, from := false, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case (c == ',' || c == ';') && !quoted:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}

var (
	oidAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidEKU      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidUPN      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
)

// requestExtensions are what a request asks for (RFC 5280 4.2.1).
func requestExtensions(altNames, ekus, usage string) (out []pkix.Extension, err error) {
	add := func(oid asn1.ObjectIdentifier, critical bool, v any) {
		var der []byte
		if err == nil {
			der, err = asn1.Marshal(v)
		}
		out = append(out, pkix.Extension{Id: oid, Critical: critical, Value: der})
	}
	names, err := csp.ParseAltNames(altNames)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		var general []asn1.RawValue
		for _, n := range names {
			one, err := generalName(n)
			if err != nil {
				return nil, err
			}
			general = append(general, one)
		}
		add(oidAltName, false, general)
	}
	var purposes []asn1.ObjectIdentifier
	for text := range strings.SplitSeq(ekus, "+") {
		if text == "" {
			continue
		}
		oid, perr := parseOID(text)
		if perr != nil {
			return nil, perr
		}
		purposes = append(purposes, oid)
	}
	if len(purposes) > 0 {
		add(oidEKU, false, purposes)
	}
	if n, ok := number(usage); ok && n != 0 {
		add(oidKeyUsage, true, asn1.BitString{Bytes: []byte{byte(n)}, BitLength: 8})
	}
	return out, err
}

func generalName(n csp.AltName) (asn1.RawValue, error) {
	tag := map[int]int{csp.AltEmail: 1, csp.AltDNS: 2, csp.AltURL: 6}
	if t, ok := tag[n.Type]; ok {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: t, Bytes: []byte(n.Value)}, nil
	}
	if n.Type != csp.AltUPN {
		return asn1.RawValue{}, fmt.Errorf("alternative name of type %d", n.Type)
	}
	oid, err := asn1.Marshal(oidUPN)
	if err != nil {
		return asn1.RawValue{}, err
	}
	upn, err := asn1.MarshalWithParams(n.Value, "utf8")
	if err != nil {
		return asn1.RawValue{}, err
	}
	wrapped, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: upn})
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: append(oid, wrapped...)}, err
}

func parseOID(text string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(strings.TrimSpace(text), ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("object identifier %q", text)
		}
		oid = append(oid, int(n))
	}
	if len(oid) < 2 {
		return nil, fmt.Errorf("object identifier %q", text)
	}
	return oid, nil
}
