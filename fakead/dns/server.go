package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"windtunnel.test/sim/vclock"
)

// Controller is what the zone says of a domain controller.
type Controller struct {
	Host      string // "dc1.corp.contoso.com"
	Site      string
	Settings  string // text of its settings object's GUID, its name in _msdcs
	Primary   bool   // holds the operations master roles
	Catalog   bool   // global catalogue
	Addresses []netip.Addr
}

// Server serves one zone. Its methods may be called from any goroutine.
type Server struct {
	Domain      string              // "corp.contoso.com", the forest's too
	DomainGUID  string              // text
	Host        string              // this server's own name
	Sites       func() []string     // of the forest; nil: those of the controllers
	Controllers func() []Controller // in order
	TTL         time.Duration
	Clock       vclock.Clock  // in whose time connections have deadlines; nil: connections may idle for ever
	Idle        time.Duration // how long a connection may

	mu    sync.Mutex
	known []Controller        // what the table was made of
	table map[string][]dns.RR // by owner; names between others have no records
}

// Sizes of messages over UDP: without EDNS (RFC 1035 4.2.1), and the most that
// is believed with it.
const (
	udpSize    = 512
	udpMaximum = 4096
)

// HandlePacket answers a question over UDP, nil where it deserves no answer.
func (s *Server) HandlePacket(_ context.Context, _ net.Addr, packet []byte) []byte {
	if len(packet) > udpMaximum {
		return nil
	}
	query, reply := s.answer(packet)
	if reply == nil {
		return nil
	}
	size := udpSize
	if o := query.IsEdns0(); o != nil {
		size = min(max(int(o.UDPSize()), udpSize), udpMaximum)
	}
	reply.Truncate(size)
	return pack(reply)
}

// ServeStream answers questions over TCP, each with its length before it, and
// closes the connection.
func (s *Server) ServeStream(_ context.Context, c net.Conn) {
	defer c.Close()
	for {
		if s.Clock != nil && s.Idle > 0 {
			// A connection that takes no deadline fails to be read as well.
			_ = c.SetDeadline(s.Clock.Now().Add(s.Idle))
		}
		packet, err := readMessage(c)
		if err != nil {
			return
		}
		_, reply := s.answer(packet)
		if reply == nil {
			return
		}
		reply.Truncate(dns.MaxMsgSize)
		out := pack(reply)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil {
			return
		}
	}
}

var errEmpty = errors.New("dns: message without content")

func readMessage(c io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(size[:])
	if n == 0 {
		return nil, errEmpty
	}
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	return b, err
}

func pack(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		// A name of the zone that does not fit: say that it is our fault.
		failed := &dns.Msg{MsgHdr: dns.MsgHdr{Id: m.Id, Response: true, Opcode: m.Opcode, Rcode: dns.RcodeServerFailure}}
		b, _ = failed.Pack()
	}
	return b
}

// answer decodes and answers; a nil reply says nothing, which is right for what
// is no question at all.
func (s *Server) answer(packet []byte) (query, reply *dns.Msg) {
	query = new(dns.Msg)
	err := query.Unpack(packet)
	switch {
	case len(packet) < 12 || query.Response:
		return query, nil
	case err != nil:
		return query, failure(query, dns.RcodeFormatError)
	case query.Opcode != dns.OpcodeQuery:
		return query, failure(query, dns.RcodeNotImplemented)
	case len(query.Question) != 1:
		return query, failure(query, dns.RcodeFormatError)
	}
	reply = new(dns.Msg)
	reply.SetReply(query)
	reply.Compress = true
	if o := query.IsEdns0(); o != nil {
		if o.Version() != 0 {
			reply.SetEdns0(udpMaximum, false)
			reply.Rcode = dns.RcodeBadVers
			return query, reply
		}
		defer reply.SetEdns0(udpMaximum, false)
	}
	s.resolve(reply, query.Question[0])
	return query, reply
}

func failure(query *dns.Msg, code int) *dns.Msg {
	m := new(dns.Msg)
	m.Id, m.Response, m.Opcode, m.RecursionDesired, m.Rcode = query.Id, true, query.Opcode, query.RecursionDesired, code
	return m
}
