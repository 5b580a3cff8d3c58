package mde

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

var errSignature = errors.New("signature")

// Verify checks the signature of a request that authenticates by a certificate, and gives back the bytes that were signed:
// only these say what the sender said. There is exactly one signature, in the security header, over the whole envelope and
// nothing else, by the certificate that stands beside it. Whether that certificate is trusted, and valid now, is the
// caller's question, as is the timestamp. For its errors [ErrSecurity] holds.
func Verify(message []byte) (signed []byte, signer *x509.Certificate, err error) {
	defer func() {
		if p := recover(); p != nil { // the library reads what comes from outside
			err = fmt.Errorf("%w: malformed: %v", errSignature, p)
		}
		if err != nil {
			signed, signer, err = nil, nil, fmt.Errorf("mde: verify: %w: %w", errSecurity, err)
		}
	}()
	if err := wellFormed(message); err != nil {
		return nil, nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(message); err != nil {
		return nil, nil, err
	}
	parts, err := signedParts(doc.Root())
	if err != nil {
		return nil, nil, err
	}
	if signer, err = parts.certificate(); err != nil {
		return nil, nil, err
	}
	// The certificate is that of the reference, whatever a KeyInfo says otherwise; it is not part of what is signed.
	parts.signature.RemoveChild(parts.keyInfo)
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{signer}})
	ctx.IdAttribute, ctx.Clock = "Id", dsig.NewFakeClockAt(signer.NotBefore)
	content, err := ctx.Validate(doc.Root())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errSignature, err)
	}
	out := etree.NewDocument()
	out.SetRoot(content)
	signed, err = out.WriteToBytes()
	return signed, signer, err
}

// wellFormed applies the decoders' bounds.
func wellFormed(message []byte) error {
	var nothing struct{}
	return unmarshal(message, "Envelope", nsSOAP, &nothing)
}

// parts are where a signed request keeps what the signature is made of.
type parts struct{ root, token, signature, keyInfo *etree.Element }

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errSignature}, args...)...)
}

// signedParts insists on the one shape that a signed request has. Whatever else a signature could be, over a part of the
// document or by other algorithms, is refused before anything is computed.
func signedParts(root *etree.Element) (parts, error) {
	p := parts{root: root}
	var signatures []*etree.Element
	ids := map[string]bool{}
	twice := ""
	walk(root, func(e *etree.Element) {
		if is(e, dsig.Namespace, "Signature") {
			signatures = append(signatures, e)
		}
		for _, a := range e.Attr {
			if a.Key == "Id" || a.Key == "ID" || a.Key == "id" {
				if ids[a.Value] {
					twice = a.Value
				}
				ids[a.Value] = true
			}
		}
	})
	header, err := one(root, nsSOAP, "Header")
	if err != nil {
		return p, err
	}
	security, err := one(header, nsSecurity, "Security")
	if err != nil {
		return p, err
	}
	switch {
	case twice != "":
		return p, refuse("id %q stands twice", twice)
	case len(signatures) != 1 || signatures[0].Parent() != security:
		return p, refuse("want exactly one, in the security header")
	}
	p.signature = signatures[0]
	if p.token, err = one(security, nsSecurity, "BinarySecurityToken"); err != nil {
		return p, err
	}
	if p.keyInfo, err = one(p.signature, dsig.Namespace, "KeyInfo"); err != nil {
		return p, err
	}
	info, err := one(p.signature, dsig.Namespace, "SignedInfo")
	if err != nil {
		return p, err
	}
	return p, p.checkInfo(info)
}

// checkInfo: the whole envelope, by the algorithms of the specification.
func (p parts) checkInfo(info *etree.Element) error {
	reference, err := one(info, dsig.Namespace, "Reference")
	if err != nil {
		return err
	}
	if uri := reference.SelectAttrValue("URI", "none"); uri != "" && (uri != "#"+p.root.SelectAttrValue("Id", "") || uri == "#") {
		return refuse("it is about %q, not the envelope", uri)
	}
	for _, want := range []struct {
		in         *etree.Element
		name, algo string
	}{{info, "CanonicalizationMethod", algC14N}, {info, "SignatureMethod", algRSASHA256}, {reference, "DigestMethod", algSHA256}} {
		method, err := one(want.in, dsig.Namespace, want.name)
		if err != nil {
			return err
		}
		if algo := method.SelectAttrValue("Algorithm", ""); algo != want.algo {
			return refuse("%s is %q", want.name, algo)
		}
	}
	transforms, err := one(reference, dsig.Namespace, "Transforms")
	if err != nil {
		return err
	}
	var have []string
	for _, t := range transforms.ChildElements() {
		have = append(have, t.SelectAttrValue("Algorithm", ""))
		if len(t.ChildElements()) > 0 {
			return refuse("transform with parameters")
		}
	}
	if !slices.Equal(have, []string{algEnveloped, algC14N}) {
		return refuse("transforms are %q", have)
	}
	return nil
}

// certificate is the token's, if the signature names it.
func (p parts) certificate() (*x509.Certificate, error) {
	holder, err := one(p.keyInfo, nsSecurity, "SecurityTokenReference")
	if err != nil {
		return nil, err
	}
	reference, err := one(holder, nsSecurity, "Reference")
	if err != nil {
		return nil, err
	}
	// learn.microsoft.com's example leaves the number sign out.
	id := p.token.SelectAttrValue("Id", "")
	if uri := reference.SelectAttrValue("URI", ""); id == "" || uri != "#"+id && uri != id {
		return nil, refuse("KeyInfo names %q, not the certificate", uri)
	}
	der, err := decodeBase64(p.token.Text())
	if err != nil {
		return nil, refuse("certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, refuse("certificate: %w", err)
	}
	return cert, nil
}

func is(e *etree.Element, space, tag string) bool { return e.Tag == tag && e.NamespaceURI() == space }

// one finds the only child of a name; none and several are refused.
func one(e *etree.Element, space, tag string) (*etree.Element, error) {
	var found []*etree.Element
	for _, c := range e.ChildElements() {
		if is(c, space, tag) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return nil, refuse("%d elements %s in %s, want one", len(found), tag, e.Tag)
	}
	return found[0], nil
}

func walk(e *etree.Element, visit func(*etree.Element)) {
	visit(e)
	for _, c := range e.ChildElements() {
		walk(c, visit)
	}
}
