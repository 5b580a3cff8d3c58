package adclient

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"windtunnel.test/sim/wire/krb5"
)

// Secret is what an account proves itself with.
type Secret struct {
	Password string
	Keys     []krb5.Key // in place of the password
}

// Credentials are an account's ticket-granting ticket and what was got with it. They belong to one actor.
type Credentials struct {
	Realm  string
	Client krb5.Name // as the controller knows it
	TGT    Service

	h        Host
	kdc      string
	services map[string]*Service
}

// Service is a ticket with its session key.
type Service struct {
	Name    krb5.Name
	Ticket  krb5.Ticket
	Session krb5.Key
	Flags   krb5.Flags
	// Start, End and RenewTill are the controller's times; RenewTill is zero for a ticket that cannot be renewed.
	Start, End, RenewTill time.Time
}

// portKerberos and portPassword are a controller's.
const (
	portKerberos = "88"
	portPassword = "464"
)

// maxDatagram is more than a controller puts into one.
const maxDatagram = 8 << 10

var (
	errNoKey   = errors.New("kerberos: no key of a type that the controller takes")
	errFar     = errors.New("kerberos: the ticket is of another realm")
	errNoRenew = errors.New("kerberos: the ticket cannot be renewed")
)

// Logon gets a ticket-granting ticket from a controller (an AS exchange, RFC 4120 3.1): first without proof, to learn how
// the key is salted, then with the time sealed with it. kdc is the controller's name, or name and port; principal is
// "anna", "PC-1$" or a user principal name "anna@contoso.com". A refusal is *krb5.Error.
func Logon(ctx context.Context, h Host, kdc, realm, principal string, s Secret) (*Credentials, error) {
	c := &Credentials{Realm: realm, Client: clientName(principal), h: h, kdc: kdc, services: map[string]*Service{}}
	tgt, err := c.initial(ctx, s, krb5.TGS(realm), krb5.Forwardable|krb5.Renewable|krb5.Canonicalize|krb5.RenewableOK)
	if err != nil {
		return nil, fmt.Errorf("kerberos: logon of %s: %w", principal, err)
	}
	c.TGT = *tgt
	return c, nil
}

// clientName is how Windows names an account: a user principal name whole, as an enterprise name (RFC 6806 5).
func clientName(principal string) krb5.Name {
	for i := range len(principal) {
		if principal[i] == '@' {
			return krb5.Enterprise(principal)
		}
	}
	return krb5.ParseName(principal)
}

// initial is an AS exchange for a server.
func (c *Credentials) initial(ctx context.Context, s Secret, server krb5.Name, options krb5.Flags) (*Service, error) {
	req := c.request(krb5.TypeAS, server, options)
	req.Client = c.Client
	req.EncryptionTypes, req.Host = s.types(), c.h.Name
	// Whoever asks without a PAC may be refused by services of a real domain ([MS-KILE] 2.2.3).
	pac := krb5.PAData{Type: krb5.PAPACRequest, Value: []byte{0x30, 5, 0xa0, 3, 1, 1, 0xff}}
	req.PAData = []krb5.PAData{pac}
	answer, err := c.ask(ctx, req)
	var refusal *krb5.Error
	var key krb5.Key
	if errors.As(err, &refusal) && refusal.Code == krb5.ErrPreauthRequired {
		list, derr := krb5.DecodePAData(refusal.Data)
		if derr != nil {
			return nil, derr
		}
		if key, err = c.key(s, list); err != nil {
			return nil, err
		}
		stamp, serr := krb5.EncryptedTimestamp(key, c.h.now())
		if serr != nil {
			return nil, serr
		}
		req.Nonce = c.nonce()
		req.PAData = []krb5.PAData{{Type: krb5.PAEncTimestamp, Value: stamp}, pac}
		answer, err = c.ask(ctx, req)
	}
	if err != nil {
		return nil, err
	}
	if key.Value == nil || key.Type != answer.SealedWith() {
		if key, err = c.keyOfType(s, answer.SealedWith(), answer.PAData); err != nil {
			return nil, err
		}
	}
	part, err := answer.Open(key, false, req)
	if err != nil {
		return nil, err
	}
	c.Client = answer.Client // in its canonical form
	return serviceOf(part, answer), nil
}

func (s Secret) types() []int32 {
	if s.Keys == nil {
		return krb5.EncryptionTypes
	}
	var list []int32
	for _, k := range s.Keys {
		list = append(list, k.Type)
	}
	return list
}

// key is the one for the best encryption type that a controller names. One that names none, for an account without keys,
// is answered with what it would have been: the refusal that follows says why.
func (c *Credentials) key(s Secret, list []krb5.PAData) (krb5.Key, error) {
	named := typesOf(list)
	if len(named) == 0 {
		named = []krb5.ETypeInfo{{Type: s.types()[0], Salt: krb5.UserSalt(c.Realm, c.Client.String())}}
	}
	for _, i := range named {
		if k, err := c.derive(s, i); err == nil {
			return k, nil
		}
	}
	return krb5.Key{}, errNoKey
}

func (c *Credentials) keyOfType(s Secret, etype int32, list []krb5.PAData) (krb5.Key, error) {
	for _, i := range typesOf(list) {
		if i.Type == etype {
			return c.derive(s, i)
		}
	}
	return c.derive(s, krb5.ETypeInfo{Type: etype, Salt: krb5.UserSalt(c.Realm, c.Client.String())})
}

// typesOf reads what a controller says of its encryption types; nothing where it says it wrongly.
func typesOf(list []krb5.PAData) []krb5.ETypeInfo {
	for _, p := range list {
		if p.Type == krb5.PAETypeInfo2 {
			types, err := krb5.DecodeETypeInfo2(p.Value)
			if err == nil {
				return types
			}
		}
	}
	return nil
}

func (c *Credentials) derive(s Secret, i krb5.ETypeInfo) (krb5.Key, error) {
	if s.Keys == nil {
		return krb5.StringToKey(i.Type, s.Password, i.Salt)
	}
	for _, k := range s.Keys {
		if k.Type == i.Type {
			return k, nil
		}
	}
	return krb5.Key{}, errNoKey
}

// Service gets a ticket for a service, "ldap/dc1.corp.contoso.com", or gives the one that was got before (a TGS exchange,
// RFC 4120 3.3).
func (c *Credentials) Service(ctx context.Context, spn string) (*Service, error) {
	if s := c.services[spn]; s != nil && c.h.now().Before(s.End) {
		return s, nil
	}
	s, err := c.grant(ctx, krb5.ParseName(spn), krb5.Forwardable|krb5.Renewable|krb5.Canonicalize)
	if err != nil {
		return nil, fmt.Errorf("kerberos: ticket for %s: %w", spn, err)
	}
	c.services[spn] = s
	return s, nil
}

// Renew gets a ticket-granting ticket with a new end for the one there is, which has to be good still.
func (c *Credentials) Renew(ctx context.Context) error {
	if !c.TGT.Flags.Has(krb5.Renewable) {
		return errNoRenew
	}
	s, err := c.grant(ctx, krb5.TGS(c.Realm), krb5.Forwardable|krb5.Renewable|krb5.Canonicalize|krb5.Renew)
	if err != nil {
		return fmt.Errorf("kerberos: renewal: %w", err)
	}
	c.TGT = *s
	return nil
}

func (c *Credentials) grant(ctx context.Context, server krb5.Name, options krb5.Flags) (*Service, error) {
	req := c.request(krb5.TypeTGS, server, options)
	sum, err := krb5.BodyChecksum(c.TGT.Session, req.EncodeBody())
	if err != nil {
		return nil, err
	}
	sub := krb5.NewKey(c.TGT.Session.Type, c.h.Random)
	proof, err := krb5.NewAPRequest(c.TGT.Ticket, c.TGT.Session, 0, &krb5.Authenticator{
		ClientRealm: c.Realm, Client: c.Client, Time: c.h.now(), Checksum: sum, Subkey: sub,
	})
	if err != nil {
		return nil, err
	}
	req.PAData = []krb5.PAData{{Type: krb5.PATGSRequest, Value: proof}}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return nil, err
	}
	part, err := answer.Open(sub, true, req)
	if err != nil {
		return nil, err
	}
	if part.Server.Parts[0] == "krbtgt" && !part.Server.Equal(krb5.TGS(c.Realm)) {
		return nil, errFar // a referral, which this client does not follow
	}
	return serviceOf(part, answer), nil
}

func serviceOf(p *krb5.ReplyPart, r *krb5.Reply) *Service {
	return &Service{p.Server, r.Ticket, p.Key, p.Flags, p.StartTime, p.EndTime, p.RenewTill}
}

func (c *Credentials) request(kind int, server krb5.Name, options krb5.Flags) *krb5.Request {
	p := c.h.timing().Kerberos
	now := c.h.now()
	return &krb5.Request{
		Type: kind, Options: options, Realm: c.Realm, Server: server, Till: now.Add(p.TicketLife), RenewTill: now.Add(p.RenewLife),
		Nonce: c.nonce(), EncryptionTypes: krb5.EncryptionTypes,
	}
}

func (c *Credentials) nonce() int {
	return int(binary.BigEndian.Uint32(c.h.Random(4)) >> 1)
}

// ask sends a request and reads its answer.
func (c *Credentials) ask(ctx context.Context, req *krb5.Request) (*krb5.Reply, error) {
	b, err := c.h.exchange(ctx, atPort(c.kdc, portKerberos), req.Encode(), func(b []byte) bool {
		e, err := krb5.DecodeError(b)
		return err == nil && e.Code == krb5.ErrTooBig
	})
	if err != nil {
		return nil, err
	}
	return krb5.DecodeReply(req.Type, b)
}

func atPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(host, port)
}

// exchange asks by datagram, several times, and then, or where the question or the answer is too big for one, by stream.
func (h Host) exchange(ctx context.Context, address string, packet []byte, tooBig func(answer []byte) bool) ([]byte, error) {
	p := h.timing().Kerberos
	if len(packet) <= p.DatagramMost {
		for range p.Tries {
			b, err := h.byDatagram(ctx, address, packet)
			if err == nil && !tooBig(b) {
				return b, nil
			}
			if context.Cause(ctx) != nil {
				return nil, context.Cause(ctx)
			}
			var waited net.Error
			if err == nil || !errors.As(err, &waited) || !waited.Timeout() {
				break
			}
		}
	}
	return h.byStream(ctx, address, packet)
}

func (h Host) byDatagram(ctx context.Context, address string, packet []byte) ([]byte, error) {
	conn, err := h.Net.Dial(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := h.within(conn, h.timing().Kerberos.Wait); err != nil {
		return nil, err
	}
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	b := make([]byte, maxDatagram)
	n, err := conn.Read(b)
	return b[:max(n, 0)], err
}

func (h Host) byStream(ctx context.Context, address string, packet []byte) ([]byte, error) {
	conn, err := h.Net.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("kerberos: %w", err)
	}
	defer conn.Close()
	if err := h.within(conn, h.timing().Kerberos.Wait); err != nil {
		return nil, err
	}
	if err := krb5.WriteFrame(conn, packet); err != nil {
		return nil, fmt.Errorf("kerberos: %s: %w", address, err)
	}
	b, err := krb5.ReadFrame(conn)
	if err != nil {
		return nil, fmt.Errorf("kerberos: no answer of %s: %w", address, err)
	}
	return b, nil
}

// localAddress is the end of a connection that is ours, as four bytes or sixteen.
func localAddress(c net.Conn) []byte {
	host, _, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		return make([]byte, net.IPv4len)
	}
	ip := net.ParseIP(host)
	if four := ip.To4(); four != nil {
		return four
	}
	return ip
}
