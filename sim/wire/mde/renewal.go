package mde

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"windtunnel.test/sim/wire/scep"
)

// SignRenewal puts a PKCS#10 request into the CMS SignedData of a renewal, signed with the certificate that is to be renewed
// ([MS-MDE2] 3.4, certificate renewal; [MS-WSTEP] 3.1.4.1.2).
func SignRenewal(request []byte, old scep.Identity) ([]byte, error) {
	der, err := scep.SignData(request, old)
	if err != nil {
		return nil, fmt.Errorf("mde: renewal: %w", err)
	}
	return der, nil
}

// OpenRenewal gives the PKCS#10 request of a renewal and the certificate that signed it. The signature is right then;
// whether the certificate is anybody's is the caller's question.
func OpenRenewal(der []byte) (request []byte, signer *x509.Certificate, err error) {
	if request, signer, err = scep.OpenData(der); err != nil {
		return nil, nil, fmt.Errorf("mde: renewal: %w", err)
	}
	return request, signer, nil
}

// otherPKCS7 is how the example on learn.microsoft.com, "Certificate renewal", writes [ValueTypePKCS7].
const otherPKCS7 = nsSecurity + "#PKCS7"

// derSequence begins every PKCS#7.
const derSequence = 0x30

// renewal takes both value types, and the base64 inside the base64 that a renewal by hand has (same page).
func renewal(valueType string, request []byte) (string, []byte) {
	if valueType == otherPKCS7 {
		valueType = ValueTypePKCS7
	}
	if len(request) > 0 && request[0] != derSequence {
		if inner, err := decodeBase64(string(bytes.TrimSpace(request))); err == nil && len(inner) > 2 && inner[0] == derSequence {
			request = inner
		}
	}
	return valueType, request
}
