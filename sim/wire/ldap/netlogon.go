package ldap

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// Bits of NtVer, in a netlogon request and its answer ([MS-ADTS] 6.3.1.1).
const (
	NTVersion1               uint32 = 0x1
	NTVersion5               uint32 = 0x2
	NTVersion5EX             uint32 = 0x4
	NTVersion5EXWithIP       uint32 = 0x8
	NTVersionWithClosestSite uint32 = 0x10
)

// Flags of a domain controller ([MS-ADTS] 6.3.1.2).
const (
	DSPDC            uint32 = 0x1
	DSGlobalCatalog  uint32 = 0x4
	DSLDAP           uint32 = 0x8
	DSDirectory      uint32 = 0x10
	DSKDC            uint32 = 0x20
	DSTimeService    uint32 = 0x40
	DSClosest        uint32 = 0x80
	DSWritable       uint32 = 0x100
	DSGoodTime       uint32 = 0x200
	DSFullSecret     uint32 = 0x1000
	DSWebService     uint32 = 0x2000
	DSServer2012     uint32 = 0x4000
	DSServer2012R2   uint32 = 0x8000
	DSServer2016     uint32 = 0x10000
	DSDNSController  uint32 = 0x20000000
	DSDNSDomain      uint32 = 0x40000000
	DSDNSForest      uint32 = 0x80000000
	maxNetlogonName         = 255
	maxNetlogonLabel        = 63
)

// Operation codes of the answer ([MS-ADTS] 6.3.1.3).
const (
	NetlogonResponseEX uint16 = 23 // LOGON_SAM_LOGON_RESPONSE_EX
	NetlogonUnknownEX  uint16 = 25 // LOGON_SAM_USER_UNKNOWN_EX
)

// NetlogonAttribute is what a ping asks for.
const NetlogonAttribute = "Netlogon"

// NetlogonRequest is what the filter of a ping says ([MS-ADTS] 6.3.3.1).
type NetlogonRequest struct {
	DNSDomain  string
	Host       string // NetBIOS name of the caller
	User       string // account to look for, with AAC
	AAC        uint32 // kinds of account that will do
	DomainSID  SID
	DomainGUID GUID // zero: any
	NTVersion  uint32
}

// Filter is the request as a search's filter.
func (r NetlogonRequest) Filter() *Filter {
	f := AllOf()
	add := func(name string, v []byte) {
		f.Children = append(f.Children, &Filter{Kind: Equal, Attribute: name, Value: v})
	}
	if r.DNSDomain != "" {
		add("DnsDomain", []byte(r.DNSDomain))
	}
	if r.Host != "" {
		add("Host", []byte(r.Host))
	}
	if r.User != "" {
		add("User", []byte(r.User))
		add("AAC", binary.LittleEndian.AppendUint32(nil, r.AAC))
	}
	if r.DomainSID != "" {
		add("DomainSid", r.DomainSID.Bytes())
	}
	if !r.DomainGUID.IsZero() {
		add("DomainGuid", r.DomainGUID[:])
	}
	add("NtVer", binary.LittleEndian.AppendUint32(nil, r.NTVersion))
	return f
}

// ParseNetlogonRequest reads a ping's filter: one equality or a conjunction of them.
func ParseNetlogonRequest(f *Filter) (NetlogonRequest, error) {
	var r NetlogonRequest
	if f == nil {
		return r, malformed("netlogon request without filter")
	}
	terms := []*Filter{f}
	if f.Kind == And {
		terms = f.Children
	}
	for _, t := range terms {
		if t.Kind != Equal {
			return r, malformed("netlogon request has %s", t)
		}
		if err := r.set(strings.ToLower(t.Attribute), t.Value); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *NetlogonRequest) set(name string, v []byte) (err error) {
	switch name {
	case "dnsdomain":
		r.DNSDomain = strings.TrimSuffix(string(v), ".")
	case "host":
		r.Host = string(v)
	case "user":
		r.User = string(v)
	case "aac":
		r.AAC, err = flagsOf(v)
	case "ntver":
		r.NTVersion, err = flagsOf(v)
	case "domainsid":
		r.DomainSID, err = SIDFromBytes(v)
	case "domainguid":
		r.DomainGUID, err = GUIDFromBytes(v)
	}
	return err // the rest is ignored, as a controller does
}

func flagsOf(v []byte) (uint32, error) {
	if len(v) != 4 {
		return 0, malformed("netlogon flags of %d octets", len(v))
	}
	return binary.LittleEndian.Uint32(v), nil
}

// NetlogonResponse is NETLOGON_SAM_LOGON_RESPONSE_EX ([MS-ADTS] 6.3.1.9), what a domain controller says of itself.
type NetlogonResponse struct {
	Opcode          uint16
	Flags           uint32
	DomainGUID      GUID
	Forest, Domain  string // DNS names
	Host            string // the controller's DNS name
	NetBIOSDomain   string
	NetBIOSComputer string
	User            string
	Site            string     // the controller's
	ClientSite      string     // the caller's by its address, "" where no subnet has it
	Address         netip.Addr // IPv4; with NTVersion5EXWithIP only
	NextClosestSite string     // with NTVersionWithClosestSite only
	NTVersion       uint32
}

// Append writes the answer after b, which must be empty: compressed names point back to its beginning.
func (r *NetlogonResponse) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, r.Opcode)
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, r.Flags)
	b = append(b, r.DomainGUID[:]...)
	seen := map[string]int{}
	for _, s := range []string{r.Forest, r.Domain, r.Host, r.NetBIOSDomain, r.NetBIOSComputer, r.User, r.Site, r.ClientSite} {
		b = appendName(b, s, seen)
	}
	if r.NTVersion&NTVersion5EXWithIP != 0 {
		b = append(b, 16, 2, 0, 0, 0) // sockaddr_in: AF_INET, port 0
		ip := [4]byte{}
		if r.Address.Is4() {
			ip = r.Address.As4()
		}
		b = append(append(b, ip[:]...), 0, 0, 0, 0, 0, 0, 0, 0)
	}
	if r.NTVersion&NTVersionWithClosestSite != 0 {
		b = appendName(b, r.NextClosestSite, seen)
	}
	b = binary.LittleEndian.AppendUint32(b, r.NTVersion)
	return append(b, 0xff, 0xff, 0xff, 0xff) // LmNtToken, Lm20Token
}

// appendName writes labels as RFC 1035 4.1.4 does, pointing back at a suffix that has been written.
func appendName(b []byte, s string, seen map[string]int) []byte {
	for s != "" {
		if at, ok := seen[s]; ok {
			return append(b, 0xc0|byte(at>>8), byte(at))
		}
		if len(b) < 1<<14 {
			seen[s] = len(b)
		}
		label, rest, _ := strings.Cut(s, ".")
		label = label[:min(len(label), maxNetlogonLabel)]
		b = append(append(b, byte(len(label))), label...)
		s = rest
	}
	return append(b, 0)
}

// ParseNetlogonResponse reads the answer to a ping. Older forms are errors.
func ParseNetlogonResponse(b []byte) (*NetlogonResponse, error) {
	const fixed, tail = 24, 8
	if len(b) < fixed+tail {
		return nil, malformed("netlogon answer of %d octets", len(b))
	}
	r := &NetlogonResponse{
		Opcode: binary.LittleEndian.Uint16(b), Flags: binary.LittleEndian.Uint32(b[4:]), DomainGUID: GUID(b[8:24]),
		NTVersion: binary.LittleEndian.Uint32(b[len(b)-tail:]),
	}
	if r.Opcode != NetlogonResponseEX && r.Opcode != NetlogonUnknownEX {
		return nil, malformed("netlogon answer has opcode %d", r.Opcode)
	}
	at := fixed
	var err error
	for _, to := range []*string{&r.Forest, &r.Domain, &r.Host, &r.NetBIOSDomain, &r.NetBIOSComputer, &r.User, &r.Site, &r.ClientSite} {
		if *to, at, err = readName(b, at); err != nil {
			return nil, err
		}
	}
	if r.NTVersion&NTVersion5EXWithIP != 0 {
		if at, err = r.readAddress(b, at); err != nil {
			return nil, err
		}
	}
	if r.NTVersion&NTVersionWithClosestSite != 0 {
		if r.NextClosestSite, at, err = readName(b, at); err != nil {
			return nil, err
		}
	}
	if at != len(b)-tail {
		return nil, malformed("netlogon answer: %d octets left over", len(b)-tail-at)
	}
	return r, nil
}

func (r *NetlogonResponse) readAddress(b []byte, at int) (int, error) {
	if at >= len(b) || at+1+int(b[at]) > len(b) {
		return 0, malformed("netlogon answer: address ends early")
	}
	end := at + 1 + int(b[at])
	if a := b[at+1 : end]; len(a) == 16 && a[0] == 2 {
		r.Address = netip.AddrFrom4([4]byte(a[4:8]))
	}
	return end, nil
}

// readName follows pointers backwards only; a loop would have to add labels and so runs into the bound on names.
func readName(b []byte, at int) (name string, next int, err error) {
	var s strings.Builder
	next = -1
	for at < len(b) {
		n := int(b[at])
		switch {
		case n == 0:
			if next < 0 {
				next = at + 1
			}
			return s.String(), next, nil
		case n&0xc0 == 0xc0 && at+1 < len(b):
			if next < 0 {
				next = at + 2
			}
			to := n&0x3f<<8 | int(b[at+1])
			if to >= at {
				return "", 0, malformed("name points forward")
			}
			at = to
			continue
		case n > maxNetlogonLabel || at+1+n > len(b):
			return "", 0, malformed("label of %d octets", n)
		}
		if s.Len() > 0 {
			s.WriteByte('.')
		}
		s.Write(b[at+1 : at+1+n])
		if s.Len() > maxNetlogonName {
			return "", 0, malformed("name of more than %d octets", maxNetlogonName)
		}
		at += 1 + n
	}
	return "", 0, malformed("name ends early")
}
