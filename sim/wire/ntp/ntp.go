// Package ntp is the packet of SNTP (RFC 4330): a client's question and a
// server's answer. Authentication, and all that makes NTP more than asking for
// the time, is not here.
package ntp

import (
	"encoding/binary"
	"errors"
	"time"
)

// Size is the length of a packet without extensions, in bytes.
const Size = 48

// Modes and version of the first byte (RFC 4330, 4).
const (
	version    = 4 << 3
	modeMask   = 7
	modeClient = 3
	modeServer = 4
)

// epoch is where NTP's seconds count from.
var epoch = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// ErrPacket says that a packet is not what it should be.
var ErrPacket = errors.New("the answer is not from a time server")

// Question is what a client sends.
func Question() []byte {
	q := make([]byte, Size)
	q[0] = version | modeClient
	return q
}

// Answer is a server's packet for a client's, nil for anything that is no
// client's question.
func Answer(question []byte, now time.Time) []byte {
	if len(question) < Size || question[0]&modeMask != modeClient {
		return nil
	}
	a := make([]byte, Size)
	a[0] = question[0]&0x38 | modeServer // same version
	a[1], a[2], a[3] = 2, question[2], 0xEC
	copy(a[12:16], "GPS\x00")
	stamp := timestamp(now)
	copy(a[24:32], question[40:48]) // origin: the client's transmit time
	binary.BigEndian.PutUint64(a[16:], stamp)
	binary.BigEndian.PutUint64(a[32:], stamp)
	binary.BigEndian.PutUint64(a[40:], stamp)
	return a
}

// Time is the transmit time of a server's answer.
func Time(answer []byte) (time.Time, error) {
	if len(answer) < Size || answer[0]&modeMask != modeServer {
		return time.Time{}, ErrPacket
	}
	seconds, fraction := binary.BigEndian.Uint32(answer[40:]), binary.BigEndian.Uint32(answer[44:])
	return epoch.Add(time.Duration(seconds) * time.Second).Add(time.Duration(uint64(fraction) * uint64(time.Second) >> 32)), nil
}

func timestamp(t time.Time) uint64 {
	d := t.Sub(epoch)
	return uint64(d/time.Second)<<32 | uint64(d%time.Second)<<32/uint64(time.Second)
}
