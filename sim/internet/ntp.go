package internet

import (
	"context"
	"encoding/binary"
	"net"
	"time"
)

// ntpEpoch is where NTP's seconds count from (RFC 5905, 6).
var ntpEpoch = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// TimeServer answers SNTP clients (RFC 4330) with the time that now gives. It
// is a packet handler of a network.
func TimeServer(now func() time.Time) func(context.Context, net.Addr, []byte) []byte {
	return func(_ context.Context, _ net.Addr, question []byte) []byte { return timeAnswer(question, now()) }
}

// timeAnswer is the server's packet for a client's, nil for anything that is
// no client's question.
func timeAnswer(question []byte, now time.Time) []byte {
	if len(question) < 48 || question[0]&7 != 3 {
		return nil
	}
	a := make([]byte, 48)
	a[0] = question[0]&0x38 | 4 // same version, server
	a[1], a[2], a[3] = 2, question[2], 0xEC
	copy(a[12:16], "GPS\x00")
	stamp := ntpTime(now)
	copy(a[24:32], question[40:48]) // origin: the client's transmit time
	binary.BigEndian.PutUint64(a[16:], stamp)
	binary.BigEndian.PutUint64(a[32:], stamp)
	binary.BigEndian.PutUint64(a[40:], stamp)
	return a
}

func ntpTime(t time.Time) uint64 {
	d := t.Sub(ntpEpoch)
	seconds := uint64(d / time.Second)
	fraction := uint64(d%time.Second) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}
