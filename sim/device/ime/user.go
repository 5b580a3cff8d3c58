package ime

import (
	"context"
	"strconv"
	"time"

	"windtunnel.test/sim/device"
)

// account is whom the agent works for: who is logged on, and what the token
// broker has of who has signed in. Without a token that is still good there is
// nothing to ask in the user's name.
type account struct {
	sid, token string
	name       string // of who is logged on, be it setup's own account
	here       bool   // the user is logged on
}

func (a *agent) signedIn() account {
	r, key := a.w.Registry(), device.KeyIdentityStore+`\Tokens\https://enrollment.manage.microsoft.com/`
	user := account{sid: r.String(device.KeyIdentityStore+`\PRT`, "UserSID")}
	if who, on := a.w.LoggedOn(); on {
		user.name = who.Name
		if user.here = !who.Default; user.here {
			user.sid = who.SID
		}
	}
	expires, err := strconv.ParseInt(r.String(key, "Expires"), 10, 64)
	if user.sid != "" && err == nil && a.w.Now().Before(time.Unix(expires, 0)) {
		user.token = r.String(key, "Token")
	}
	return user
}

// watchLogons has the agent look when a user logs on.
func watchLogons(w *device.Windows) {
	w.Service(device.ServiceIME+" sessions", func(ctx context.Context) {
		for w.Signal("logon").Wait(ctx) == nil {
			if who, on := w.LoggedOn(); on && !who.Default {
				w.Signal("ime").Broadcast()
			}
		}
	})
}
