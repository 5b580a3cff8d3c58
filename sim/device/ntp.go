package device

import (
	"context"
	"fmt"
	"net"
	"time"

	"windtunnel.test/sim/wire/ntp"
)

// AskTime asks a time server by SNTP (RFC 4330) and gives its transmit time.
func (w *Windows) AskTime(ctx context.Context, host string) (time.Time, error) {
	conn, err := w.NIC.Dial(ctx, "udp", net.JoinHostPort(host, "123"))
	if err != nil {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(w.Clock.Now().Add(w.Timing.Network.ReceiveTimeout)); err != nil {
		return time.Time{}, err
	}
	if _, err := conn.Write(ntp.Question()); err != nil {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, err)
	}
	answer := make([]byte, 128)
	n, err := conn.Read(answer)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, err)
	}
	now, err := ntp.Time(answer[:n])
	if err != nil {
		return time.Time{}, fmt.Errorf("ask %s for the time: %w", host, err)
	}
	return now, nil
}
