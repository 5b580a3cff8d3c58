package kdc

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/krb5"
)

// Directory is what the server needs of the database behind it;
// *directory.Replica is one.
type Directory interface {
	Directory() *directory.Directory
	HostName() string
	Now() time.Time
	Self() (directory.Account, bool)
	AccountBySAM(sam string) (directory.Account, bool)
	AccountByUPN(upn string) (directory.Account, bool)
	AccountBySPN(spn string) (directory.Account, bool)
	Keys(a directory.Account) []directory.Key
	Restriction(a directory.Account) directory.Restriction
	Failed(ctx context.Context, a directory.Account)
	Succeeded(ctx context.Context, a directory.Account)
	Identify(a directory.Account) directory.Identity
	SetPassword(ctx context.Context, by directory.Identity, a directory.Account, password string) error
}

// Server is the key distribution centre of one controller. Only Directory must
// be set. It is safe for several goroutines.
type Server struct {
	Directory Directory
	Seed      vclock.Seed      // of session keys
	Clock     vclock.Clock     // in whose time streams have deadlines; nil: they may idle for ever
	Timing    *timing.Profile  // nil: Windows'
	Journal   *journal.Journal // nil: nothing is recorded

	once     sync.Once
	drawing  sync.Mutex
	entropy  io.Reader
	tickets  krb5.Replays
	binds    krb5.Replays
	password krb5.Replays
	resent   answers
}

// realm is the domain's, in capitals.
func (s *Server) realm() string { return s.Directory.Directory().Realm() }

// ours tells whether a realm's name means this one.
func (s *Server) ours(realm string) bool {
	return strings.EqualFold(realm, s.realm()) || strings.EqualFold(realm, s.Directory.Directory().NetBIOS())
}

func (s *Server) timing() *timing.Profile {
	if s.Timing == nil {
		return timing.Default()
	}
	return s.Timing
}

func (s *Server) random(n int) []byte {
	s.once.Do(func() { s.entropy = s.Seed.Reader("kdc", s.Directory.HostName()) })
	s.drawing.Lock()
	defer s.drawing.Unlock()
	b := make([]byte, n)
	_, _ = io.ReadFull(s.entropy, b) // a seed's stream has no end
	return b
}

// HandlePacket answers a datagram to port 88; nil: with nothing, because it is
// no request.
func (s *Server) HandlePacket(ctx context.Context, from net.Addr, packet []byte) []byte {
	if again := s.resent.find(from, packet, s.Directory.Now()); again != nil {
		return again
	}
	answer := s.answer(ctx, packet)
	if len(answer) > s.timing().Kerberos.DatagramReply {
		// The client asks the same again over a stream.
		s.resent.keep(nil, packet, answer, s.Directory.Now())
		answer = s.refusal(nil, krb5.Refusal(krb5.ErrTooBig))
	} else if answer != nil {
		s.resent.keep(from, packet, answer, s.Directory.Now())
	}
	return answer
}

// ServeStream answers what comes over a connection to port 88, and closes it.
func (s *Server) ServeStream(ctx context.Context, c net.Conn) {
	s.stream(c, func(packet []byte) []byte {
		if waits := s.resent.find(nil, packet, s.Directory.Now()); waits != nil {
			return waits
		}
		return s.answer(ctx, packet)
	})
}

func (s *Server) stream(c net.Conn, answer func(packet []byte) []byte) {
	defer c.Close()
	for {
		if s.Clock != nil && c.SetDeadline(s.Clock.Now().Add(s.timing().Kerberos.FirstRequest)) != nil {
			return
		}
		packet, err := krb5.ReadFrame(c)
		var refused *krb5.Error
		if errors.As(err, &refused) {
			_ = krb5.WriteFrame(c, s.refusal(nil, refused)) // the connection ends either way
			return
		}
		if err != nil {
			return
		}
		reply := answer(packet)
		if reply == nil || krb5.WriteFrame(c, reply) != nil {
			return
		}
	}
}

// answer is the message for a request; nil for what is none.
func (s *Server) answer(ctx context.Context, packet []byte) []byte {
	if len(packet) == 0 || packet[0] != 0x60|krb5.TypeAS && packet[0] != 0x60|krb5.TypeTGS {
		return nil
	}
	req, err := krb5.DecodeRequest(packet)
	if err != nil {
		s.record(ctx, operation(packet), krb5.Name{}, krb5.Name{}, err)
		return s.refusal(nil, numbered(err))
	}
	var out []byte
	var client krb5.Name
	if req.Type == krb5.TypeAS {
		client = req.Client
		out, err = s.authenticate(ctx, req)
	} else {
		client, out, err = s.grant(req)
	}
	s.record(ctx, operation(packet), client, req.Server, err)
	if err != nil {
		return s.refusal(req, numbered(err))
	}
	return out
}

func operation(packet []byte) string {
	if packet[0] == 0x60|krb5.TypeAS {
		return "AS-REQ"
	}
	return "TGS-REQ"
}

// numbered is the error for the wire: what has no number of its own is generic.
func numbered(err error) *krb5.Error {
	var e *krb5.Error
	if errors.As(err, &e) {
		return e
	}
	return krb5.Refusal(krb5.ErrGeneric)
}

// refusal is a KRB-ERROR with who says it, to whom, and when.
func (s *Server) refusal(req *krb5.Request, e *krb5.Error) []byte {
	told := *e
	told.Realm, told.ServerTime, told.Server = s.realm(), s.Directory.Now(), krb5.TGS(s.realm())
	told.Text = "" // controllers give none
	if req != nil {
		if !req.Server.Zero() {
			told.Server = req.Server
		}
		if told.Code == krb5.ErrWrongRealm {
			told.ClientRealm, told.Client = s.realm(), req.Client
		}
	}
	return told.Encode()
}

// record journals a request and how it ended. That a client has to prove itself
// first is no refusal.
func (s *Server) record(ctx context.Context, operation string, client, server krb5.Name, err error) {
	if s.Journal == nil {
		return
	}
	f := append(make([]journal.Field, 0, 6), journal.F("service", s.Directory.HostName()), journal.F("operation", operation),
		journal.F("name", server.String()), journal.F("by", client.String()))
	if err == nil || errors.Is(err, krb5.Refusal(krb5.ErrPreauthRequired)) {
		s.Journal.Record(vnet.DeviceOf(ctx), "kerberos.request", append(f, journal.F("granted", err == nil))...)
		return
	}
	s.Journal.Record(vnet.DeviceOf(ctx), journal.Refused, append(f, journal.F("check", numbered(err).Name()), journal.F("why", err.Error()))...)
}
