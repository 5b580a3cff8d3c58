package krb5

import (
	"bytes"
	"testing"
	"time"
)

// What comes from outside may be anything: none of the decoders may crash.

func sampleRequest(kind int) []byte {
	r := Request{Type: kind, Options: Forwardable, Client: ParseName("anna"), Realm: "CORP.CONTOSO.COM", Server: TGS("CORP.CONTOSO.COM"),
		Till: noon, Nonce: 7, EncryptionTypes: EncryptionTypes, Host: "PC-1", PAData: []PAData{{PAEncTimestamp, []byte("x")}}}
	return r.Encode()
}

func FuzzRequest(f *testing.F) {
	f.Add(sampleRequest(TypeAS))
	f.Add(sampleRequest(TypeTGS))
	// Additional tickets whose length the library trusts.
	f.Add(append(bytes.Clone(sampleRequest(TypeTGS)), 0xab, 2, 0x30, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRequest(b)
		if err != nil {
			return
		}
		_ = r.Server.String()
		for _, p := range r.PAData {
			_, _ = TimestampType(p.Value)
			_, _ = OpenTimestamp(serviceKey, p.Value)
		}
	})
}

func FuzzAPRequest(f *testing.F) {
	i, a := pair(AES256, false)
	token, _, _ := i.Init(nil)
	ap, _ := openToken(token, idAPRequest)
	f.Add(ap)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = (&Verifier{Keys: a.Verifier.Keys, Now: a.Verifier.Now, Skew: time.Minute}).Verify(b)
	})
}

func FuzzAccept(f *testing.F) {
	for _, spnego := range []bool{false, true} {
		i, _ := pair(AES256, spnego)
		token, _, _ := i.Init(nil)
		f.Add(token, encodeResp(acceptIncomplete, nil, token, []byte("mic")))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		_, a := pair(AES256, false)
		if _, done, err := a.Accept(first); err != nil || done {
			_, _, _ = a.Unwrap(second)
			return
		}
		_, _, _ = a.Accept(second)
	})
}

func FuzzInit(f *testing.F) {
	i, a := pair(AES256, true)
	token, _, _ := i.Init(nil)
	answer, _, _ := a.Accept(token)
	f.Add(answer, true)
	f.Add(frame(oidKerberos, idError, Refusal(ErrSkew).Encode()), false)
	f.Fuzz(func(t *testing.T, b []byte, spnego bool) {
		i, _ := pair(AES256, spnego)
		_, _, _ = i.Init(nil)
		_, _, _ = i.Init(b)
	})
}

func FuzzUnwrap(f *testing.F) {
	var l layer
	l.key = serviceKey
	for _, seal := range []bool{true, false} {
		c, _ := l.wrap(seal, []byte("message"))
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = (&layer{key: serviceKey, acceptor: true}).unwrap(b)
		_ = (&layer{key: serviceKey, acceptor: true}).verifyMIC([]byte("m"), b)
	})
}

func FuzzReply(f *testing.F) {
	part := TicketPart{Key: serviceKey, ClientRealm: "A", Client: ParseName("anna"), AuthTime: noon, EndTime: noon}
	ticket, _ := part.Seal(serviceKey, 1, "A", TGS("A"))
	reply := Reply{Type: TypeAS, ClientRealm: "A", Client: ParseName("anna"), Ticket: ticket}
	b, _ := reply.Encode(&ReplyPart{Key: serviceKey, Nonce: 7, AuthTime: noon, EndTime: noon, Realm: "A", Server: TGS("A")}, serviceKey, 1, false)
	f.Add(b)
	f.Add((&Error{Code: ErrPreauthRequired, Data: EncodePAData([]PAData{{PAETypeInfo2, EncodeETypeInfo2([]ETypeInfo{{AES256, "salt"}})}})}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []int{TypeAS, TypeTGS} {
			if r, err := DecodeReply(kind, b); err == nil {
				_, _ = r.Open(serviceKey, false, &Request{Nonce: 7, Realm: "A", Server: TGS("A")})
			}
		}
		if e, err := DecodeError(b); err == nil {
			_ = e.Error()
			_, _ = e.Status()
			if list, err := DecodePAData(e.Data); err == nil {
				for _, p := range list {
					_, _ = DecodeETypeInfo2(p.Value)
				}
			}
			_ = e.Encode()
		}
	})
}

func FuzzPasswordExchange(f *testing.F) {
	i, a := pair(AES256, false)
	token, _, _ := i.Init(nil)
	ap, _ := openToken(token, idAPRequest)
	b, _ := NewPasswordExchange(ap, i.sub, 1, []byte{127, 0, 0, 1}, PasswordRequest{Password: "x", Target: ParseName("anna"), Realm: "A"})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := DecodePasswordExchange(b); err == nil {
			if v, err := (&Verifier{Keys: a.Verifier.Keys, Now: a.Verifier.Now, Skew: time.Minute}).Verify(x.AP); err == nil {
				_, _ = x.Open(v)
			}
		}
		_, _ = DecodePasswordResult(b, serviceKey, serviceKey, noon)
		_, _ = decodePasswordResult(b)
		_, _ = ReadFrame(bytes.NewReader(b))
	})
}
