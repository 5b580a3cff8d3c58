package syncml

import (
	"errors"
	"fmt"
)

// LoginStatus says whose session the device runs ([MS-MDM], LoginStatus alert).
type LoginStatus string

// The three values.
const (
	LoginUser   LoginStatus = "user"   // the enrolled user is signed in
	LoginOthers LoginStatus = "others" // somebody else is
	LoginNone   LoginStatus = "none"   // nobody is
)

// The scopes of a BootstrapSync alert: the first sessions after enrolment, while the enrolment status page waits.
const (
	BootstrapDevice = "device"
	BootstrapUser   = "user"
)

// DevInfo is what package 1 tells of the device, from the ./DevInfo tree (OMA-TS-DM-StdObj 1.2).
type DevInfo struct {
	DevID string // ./DevInfo/DevId
	Man   string
	Mod   string
	DmV   string // "1.3" on Windows
	Lang  string // "en-US"
}

// Initiation is package 1: what a device says when it opens a session.
type Initiation struct {
	SessionID       string
	Server          string // target: the ADDR of the provisioning document
	Device          string // source: the device's id
	ServerInitiated bool   // alert 1200: a push asked for the session
	Login           LoginStatus
	AADUserToken    string // "" when no user is signed in
	BootstrapSync   string // [BootstrapDevice], [BootstrapUser] or "" after bootstrap
	OdjSync         bool   // the device waits for an offline domain join blob (not documented; seen by community tools)
	DevicePrepSync  string // data of the alert (not documented), "" for none
	SyncType        string // "user", "device", "mixed", or "" where it does not say
	RequestPending  string // data of the request-pending alert, "" for none
	Unenrolment     bool   // the user ends the enrolment; read only: [UnenrolmentAlert] says it
	MaxMsgSize      int    // bytes, 0 to say nothing
	DevInfo         DevInfo
}

// Message builds package 1, numbered and final.
func (p Initiation) Message() *Message {
	m := &Message{
		Header: Header{SessionID: p.SessionID, MsgID: 1, Target: p.Server, Source: p.Device, MaxMsgSize: p.MaxMsgSize},
		Final:  true,
	}
	code := AlertClientInitiated
	if p.ServerInitiated {
		code = AlertServerInitiated
	}
	m.Append(NewAlert(code, "", ""))
	event := func(kind, data string) {
		if data != "" {
			m.Append(NewAlert(AlertClientEvent, kind, data))
		}
	}
	event(TypeLoginStatus, string(p.Login))
	event(TypeAADUserToken, p.AADUserToken)
	event(TypeBootstrapSync, p.BootstrapSync)
	if p.OdjSync {
		event(TypeOdjSync, BootstrapDevice)
	}
	event(TypeRequestPending, p.RequestPending)
	m.Append(p.DevInfo.replace())
	m.Number()
	return m
}

func (i DevInfo) replace() Command {
	c := Command{Verb: Replace, Items: make([]Item, 0, 5)}
	for _, n := range []struct{ uri, value string }{
		{"./DevInfo/DevId", i.DevID}, {"./DevInfo/Man", i.Man}, {"./DevInfo/Mod", i.Mod},
		{"./DevInfo/DmV", i.DmV}, {"./DevInfo/Lang", i.Lang},
	} {
		c.Items = append(c.Items, Item{Source: n.uri, Data: n.value})
	}
	return c
}

// ReadInitiation takes package 1 apart. It refuses a message that neither begins a session (MsgID 1, alert 1200 or 1201) nor
// tells the device's id.
func ReadInitiation(m *Message) (Initiation, error) {
	p := Initiation{
		SessionID: m.Header.SessionID, Server: m.Header.Target, Device: m.Header.Source, MaxMsgSize: m.Header.MaxMsgSize,
	}
	if m.Header.MsgID != 1 {
		return p, fmt.Errorf("syncml: package 1: MsgID is %d", m.Header.MsgID)
	}
	begun := false
	for i := range m.Commands {
		c := &m.Commands[i]
		switch {
		case c.Verb == Alert && (c.Code == AlertClientInitiated || c.Code == AlertServerInitiated):
			begun, p.ServerInitiated = true, c.Code == AlertServerInitiated
		case c.Verb == Alert && c.Code == AlertClientEvent:
			for _, item := range c.Items {
				p.event(item)
			}
		case c.IsUnenrolment():
			begun, p.Unenrolment = true, true
		case c.Verb == Replace:
			for _, item := range c.Items {
				p.DevInfo.set(item)
			}
		}
	}
	if !begun {
		return p, errors.New("syncml: package 1: no alert 1200 or 1201")
	}
	if p.DevInfo.DevID == "" {
		if p.Unenrolment {
			return p, nil // the sample has nothing but the alert
		}
		return p, errors.New("syncml: package 1: no ./DevInfo/DevId")
	}
	return p, nil
}

func (p *Initiation) event(item Item) {
	switch item.Meta.Type {
	case TypeLoginStatus:
		p.Login = LoginStatus(item.Data)
	case TypeAADUserToken:
		p.AADUserToken = item.Data
	case TypeBootstrapSync:
		p.BootstrapSync = item.Data
	case TypeOdjSync:
		p.OdjSync = true
	case TypeRequestPending:
		p.RequestPending = item.Data
	case TypeDevicePrepSync:
		p.DevicePrepSync = item.Data
	case TypeSyncType:
		p.SyncType = item.Data
	}
}

// UnenrolmentAlert tells the server that the user ends the enrolment (learn.microsoft.com, "Disconnecting from the management
// infrastructure"): it is in package 1, and may be the last that the server hears.
func UnenrolmentAlert() Command {
	c := NewAlert(AlertGeneric, TypeUserUnenrollment, "1")
	c.Items[0].Meta.Format = Int
	return c
}

// IsUnenrolment recognises it.
func (c *Command) IsUnenrolment() bool {
	return c.Verb == Alert && c.Code == AlertGeneric && len(c.Items) > 0 && c.Items[0].Meta.Type == TypeUserUnenrollment
}

func (i *DevInfo) set(item Item) {
	switch item.Source {
	case "./DevInfo/DevId":
		i.DevID = item.Data
	case "./DevInfo/Man":
		i.Man = item.Data
	case "./DevInfo/Mod":
		i.Mod = item.Data
	case "./DevInfo/DmV":
		i.DmV = item.Data
	case "./DevInfo/Lang":
		i.Lang = item.Data
	}
}
