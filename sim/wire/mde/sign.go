package mde

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Algorithms of a signed request ([MS-MDE2], certificate authentication).
const (
	algC14N      = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	algEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

// Sign signs a request that [CertificateSecurity] was encoded into: an enveloped signature over the whole envelope, RSA with
// SHA-256 over the exclusive canonical form, in the security header, which names the certificate by reference. The key must
// be the certificate's, and RSA.
func Sign(message []byte, key crypto.Signer) ([]byte, error) {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(message); err != nil {
		return nil, fmt.Errorf("mde: sign: %w", err)
	}
	security := doc.FindElement("/Envelope/Header/Security")
	if security == nil {
		return nil, errors.New("mde: sign: no security header")
	}
	ctx, err := dsig.NewSigningContext(key, nil)
	if err != nil {
		return nil, fmt.Errorf("mde: sign: %w", err)
	}
	ctx.IdAttribute, ctx.Canonicalizer = "Id", dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(algRSASHA256); err != nil {
		return nil, fmt.Errorf("mde: sign: %w", err)
	}
	// The library canonicalizes in place.
	signature, err := ctx.ConstructSignature(doc.Root().Copy(), true)
	if err != nil {
		return nil, fmt.Errorf("mde: sign: %w", err)
	}
	if info := signature.SelectElement("KeyInfo"); info != nil {
		signature.RemoveChild(info)
	}
	reference := signature.CreateElement("ds:KeyInfo").CreateElement("wsse:SecurityTokenReference").CreateElement("wsse:Reference")
	reference.CreateAttr("URI", "#"+tokenID)
	reference.CreateAttr("ValueType", ValueTypeX509)
	security.AddChild(signature)
	signed, err := doc.WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("mde: sign: %w", err)
	}
	return signed, nil
}
