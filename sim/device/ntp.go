package device

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
)

// ntpEpoch is where NTP's seconds count from (RFC 5905, 6).
var ntpEpoch = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// AskTime asks a time server by SNTP (RFC 4330) and gives its transmit time.
func (w *Windows) AskTime(ctx context.Context, host string) (time.Time, error) {
	conn, err := w.NIC.Dial(ctx, "udp", net.JoinHostPort(host, "123"))
	if err != nil {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, err)
	}
	defer conn.Close()
	request := make([]byte, 48)
	request[0] = 4<<3 | 3 // version 4, client
	if err := conn.SetDeadline(w.Clock.Now().Add(w.Timing.Network.ReceiveTimeout)); err != nil {
		return time.Time{}, err
	}
	if _, err := conn.Write(request); err != nil {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, err)
	}
	answer := make([]byte, 128)
	n, err := conn.Read(answer)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, err)
	}
	if n < 48 || answer[0]&7 != 4 {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, errNotNTP)
	}
	seconds := binary.BigEndian.Uint32(answer[40:])
	fraction := binary.BigEndian.Uint32(answer[44:])
	return ntpEpoch.Add(time.Duration(seconds) * time.Second).Add(time.Duration(uint64(fraction) * uint64(time.Second) >> 32)), nil
}

var errNotNTP = errors.New("the answer is not from a time server")
