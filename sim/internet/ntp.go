package internet

import (
	"context"
	"net"
	"time"

	"windtunnel.test/sim/wire/ntp"
)

// TimeServer answers SNTP clients (RFC 4330) with the time that now gives. It
// is a packet handler of a network.
func TimeServer(now func() time.Time) func(context.Context, net.Addr, []byte) []byte {
	return func(_ context.Context, _ net.Addr, question []byte) []byte { return ntp.Answer(question, now()) }
}
