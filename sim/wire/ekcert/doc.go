// Package ekcert reads endorsement key certificates of TPMs as they are met in
// the field, and knows how the vendors of firmware TPMs hand theirs out.
//
// Many EK certificates are not what RFC 5280 and DER ask for: they come with
// the header of a TCG stored certificate or with zeros behind them, write
// default values out, name the key's algorithm RSAES-OAEP, have a negative
// serial number or no authority key identifier. [Parse] reads them all the same
// and lists what it let pass; whether to believe such a certificate is for the
// caller to say. Signatures stay verifiable: they are checked over the bytes
// that were signed.
//
// [Path], [WriteAnswer] and [ReadAnswer] are the two ends of the request for a
// certificate by the digest of its key, in each vendor's form.
package ekcert
