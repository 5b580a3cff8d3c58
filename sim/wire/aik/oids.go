package aik

import "encoding/asn1"

// Attribute types of Microsoft's certificate enrolment (wincrypt.h names behind szOID_; MS-WCCE 2.2.2.7).
var (
	oidOSVersion            = microsoft(13, 2, 3) // OS_VERSION
	oidCSP                  = microsoft(13, 2, 2) // ENROLLMENT_CSP_PROVIDER
	oidClientInfo           = microsoft(21, 20)   // REQUEST_CLIENT_INFO
	oidEKInfo               = microsoft(21, 23)   // ENROLL_EK_INFO
	oidAttestationStatement = microsoft(21, 24)   // ENROLL_ATTESTATION_STATEMENT
	oidKSPName              = microsoft(21, 25)   // ENROLL_KSP_NAME
	oidAttestationChallenge = microsoft(21, 28)   // ENROLL_ATTESTATION_CHALLENGE
	oidStatementInSpec      = microsoft(21, 33)   // where MS-WCCE prints the statement; devices send 21.24
	oidServerState          = microsoft(21, 34)   // ENROLL_SCEP_SERVER_STATE
	oidChallengeAnswer      = microsoft(21, 35)   // ENROLL_SCEP_CHALLENGE_ANSWER
	oidAIKInfo              = microsoft(21, 39)   // ENROLL_AIK_INFO
	oidKeyAffinity          = microsoft(21, 41)   // ENROLL_KEY_AFFINITY
	oidSignerHash           = microsoft(21, 42)   // ENROLL_SCEP_SIGNER_HASH
	oidExtensionRequest     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	oidSubjectAltName       = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidSubjectKeyID         = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidSHA256               = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA256WithRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidECDSAWithSHA256      = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidTPMManufacturer      = asn1.ObjectIdentifier{2, 23, 133, 2, 1}
	oidTPMModel             = asn1.ObjectIdentifier{2, 23, 133, 2, 2}
	oidTPMVersion           = asn1.ObjectIdentifier{2, 23, 133, 2, 3}
)

// Extended key usages of the TCG (EK Credential Profile 3.2; Credential Profiles 3.5).
var (
	EKUEKCertificate  = asn1.ObjectIdentifier{2, 23, 133, 8, 1}
	EKUAIKCertificate = asn1.ObjectIdentifier{2, 23, 133, 8, 3}
)

// PolicyAttestedByCertificate is the certificate policy of a key whose attestation rests on a trusted certificate
// (szOID_ENROLL_EKVERIFYCERT, MS-WCCE 3.2.2.6.2.1.4.5.7).
var PolicyAttestedByCertificate = microsoft(21, 31)

func microsoft(arc ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311}, arc...)
}
