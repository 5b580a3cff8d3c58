// Package pki makes keys and certificates that come out the same, byte for byte, in every run of the same seed.
//
// [Key] derives a P-256 key from a seed and a name; [RSAKey] deals from a small pool of RSA keys that is the same in every
// run, and [PooledRSA] has libcrypto do their private operations; [NewRoot], [CA.Sub] and [CA.Issue] make certificate
// authorities and certificates whose dates come from the caller's clock and whose serial numbers come from what is
// certified. Go's own generators would not do: ecdsa.GenerateKey and rsa.GenerateKey draw from the system whatever reader
// they are handed. Signatures are deterministic because crypto/ecdsa follows RFC 6979 when its reader is nil, and
// RSASSA-PKCS1-v1_5 has no randomness (RFC 8017 8.2).
//
// The keys are for a simulation: who knows the seed knows them all. The package holds no state except the RSA pool and what
// it remembers of certificates ([Parse], [CheckIssued], [Trusted]), which saves time and changes nothing. It knows no clock
// (every call that needs a time takes it), and does no revocation.
package pki
