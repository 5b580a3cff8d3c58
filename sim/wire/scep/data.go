package scep

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// SignData writes plain CMS SignedData around content (RFC 5652 5), signed by id with SHA-256, without a signing time. It
// is what other protocols wrap a certificate request in that an older certificate vouches for.
func SignData(content []byte, id Identity) ([]byte, error) {
	digest := sha256.Sum256(content)
	var set attributeSet
	set.add(oidContentType, "", oidData)
	set.add(oidMessageDigest, "", digest[:])
	attrs, err := set.marshal()
	if err != nil {
		return nil, fmt.Errorf("scep: sign data: %w", err)
	}
	info, err := signAttributes(attrs, id)
	if err != nil {
		return nil, fmt.Errorf("scep: sign data: %w", err)
	}
	octets, err := asn1.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("scep: sign data: %w", err)
	}
	der, err := wrap(oidSignedData, signedData{
		Version: 1, DigestAlgorithms: []pkix.AlgorithmIdentifier{info.DigestAlgorithm},
		Content:      contentInfo{Type: oidData, Content: context0(octets)},
		Certificates: context0(joinRaw([]*x509.Certificate{id.Certificate})), SignerInfos: []signerInfo{info},
	})
	if err != nil {
		return nil, fmt.Errorf("scep: sign data: %w", err)
	}
	return der, nil
}

// OpenData reads what [SignData] wrote, or another's CMS of one signer whose certificate is in it, and checks the
// signature.
func OpenData(der []byte) (content []byte, signer *x509.Certificate, err error) {
	defer guard("scep: open data", &err)
	p7, err := readCMS(der)
	if err != nil {
		return nil, nil, fmt.Errorf("scep: open data: %w", err)
	}
	if signer = p7.GetOnlySigner(); signer == nil {
		return nil, nil, errors.New("scep: open data: want exactly one signer, with its certificate")
	}
	// The library holds a signing time, where there is one, against the certificate; that is the caller's question too.
	if err := p7.Verify(); err != nil {
		return nil, nil, fmt.Errorf("scep: open data: signature: %w", err)
	}
	return bytes.Clone(p7.Content), signer, nil
}
