package mdm

import (
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// row is what the gateway remembers of a managed device. It is replaced whole
// at the end of each exchange.
type row struct {
	TenantID, DeviceID string
	Object             string // device object or registration: finds the rows of a device's earlier records

	Resealed bool   // it has started its first sync anew since it was pre-provisioned
	Sent     []sent // by scope and node
	MSIs     []install
	Health   healthAsked
	Nonce    []byte // of the next digest; nil: none was told
	Session  session
	Revision int // counts exchanges
}

// sent is a node that a device has, as far as the server knows.
type sent struct {
	User   string // object id; "" for the device
	URI    string
	Digest uint64 // of what was sent
}

// install is a job of EnterpriseDesktopAppManagement.
type install struct {
	Owner, User string
	MSI         csp.MSI
	Version     string
	Status      csp.MSIStatus // also of jobs of other kinds, whose own states are told in these terms
	Node        string        // of jobs of other kinds: where their state is read
}

// session is the one that is open, the zero value where none is.
type session struct {
	ID       string
	Message  int // the last one of the device
	Begun    bool
	User     string
	Stage    stage
	Complete bool
	Changed  bool
	Fresh    bool // the device no longer knows that all was sent
	Shown    bool // it was told to show the status page

	// What the device said of itself when it began.
	Limit, ObjLimit int // bytes of a message and of an object; 0: any
	Origin          int // UserAgentOrigin; 0: not said

	Proved   bool // by a credential, where one is asked for
	Tries    int  // credentials asked for so far
	Unenroll bool // the user ends the enrolment, or the retirement was sent: the record goes when the session ends

	// The package of the device that has not come whole yet.
	Partial syncml.Partial
	Held    []syncml.Command
	Bytes   int

	// The server's package: Pending was sent in message Asked, Queue waits.
	Asked   int
	Pending []pending
	Queue   []queued
}

// queued is a command that did not fit into the messages so far.
type queued struct {
	Command syncml.Command
	Pending pending
	Begun   bool // a piece of it was sent
}

// stage is how far a session is.
type stage int

const (
	idle      stage = iota
	probing         // the device was asked whether it still knows that all was sent
	asking          // it does not, and was asked which certificates it has
	sending         // what is due is on its way
	finishing       // the device is told that all was sent
)

// kind is what the answer to a command is for.
type kind int

const (
	kindNode        kind = iota // only refusals count
	kindSetting                 // a setting of a configuration
	kindJob                     // installation was started
	kindStatus                  // state of an installation
	kindInventory               // what the device is
	kindProbe                   // ServerHasFinishedProvisioning, read
	kindTrigger                 // attestation of the device's health was started
	kindAttested                // how that ended
	kindReport                  // what it brought
	kindRemoval                 // a setting that is no longer due was deleted
	kindPiece                   // of a large object
	kindAction                  // what an administrator asked for
	kindEnrol                   // the device was told to ask for a certificate
	kindCertificate             // the thumbprint of a certificate that the device was given
	kindJoin                    // an offline domain join blob was brought
)

// pending is a command whose answer is awaited.
type pending struct {
	Cmd    int
	Kind   kind
	Owner  string
	Also   []string // other configurations that say the same
	URI    string
	Digest uint64
}

const byObject = "object"

func newTable(db *store.DB) *store.Table[row] {
	return store.NewTable(db, "intune.mdm", store.Index(byObject, func(v row) []string { return []string{v.TenantID + "/" + v.Object} }))
}

func rowKey(m tenant.ManagedDevice) string { return m.TenantID + "/" + m.ID }

func object(m tenant.ManagedDevice) string {
	if m.RegistrationID != "" {
		return strings.ToLower(m.RegistrationID)
	}
	return strings.ToLower(m.AzureADDeviceID)
}

// load gives a device's row. A new one takes the place of those of the device's
// earlier records.
func (s *Service) load(c authority.Client) (row, error) {
	var v row
	var ok bool
	err := s.Tenants.DB.View(func(tx *store.Tx) error {
		v, ok = s.rows.Get(tx, rowKey(c.Device))
		return nil
	})
	if ok || err != nil {
		return v, err
	}
	v = row{TenantID: c.Tenant.ID, DeviceID: c.Device.ID, Object: object(c.Device)}
	return v, s.Tenants.DB.Update(func(tx *store.Tx) error {
		for key := range s.rows.By(tx, byObject, v.TenantID+"/"+v.Object) {
			s.rows.Delete(tx, key)
		}
		s.rows.Put(tx, rowKey(c.Device), v)
		return nil
	})
}

// save keeps a row, unless another message of the same device was answered
// meanwhile: of two at once, one is refused.
func (s *Service) save(m tenant.ManagedDevice, v row) error {
	return s.Tenants.DB.Update(func(tx *store.Tx) error {
		if now, ok := s.rows.Get(tx, rowKey(m)); ok && now.Revision != v.Revision {
			return no("session state", http.StatusBadRequest)
		}
		v.Revision++
		s.rows.Put(tx, rowKey(m), v)
		return nil
	})
}

// spend takes a nonce out of a device's row, whatever becomes of the message that
// came with it; false where another message did before.
func (s *Service) spend(m tenant.ManagedDevice, nonce []byte) (ok bool) {
	err := s.Tenants.DB.Update(func(tx *store.Tx) error {
		now, _ := s.rows.Get(tx, rowKey(m))
		if ok = slices.Equal(now.Nonce, nonce); ok {
			now.Nonce = nil
			s.rows.Put(tx, rowKey(m), now)
		}
		return nil
	})
	return ok && err == nil
}

// has tells whether the device has exactly this.
func (v row) has(user, uri string, digest uint64) bool {
	return slices.Contains(v.Sent, sent{user, uri, digest})
}

// put remembers a node, in the place of what it was before.
func (v *row) put(n sent) {
	v.Sent = append(slices.DeleteFunc(slices.Clone(v.Sent), func(o sent) bool { return o.User == n.User && o.URI == n.URI }), n)
}

// drop forgets a node.
func (v *row) drop(user, uri string) {
	v.Sent = slices.DeleteFunc(slices.Clone(v.Sent), func(o sent) bool { return o.User == user && o.URI == uri })
}

// forget drops what a scope was sent: it has to be sent again. Certificates are
// the device's own to say ([conversation.certificates]).
func (v *row) forget(user string) {
	v.Sent = slices.DeleteFunc(slices.Clone(v.Sent), func(o sent) bool { return o.User == user && thumbprintNode(o.URI) == "" })
	v.MSIs = slices.DeleteFunc(slices.Clone(v.MSIs), func(o install) bool { return o.User == user })
}

// setMSI remembers a job's state, in the place of the one before.
func (v *row) setMSI(n install) {
	v.MSIs = slices.Clone(v.MSIs)
	i := slices.IndexFunc(v.MSIs, func(o install) bool { return o.Owner == n.Owner && o.User == n.User })
	if i < 0 {
		v.MSIs = append(v.MSIs, n)
		return
	}
	v.MSIs[i] = n
}
