package mdm

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/vclock"
)

// ServiceSchedule is the Windows service that opens scheduled sessions.
const ServiceSchedule = "dmwappushservice"

// Where enrolment keeps things.
const (
	certMDM = "mdm"
	keyMDM  = "mdm"
	// keyRenewed has the key of every second certificate: while one is renewed there
	// are two.
	keyRenewed = "mdm-renewed"
)

// What asks for a session (UserAgentOrigin header).
const (
	OriginUser      = 1
	OriginScheduled = 2
	OriginPush      = 3
	OriginLogin     = 4
	OriginEnrolled  = 5
)

// What a session says of who is signed in ([MS-MDM] 3.2.5.1.2, LoginStatus).
const (
	LoginUser   = "user"
	LoginOthers = "others"
	LoginNone   = "none"
)

// broker is where a session gets a token when who opened it had none.
type broker struct {
	give func(w *device.Windows) (token string, ofUser bool)
}

func tokens(w *device.Windows) *broker {
	type key struct{}
	return device.Once(w, key{}, func() *broker { return &broker{} })
}

// ProvideTokens says where the sessions of the schedule get a token when
// somebody has signed in; ofUser is false where the token broker has one of the
// device only, and token "" where it has none. Whoever composes Windows calls it
// before services start.
func ProvideTokens(w *device.Windows, give func(w *device.Windows) (token string, ofUser bool)) {
	tokens(w).give = give
}

// enrollmentKey is the registry key of the MDM enrolment, "" where there is
// none.
func enrollmentKey(w *device.Windows) string {
	id := w.Registry().String(device.KeyEnrollments, "Current")
	if id == "" {
		return ""
	}
	return device.KeyEnrollments + `\` + id
}

// container is where the key of the MDM certificate is.
func container(w *device.Windows) string {
	if held, ok := w.Disk.Certs.Find(device.StoreMySystem, certMDM); ok {
		return held.Container
	}
	return keyMDM
}

// Enrolled tells whether this Windows is enrolled in an MDM.
func Enrolled(w *device.Windows) bool { return enrollmentKey(w) != "" }

// Forget drops the enrolment on the device; the server is not told.
func Forget(w *device.Windows) {
	if key := enrollmentKey(w); key != "" {
		w.Registry().DeleteTree(key)
	}
	w.Registry().Delete(device.KeyEnrollments, "Current")
	w.DeleteCertificate(device.StoreMySystem, certMDM)
	w.DeleteKey(keyMDM)
	w.DeleteKey(keyRenewed)
}

// oneAtATime is held by the session that runs: Windows does not open a second
// one beside it.
func oneAtATime(w *device.Windows) vclock.Semaphore {
	type key struct{}
	return device.Once(w, key{}, func() vclock.Semaphore { return w.Clock.NewSemaphore("OMA-DM session on "+w.Name, 1) })
}

// progress wakes whoever tracks what the MDM client does.
func progress(w *device.Windows) { w.Signal("esp").Broadcast() }

// scopeKey names a scope in registry paths below a key: "" for the device.
func scopeKey(base, sid string) string {
	if sid == "" {
		return base
	}
	return base + `\` + sid
}

// setDWORD writes a boolean or a number that came as text; false where it is
// neither.
func setDWORD(w *device.Windows, key, name, value string) bool {
	switch strings.ToLower(value) {
	case "true":
		w.Registry().SetDWORD(key, name, 1)
	case "false":
		w.Registry().SetDWORD(key, name, 0)
	default:
		n, ok := number(value)
		if !ok {
			return false
		}
		w.Registry().SetDWORD(key, name, n)
	}
	return true
}
