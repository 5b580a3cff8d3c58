package krb5

import (
	"encoding/binary"

	"github.com/jcmturner/gofork/encoding/asn1"
)

// Flags are KerberosFlags (RFC 4120 5.2.8): bit 0 is the highest.
type Flags uint32

// Ticket flags and KDC options (RFC 4120 5.3 and 5.4.1), which share their
// numbers where they share their names.
const (
	Forwardable   Flags = 1 << (31 - 1)
	Forwarded     Flags = 1 << (31 - 2)
	Proxiable     Flags = 1 << (31 - 3)
	Proxy         Flags = 1 << (31 - 4)
	AllowPostdate Flags = 1 << (31 - 5)
	Postdated     Flags = 1 << (31 - 6)
	Invalid       Flags = 1 << (31 - 7)
	Renewable     Flags = 1 << (31 - 8)
	Initial       Flags = 1 << (31 - 9)
	PreAuthent    Flags = 1 << (31 - 10)
	Anonymous     Flags = 1 << (31 - 14)
	Canonicalize  Flags = 1 << (31 - 15)
	RenewableOK   Flags = 1 << (31 - 27)
	TicketInKey   Flags = 1 << (31 - 28)
	Renew         Flags = 1 << (31 - 30)
	Validate      Flags = 1
)

// Options of an AP-REQ (RFC 4120 5.5.1).
const (
	UseSessionKey  Flags = 1 << (31 - 1)
	MutualRequired Flags = 1 << (31 - 2)
)

// Has tells whether all of some flags are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

func flagsOf(s asn1.BitString) Flags {
	var b [4]byte
	copy(b[:], s.Bytes)
	return Flags(binary.BigEndian.Uint32(b[:]))
}
