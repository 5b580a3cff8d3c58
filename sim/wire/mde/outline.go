package mde

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
)

var errAttributes = errors.New("attributes")

// attributes refuses what the decoder would take: an attribute twice, which is not well-formed (XML 1.0, 3.1), and more of
// them than anybody needs.
func attributes(list []xml.Attr) error {
	if len(list) > MaxAttributes {
		return fmt.Errorf("%w: %d on one element", errAttributes, len(list))
	}
	for i, a := range list {
		if slices.ContainsFunc(list[:i], func(b xml.Attr) bool { return a.Name == b.Name }) {
			return fmt.Errorf("%w: %s twice", errAttributes, a.Name.Local)
		}
	}
	return nil
}

// single are the parts of an envelope of which there is one at most, by where they stand. The decoder would take the last of
// several, and another reader the first: who signs or filters one of them would not see the other.
var single = [...]struct{ section, name string }{
	{"", "Header"}, {"", "Body"},
	{"Header", "Action"}, {"Header", "MessageID"}, {"Header", "RelatesTo"}, {"Header", "To"}, {"Header", "ReplyTo"}, {"Header", "Security"},
	{"Body", "Discover"}, {"Body", "GetPolicies"}, {"Body", "RequestSecurityToken"}, {"Body", "Fault"},
	{"Security", "Timestamp"}, {"Security", "BinarySecurityToken"}, {"Security", "UsernameToken"}, {"Security", "Signature"},
	{"RequestSecurityToken", "TokenType"}, {"RequestSecurityToken", "RequestType"}, {"RequestSecurityToken", "BinarySecurityToken"},
	{"RequestSecurityToken", "AdditionalContext"},
}

// outline remembers which of those were seen, by the names of the elements that are open.
type outline struct {
	open [4]string // by depth, 1 the root
	seen uint32
}

func (o *outline) enter(depth int, local string) error {
	if depth >= len(o.open) {
		if depth != len(o.open) {
			return nil
		}
	} else {
		o.open[depth] = local
	}
	if depth < 2 || o.open[1] != "Envelope" {
		return nil
	}
	section := o.open[depth-1]
	if depth == 2 {
		section = ""
	}
	for i, part := range single {
		if part.name != local || part.section != section {
			continue
		}
		if o.seen&(1<<i) != 0 {
			return fmt.Errorf("%w: %s", ErrTwice, local)
		}
		o.seen |= 1 << i
	}
	return nil
}
