package mdm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/syncml"
)

// Session says what a session is for. A Token is the user's or, where the
// token broker had no better one, the device's.
type Session struct {
	Origin  int    // what asked for it, one of the Origin constants
	UserSID string // whose nodes ./User means; "" for a device session
	Token   string // bearer token, "" for none
	Login   string // LoginStatus: user, others, none
}

// maxMessages bounds a session: a server that never ends one is not waited for.
const maxMessages = 64

var errEndless = errors.New("the server does not end the session")

// Sync runs one management session to its end. Sessions of one boot wait for
// each other.
func Sync(w *device.Windows, s Session) error {
	lock := oneAtATime(w)
	if err := lock.Acquire(w.Ctx, 1); err != nil {
		return err
	}
	defer lock.Release(1)
	r := &runner{w: w, s: s}
	err := r.run()
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	outcome := "ok"
	if err != nil {
		outcome = err.Error()
	}
	w.Event("mdm.session", journal.F("origin", s.Origin), journal.F("login", s.Login), journal.F("commands", r.commands), journal.F("outcome", outcome))
	progress(w)
	return err
}

// again is a device session without occasion. How it ends is journaled, and the
// next one comes anyhow.
func again(w *device.Windows) { _ = Sync(w, Session{Origin: OriginScheduled, Login: "none"}) }

// runner is a session under way.
type runner struct {
	w         *device.Windows
	s         Session
	client    *http.Client
	address   string
	device    string
	sessionID string
	commands  int
}

func (r *runner) run() error {
	key := enrollmentKey(r.w)
	cert, ok := r.w.Disk.Certs.Find(device.StoreMySystem, certMDM)
	if key == "" || !ok {
		return hresult.New("OMA-DM session", hresult.EnrollNotEnrolled, nil)
	}
	client, err := r.w.HTTPWith(cert)
	if err != nil {
		return hresult.New("OMA-DM session", hresult.BadKeyset, err)
	}
	reg := r.w.Registry()
	count, _ := reg.DWORD(key, "Sessions")
	reg.SetDWORD(key, "Sessions", count+1)
	r.client, r.address, r.device, r.sessionID = client, reg.String(key, "Addr"), reg.String(key, "EntDMID"), strconv.FormatInt(int64(count+1)&0xffff, 16)
	return r.converse()
}

// converse sends package 1 and answers the server's messages until it has no
// more commands.
func (r *runner) converse() error {
	next := r.open()
	for n := 1; n <= maxMessages; n++ {
		reply, err := r.exchange(next)
		if err != nil {
			return err
		}
		if reply.EndsSession() {
			return nil
		}
		if next, err = r.answer(reply, n+1); err != nil {
			return err
		}
	}
	return hresult.New("OMA-DM session", hresult.WaitTimeout, errEndless)
}

// open builds package 1: who we are, whose session this is, and what happened
// since the last one.
func (r *runner) open() *syncml.Message {
	w := r.w
	init := syncml.Initiation{
		SessionID: r.sessionID, Server: r.address, Device: r.device, Login: syncml.LoginStatus(r.s.Login), ServerInitiated: r.s.Origin == OriginPush,
		DevInfo: syncml.DevInfo{DevID: r.device, Man: w.Hardware.Manufacturer, Mod: w.Hardware.Model, DmV: "1.3", Lang: "en-US"},
	}
	if r.s.UserSID != "" {
		init.AADUserToken = r.s.Token
	}
	switch done, _ := w.Registry().DWORD(firstSyncKey(w, r.s.UserSID), "IsSyncDone"); {
	case done == 0 && r.s.UserSID == "":
		init.BootstrapSync = syncml.BootstrapDevice
	case done == 0:
		init.BootstrapSync = syncml.BootstrapUser
	}
	m := init.Message()
	m.Append(takeAlerts(w)...)
	m.Number()
	return m
}

func (r *runner) exchange(m *syncml.Message) (*syncml.Message, error) {
	const op = "OMA-DM session"
	h := http.Header{
		"Content-Type": {syncml.ContentType}, "User-Agent": {syncml.UserAgent},
		"Useragentorigin": {strconv.Itoa(r.s.Origin)}, "Client-Request-Id": {r.device},
	}
	if r.s.Token != "" {
		h.Set("Authorization", "Bearer "+r.s.Token)
	}
	resp, err := r.w.Do(device.Request{Op: op, Client: r.client, Method: http.MethodPost, URL: r.address + "?mode=Maintenance&Platform=WoA", Header: h, Body: m.Encode()})
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, hresult.New(op, hresult.FromHTTPStatus(resp.Status), errors.New(strings.TrimSpace(string(resp.Body[:min(len(resp.Body), 200)]))))
	}
	reply, err := syncml.Decode(resp.Body)
	if err != nil {
		return nil, hresult.New(op, hresult.InvalidData, err)
	}
	if reply.Header.SessionID != r.sessionID {
		return nil, hresult.New(op, hresult.InvalidData, fmt.Errorf("answer for session %q, not %q", reply.Header.SessionID, r.sessionID))
	}
	return reply, nil
}

// answer executes a message's commands in order and builds the next message:
// a status for each, and the results of what was asked for.
func (r *runner) answer(m *syncml.Message, msgID int) (*syncml.Message, error) {
	out := &syncml.Message{
		Header: syncml.Header{SessionID: r.sessionID, MsgID: msgID, Target: r.address, Source: r.device}, Final: true,
		Commands: make([]syncml.Command, 0, 1+len(m.Commands)),
	}
	out.Append(syncml.HeaderStatus(m, syncml.OK))
	for i := range m.Commands {
		c := &m.Commands[i]
		if c.Verb == syncml.Status || c.Verb == syncml.Results {
			continue
		}
		r.execute(m, c, out)
		if cause := context.Cause(r.w.Ctx); cause != nil {
			return nil, cause
		}
	}
	out.Number()
	return out, nil
}
