package mdm

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
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

var (
	errEndless = errors.New("the server does not end the session")
	errAborted = errors.New("the server gave the session up")
)

// Sync runs one management session to its end. Sessions of one boot wait for
// each other.
func Sync(w *device.Windows, s Session) error {
	lock := oneAtATime(w)
	if err := lock.Acquire(w.Ctx, 1); err != nil {
		return err
	}
	defer lock.Release(1)
	r := &runner{w: w, s: inContext(w, s)}
	err := r.run()
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	outcome, s := "ok", r.s
	if err != nil {
		outcome = err.Error()
	}
	w.Event("mdm.session", journal.F("origin", s.Origin), journal.F("login", s.Login), journal.F("commands", r.commands), journal.F("outcome", outcome))
	rotateLAPS(w, false)
	mergeRights(w)
	progress(w)
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	if r.restart != "" {
		return restartNow(w, r.restart)
	}
	return err
}

// inContext is a session as it is in this boot: the user's where one has signed
// in, whatever it was opened for. The account that setup runs under is nobody.
// Where the broker has no token of the user's, the session is the device's, and
// says only that somebody is there ([MS-MDM] 3.2.5.1.2, LoginStatus "others").
func inContext(w *device.Windows, s Session) Session {
	account, on := w.LoggedOn()
	switch {
	case !on || account.Default:
		s.UserSID = ""
		if s.Login == LoginUser {
			s.Login = LoginNone
		}
	case s.Login != LoginOthers:
		ofUser := true
		if give := tokens(w).give; s.Token == "" && give != nil {
			s.Token, ofUser = give(w)
		}
		if s.UserSID, s.Login = account.SID, LoginUser; !ofUser {
			s.UserSID, s.Login = "", LoginOthers
		}
	}
	if s.Login == "" {
		s.Login = LoginNone
	}
	return s
}

// again is a device session without occasion. How it ends is journaled, and the
// next one comes anyhow.
func again(w *device.Windows) { _ = Sync(w, Session{Origin: OriginScheduled}) }

// runner is a session under way.
type runner struct {
	w         *device.Windows
	s         Session
	client    *http.Client
	address   string
	device    string
	sessionID string
	commands  int
	alerts    []syncml.Command // that package 1 takes along

	sent    map[string]uint32 // results that package 1 took along, by node
	restart string            // why Windows restarts when the session is over; "": it does not

	refusals int // of credentials
	limit    int // bytes of a message to the server; 0: any
	partial  syncml.Partial
	queue    []syncml.Command // answers that wait for the next message
	begun    bool             // of the first of queue, a piece was sent
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
	r.logSession()
	err = r.converse()
	if cause := context.Cause(r.w.Ctx); cause != nil {
		return cause
	}
	r.logEnd(err)
	return err
}

// converse sends package 1 and answers the server's messages until it has no
// more commands.
func (r *runner) converse() error {
	next := r.open()
	for n := 1; n <= r.w.Timing.MDM.SessionMessages; n++ {
		reply, err := r.exchange(next)
		if err != nil {
			return err
		}
		again, err := r.proved(next, reply, n+1)
		switch {
		case err != nil:
			return err
		case again != nil:
			next = again
			continue
		}
		dropAlerts(r.w, r.sent) // the server has them
		r.sent = nil
		switch {
		case aborts(reply):
			return hresult.New("OMA-DM session", hresult.Aborted, errAborted)
		case reply.EndsSession() && len(r.queue) == 0:
			return nil
		}
		if next, err = r.answer(reply, n+1); err != nil {
			return err
		}
	}
	return hresult.New("OMA-DM session", hresult.WaitTimeout, errEndless)
}

// aborts tells whether the server gave the session up (alert 1223).
func aborts(m *syncml.Message) bool { return alerts(m, syncml.AlertSessionAbort) }

func alerts(m *syncml.Message, code int) bool {
	for i := range m.Commands {
		if m.Commands[i].Verb == syncml.Alert && m.Commands[i].Code == code {
			return true
		}
	}
	return false
}

// open builds package 1: who we are, whose session this is, and what happened
// since the last one.
func (r *runner) open() *syncml.Message {
	w := r.w
	init := syncml.Initiation{
		SessionID: r.sessionID, Server: r.address, Device: r.device, Login: syncml.LoginStatus(r.s.Login), MaxMsgSize: w.Timing.MDM.MessageSize, ServerInitiated: r.s.Origin == OriginPush,
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
	m.Header.Cred = r.credential()
	results, sent := waitingAlerts(w)
	r.sent = sent
	r.alerts = append(r.alerts, results...)
	m.Append(r.alerts...)
	m.Number()
	return m
}

func (r *runner) exchange(m *syncml.Message) (*syncml.Message, error) {
	const op = "OMA-DM session"
	h := http.Header{
		"Content-Type": {syncml.ContentType}, "User-Agent": {syncml.UserAgent},
		"Useragentorigin": {strconv.Itoa(r.s.Origin)}, "Client-Request-Id": {r.device}, "Ms-Cv": {r.vector(m.Header.MsgID)},
	}
	if kinds := generic(m); kinds != "" {
		h.Set("MDM-GenericAlert", kinds)
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

// vector is the correlation vector of a message: one base a session, which
// counts its messages (microsoft/CorrelationVector, v2).
func (r *runner) vector(msgID int) string {
	sum := sha256.Sum256([]byte(r.device + "/" + r.sessionID))
	return base64.RawStdEncoding.EncodeToString(sum[:16]) + "." + strconv.Itoa(msgID)
}

// generic lists the kinds of a message's generic alerts, as the header
// MDM-GenericAlert has them ([MS-MDM] 2.1).
func generic(m *syncml.Message) string {
	var kinds []string
	for i := range m.Commands {
		if c := &m.Commands[i]; c.Verb == syncml.Alert && c.Code == syncml.AlertGeneric && len(c.Items) > 0 {
			kinds = append(kinds, c.Items[0].Meta.Type)
		}
	}
	return strings.Join(kinds, ";")
}

// answer executes a message's commands in order and builds the next message:
// a status for each, and the results of what was asked for. Where the server's
// package goes on, it asks for its next message; what the server has no room
// for waits for the next one of ours.
func (r *runner) answer(m *syncml.Message, msgID int) (*syncml.Message, error) {
	if m.Header.MaxMsgSize >= syncml.MinMessage {
		r.limit = m.Header.MaxMsgSize
	}
	answers := &syncml.Message{Commands: make([]syncml.Command, 0, 1+len(m.Commands))}
	answers.Append(syncml.HeaderStatus(m, syncml.OK))
	for i := range m.Commands {
		c := &m.Commands[i]
		if c.Verb == syncml.Status || c.Verb == syncml.Results {
			continue
		}
		r.one(m, c, answers)
		if cause := context.Cause(r.w.Ctx); cause != nil {
			return nil, cause
		}
	}
	return r.pack(m, answers.Commands, msgID), nil
}

// one executes a command, once it is whole.
func (r *runner) one(m *syncml.Message, c *syncml.Command, out *syncml.Message) {
	if c.Verb == syncml.Alert {
		r.execute(m, c, out)
		return
	}
	whole, code := r.partial.Take(c, r.w.Timing.MDM.MessageSize*8)
	if code == syncml.IncompleteCommand {
		out.Append(syncml.NewAlert(syncml.AlertNoEndOfData, "", ""))
		whole, code = r.partial.Take(c, r.w.Timing.MDM.MessageSize*8)
	}
	if code == 0 || code == syncml.OK {
		r.execute(m, whole, out)
		return
	}
	r.commands++
	out.Append(syncml.StatusFor(m, c, code))
}

// pack puts as many answers into the next message as the server takes.
func (r *runner) pack(m *syncml.Message, answers []syncml.Command, msgID int) *syncml.Message {
	out := &syncml.Message{Header: syncml.Header{SessionID: r.sessionID, MsgID: msgID, Target: r.address, Source: r.device}}
	waiting, begun := r.queue, r.begun
	r.queue, r.begun = nil, false
	// The statuses of this message come before what the last one had no room for.
	queue := append(answers[:len(answers):len(answers)], waiting...)
	first := len(answers) // index of the one that a piece was sent of
	room := out.Room(r.limit)
	for n := range queue {
		size := 0
		if r.limit > 0 {
			size = queue[n].Size()
		}
		if size <= room {
			room -= size
			out.Append(queue[n])
			continue
		}
		r.queue = queue[n:]
		if piece, rest, ok := syncml.Cut(queue[n], room, begun && n == first); ok && queue[n].Verb == syncml.Results {
			out.Append(piece)
			r.queue = append([]syncml.Command{rest}, queue[n+1:]...)
			r.begun = true
		}
		break
	}
	out.Final = len(r.queue) == 0 && m.Final || len(r.queue) == 0 && alerts(m, syncml.AlertNextMessage)
	if !m.Final && !alerts(m, syncml.AlertNextMessage) {
		out.Append(syncml.NewAlert(syncml.AlertNextMessage, "", ""))
	}
	out.Number()
	return out
}
