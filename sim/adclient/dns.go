package adclient

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// errNoNameServer is the state of a card that no network told of one.
var errNoNameServer = errors.New("no name server")

// resolve asks the card's DNS servers one question, as Windows' resolver paces it: again after one second, then each time
// after as long as it has waited in all, and over TCP where the answer did not fit (RFC 1035 4.2). A name that does not
// exist is a *net.DNSError with IsNotFound.
func resolve(ctx context.Context, h Host, name string, kind uint16) (*dns.Msg, error) {
	servers := h.Net.NameServers()
	if len(servers) == 0 {
		return nil, dnsFailed(name, errNoNameServer)
	}
	t := h.timing().Hybrid
	start := h.Clock.Now()
	var last error
	for i := range t.DNSQueries {
		until := start.Add(t.DNSGiveUp)
		if next := start.Add(t.DNSResend << i); i < t.DNSQueries-1 && next.Before(until) {
			until = next
		}
		m, err := ask(ctx, h, servers[i%len(servers)], name, kind, until)
		if err == nil && m.Rcode != dns.RcodeServerFailure {
			return judge(name, m)
		}
		if context.Cause(ctx) != nil {
			return nil, context.Cause(ctx)
		}
		if last = err; err == nil {
			last = errors.New(dns.RcodeToString[m.Rcode])
		}
	}
	return nil, dnsFailed(name, last)
}

func dnsFailed(name string, err error) error {
	e := &net.DNSError{Err: err.Error(), Name: name, UnwrapErr: err, IsTemporary: true}
	var n net.Error
	e.IsTimeout = errors.As(err, &n) && n.Timeout()
	return e
}

func judge(name string, m *dns.Msg) (*dns.Msg, error) {
	switch m.Rcode {
	case dns.RcodeSuccess:
		return m, nil
	case dns.RcodeNameError:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return nil, dnsFailed(name, errors.New(dns.RcodeToString[m.Rcode]))
}

// ask puts the question to one server and waits for the answer until a moment of the network's clock.
func ask(ctx context.Context, h Host, server, name string, kind uint16, until time.Time) (*dns.Msg, error) {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	q.Id = binary.BigEndian.Uint16(h.Random(2))
	m, err := askOver(ctx, h, "udp", server, q, until)
	if err == nil && m.Truncated {
		return askOver(ctx, h, "tcp", server, q, until)
	}
	return m, err
}

func askOver(ctx context.Context, h Host, network, server string, q *dns.Msg, until time.Time) (*dns.Msg, error) {
	packet, err := q.Pack()
	if err != nil {
		return nil, fmt.Errorf("question: %w", err)
	}
	c, err := h.Net.Dial(ctx, network, withPort(server, "53"))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(until); err != nil {
		return nil, err
	}
	if network == "tcp" {
		packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	if _, err := c.Write(packet); err != nil {
		return nil, err
	}
	for {
		b, err := readAnswer(c, network)
		if err != nil {
			return nil, err
		}
		if m := answerTo(q, b); m != nil {
			return m, nil
		}
		if network == "tcp" {
			return nil, errors.New("answer to another question")
		}
	}
}

// withPort is an address with the port that it has, or the usual one.
func withPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(host, port)
}

func readAnswer(c net.Conn, network string) ([]byte, error) {
	if network == "udp" {
		b := make([]byte, 4096)
		n, err := c.Read(b)
		return b[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(c, b)
	return b, err
}

// answerTo reads an answer; what is not one to this question is nil (RFC 5452 9.1).
func answerTo(q *dns.Msg, b []byte) *dns.Msg {
	m := new(dns.Msg)
	if m.Unpack(b) != nil || !m.Response || m.Id != q.Id || len(m.Question) != 1 {
		return nil
	}
	got, want := m.Question[0], q.Question[0]
	if got.Qtype != want.Qtype || got.Qclass != want.Qclass || !strings.EqualFold(got.Name, want.Name) {
		return nil
	}
	return m
}

// service is one target of an SRV record.
type service struct {
	host     string
	port     uint16
	priority uint16
	weight   uint16
}

// lookupSRV are a service's targets in the order in which to try them (RFC 2782). A name without such records has none.
func lookupSRV(ctx context.Context, h Host, name string) ([]service, error) {
	m, err := resolve(ctx, h, name, dns.TypeSRV)
	if err != nil {
		return nil, err
	}
	return order(h, targets(m)), nil
}

// targets are an answer's SRV records in a fixed order. The target "." says that the service is not there.
func targets(m *dns.Msg) []service {
	var list []service
	for _, r := range m.Answer {
		if s, ok := r.(*dns.SRV); ok && s.Target != "." {
			list = append(list, service{strings.ToLower(strings.TrimSuffix(s.Target, ".")), s.Port, s.Priority, s.Weight})
		}
	}
	// Servers turn their answers round (RFC 1794); weights of 0 come first (RFC 2782).
	slices.SortFunc(list, func(a, b service) int {
		if d := int(a.priority) - int(b.priority); d != 0 {
			return d
		}
		if d := int(a.weight) - int(b.weight); d != 0 {
			return d
		}
		return strings.Compare(a.host, b.host)
	})
	return list
}

// order draws within each priority by weight. Where all weights are 0 each is as likely as another.
func order(h Host, list []service) []service {
	for start := 0; start < len(list); {
		end := start
		for end < len(list) && list[end].priority == list[start].priority {
			end++
		}
		for ; start < end-1; start++ {
			sum := 0
			for _, s := range list[start:end] {
				sum += int(s.weight) + 1
			}
			pick, at := h.number(sum), start
			for ; pick > int(list[at].weight); at++ {
				pick -= int(list[at].weight) + 1
			}
			chosen := list[at]
			copy(list[start+1:at+1], list[start:at])
			list[start] = chosen
		}
		start = end
	}
	return list
}
