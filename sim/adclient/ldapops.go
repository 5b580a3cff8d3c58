package adclient

import (
	"bytes"
	"errors"
	"fmt"

	"windtunnel.test/sim/wire/ldap"
)

// Bind authenticates with a name (a distinguished name, a user principal name or DOMAIN\account) and its password, both
// "" for nobody.
func (l *LDAP) Bind(name, password string) error {
	r, err := exchange[*ldap.BindResponse](l, &ldap.BindRequest{Version: 3, Name: name, Password: []byte(password)})
	if err != nil {
		return err
	}
	if r.Code == ldap.SASLBindInProgress {
		return l.fail(errUnexpected)
	}
	return r.Err()
}

// Search finds entries. More than one object's worth is asked for in pages, all of which are fetched; q.SizeLimit still
// bounds the whole. What lies in other naming contexts is left out: references are not followed.
func (l *LDAP) Search(q ldap.SearchRequest, controls ...ldap.Control) ([]ldap.Entry, error) {
	size := l.h.timing().Hybrid.LDAPPage
	if q.Scope == ldap.BaseObject || q.SizeLimit > 0 && q.SizeLimit <= size {
		found, _, err := l.page(q, nil, controls)
		return found, err
	}
	var all []ldap.Entry
	page := ldap.Paged{Size: size}
	for {
		found, cookie, err := l.page(q, all, append(controls[:len(controls):len(controls)], page.Control()))
		if err != nil || len(cookie) == 0 {
			return found, err
		}
		if len(found) == len(all) && bytes.Equal(cookie, page.Cookie) {
			return found, l.fail(errCircle)
		}
		all, page.Cookie = found, cookie
	}
}

var errCircle = errors.New("ldap: the server gives the same empty page again")

// page is one search request with all of its answers.
func (l *LDAP) page(q ldap.SearchRequest, found []ldap.Entry, controls []ldap.Control) ([]ldap.Entry, []byte, error) {
	if err := l.send(&q, controls...); err != nil {
		return found, nil, err
	}
	for {
		m, err := l.receive()
		if err != nil {
			return found, nil, err
		}
		switch r := m.Op.(type) {
		case *ldap.Entry:
			found = append(found, *r)
		case *ldap.SearchReference:
		case *ldap.SearchDone:
			if err := r.Err(); err != nil {
				return found, nil, err
			}
			return found, cookieOf(m.Controls), nil
		default:
			return found, nil, l.fail(errUnexpected)
		}
	}
}

// cookieOf is where the next page starts; a broken control means that there is none.
func cookieOf(controls []ldap.Control) []byte {
	c := ldap.FindControl(controls, ldap.ControlPaged)
	if c == nil {
		return nil
	}
	p, err := ldap.ParsePaged(c.Value)
	if err != nil {
		return nil
	}
	return p.Cookie
}

// Read is the search for one object. Without attributes it brings all of them.
func (l *LDAP) Read(dn string, attributes ...string) (ldap.Entry, error) {
	found, err := l.Search(ldap.SearchRequest{Base: dn, Scope: ldap.BaseObject, Filter: ldap.All, Attributes: attributes})
	if err != nil {
		return ldap.Entry{}, err
	}
	if len(found) != 1 {
		return ldap.Entry{}, &ldap.Error{Code: ldap.NoSuchObject, Message: fmt.Sprintf("%d objects %s", len(found), dn)}
	}
	return found[0], nil
}

// Add makes an object.
func (l *LDAP) Add(dn string, attributes ...ldap.Attribute) error {
	r, err := exchange[*ldap.AddResponse](l, &ldap.AddRequest{Entry: ldap.Entry{DN: dn, Attributes: attributes}})
	if err != nil {
		return err
	}
	return r.Err()
}

// Modify changes an object, with all of the changes or none.
func (l *LDAP) Modify(dn string, changes ...ldap.Change) error {
	r, err := exchange[*ldap.ModifyResponse](l, &ldap.ModifyRequest{DN: dn, Changes: changes})
	if err != nil {
		return err
	}
	return r.Err()
}

// Replace is the change that gives an attribute these values and no others.
func Replace(a ldap.Attribute) ldap.Change {
	return ldap.Change{Op: ldap.ReplaceValues, Attribute: a}
}

// Delete removes an object.
func (l *LDAP) Delete(dn string) error {
	r, err := exchange[*ldap.DeleteResponse](l, &ldap.DeleteRequest{DN: dn})
	if err != nil {
		return err
	}
	return r.Err()
}

// Compare asks whether an attribute has a value.
func (l *LDAP) Compare(dn, attribute, value string) (bool, error) {
	r, err := exchange[*ldap.CompareResponse](l, &ldap.CompareRequest{DN: dn, Attribute: attribute, Value: []byte(value)})
	if err != nil {
		return false, err
	}
	return r.Code == ldap.CompareTrue, r.Err()
}

// WhoAmI is the account that the server takes the caller for, "" for nobody (RFC 4532).
func (l *LDAP) WhoAmI() (string, error) {
	r, err := exchange[*ldap.ExtendedResponse](l, &ldap.ExtendedRequest{Name: ldap.WhoAmI})
	if err != nil {
		return "", err
	}
	return string(r.Value), r.Err()
}

// RootDSE is what the server says of itself.
func (l *LDAP) RootDSE(attributes ...string) (ldap.Entry, error) { return l.Read("", attributes...) }

// IsCode tells whether an error is a directory's refusal with one of some codes.
func IsCode(err error, codes ...ldap.ResultCode) bool {
	var e *ldap.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}
