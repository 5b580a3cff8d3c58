package dirsync

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

// Role is the directory role that an account needs to export
// (learn.microsoft.com, "Microsoft Entra built-in roles").
const Role = "Directory Synchronization Accounts"

// ClientID is the application that Entra Connect signs in as
// (learn.microsoft.com, "Verify first-party Microsoft applications in sign-in
// reports"), and Resource what it wants a token for.
const (
	ClientID = "cb1056e2-e479-49de-ae31-7812af012ed8"
	Resource = oauth.ResourceAADGraph
)

// Path is where exports are posted; our model.
const Path = "/provisioningservice/export"

// URL is the whole address.
const URL = "https://" + hosts.Provisioning + Path

// ImportPath is where a server reads, by GET, what Entra ID has of its directory
// already; our model of the import of the connector for Entra ID. ImportURL is
// the whole address. The answer is an [Import].
const (
	ImportPath = "/provisioningservice/import"
	ImportURL  = "https://" + hosts.Provisioning + ImportPath
)

// Import is what a tenant has of a directory.
type Import struct {
	Computers []string `json:"computers"` // object GUIDs in lower case, sorted
}

// MaxObjects is how many objects one export may have; Entra Connect sends its
// own in batches.
const MaxObjects = 1000

// Export is one batch of what changed in a forest.
type Export struct {
	Server    string     `json:"server"` // the computer that Entra Connect is on
	Computers []Computer `json:"computers,omitempty"`
	Users     []User     `json:"users,omitempty"`
	Deleted   []string   `json:"deleted,omitempty"` // object GUIDs of computers
}

// Computer is a computer object with a userCertificate.
type Computer struct {
	GUID        string `json:"objectGuid"`
	SID         string `json:"objectSid"`
	Name        string `json:"displayName"`
	OSVersion   string `json:"operatingSystemVersion,omitempty"`
	Certificate []byte `json:"userCertificate"` // DER
	Enabled     bool   `json:"accountEnabled"`
}

// User is a user object.
type User struct {
	UPN    string `json:"userPrincipalName"`
	Anchor string `json:"sourceAnchor"` // base64 of the objectGUID
	SAM    string `json:"onPremisesSamAccountName"`
	SID    string `json:"onPremisesSecurityIdentifier"`
	DN     string `json:"onPremisesDistinguishedName"`
}

// Result is the answer to an export.
type Result struct {
	Added    int      `json:"added"`
	Updated  int      `json:"updated"`
	Deleted  int      `json:"deleted"`
	Rejected []Reject `json:"rejected,omitempty"`
}

// Reject is an object that could not be taken.
type Reject struct {
	Object  string `json:"object"`
	Message string `json:"message"`
}

var (
	guid    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	errGUID = errors.New("not a GUID")
	errMany = fmt.Errorf("more than %d objects", MaxObjects)
)

// ParseExport decodes a batch. Members that are not known are refused: both ends
// are ours.
func ParseExport(body []byte) (*Export, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var e Export
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("dirsync: export: %w", err)
	}
	if len(e.Computers)+len(e.Users)+len(e.Deleted) > MaxObjects {
		return nil, fmt.Errorf("dirsync: export: %w", errMany)
	}
	for _, c := range e.Computers {
		if !guid.MatchString(c.GUID) {
			return nil, fmt.Errorf("dirsync: export: computer %q: %q: %w", c.Name, c.GUID, errGUID)
		}
	}
	for _, g := range e.Deleted {
		if !guid.MatchString(g) {
			return nil, fmt.Errorf("dirsync: export: deleted %q: %w", g, errGUID)
		}
	}
	return &e, nil
}
