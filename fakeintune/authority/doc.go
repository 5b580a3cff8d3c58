// Package authority holds the certificate authorities of the fake Intune: the
// one of MDM client certificates, the one of the management extension's own
// certificates, and for each customer one that issues what PKCS certificate
// profiles deliver. It also says which managed device a client certificate
// proves the caller to be.
//
// The authorities follow from the service's seed. It answers no request and
// keeps no list of what it issued: which certificate is a device's stands in
// the device's record, so that a certificate dies with it.
package authority
