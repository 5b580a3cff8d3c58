package vnet

import (
	"time"
)

// Exchange is one exchange of a device with a service, as whoever measures sees
// it: from the request's first byte to the answer's last, with the time that
// connecting took.
type Exchange struct {
	Device, Host, Operation string
	Begin, End              time.Time
	Status                  int   // of the answer; 0: there was none
	Err                     error // nil where there was an answer
	Sent, Received          int64 // bytes of the bodies
}

// observed tells the network's observer of an exchange that has just ended.
func (nic *NIC) observed(begin time.Time, out *outgoing, ans *answer, err error) {
	x := Exchange{
		Device: nic.o.Device, Host: out.host, Operation: out.operation, Begin: begin, End: nic.n.clock.Now(), Err: err, Sent: int64(len(out.body)),
	}
	if ans != nil {
		x.Status, x.Received = ans.status, int64(len(ans.body))
	}
	nic.n.o.Exchanged(x)
}
