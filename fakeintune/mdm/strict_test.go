package mdm_test

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// order is the DTD's: which elements may stand in which, and in which order
// (OMA SyncML Representation Protocol 1.2.2, DM's profile of it).
var order = map[string]string{
	"SyncML":   "SyncHdr SyncBody",
	"SyncHdr":  "VerDTD VerProto SessionID MsgID Target Source RespURI NoResp Cred Meta",
	"SyncBody": "Alert Atomic Copy Exec Get Results Sequence Status Add Replace Delete Final",
	"Status":   "CmdID MsgRef CmdRef Cmd TargetRef SourceRef Cred Chal Data Item",
	"Results":  "CmdID MsgRef CmdRef Meta TargetRef SourceRef Item",
	"Alert":    "CmdID NoResp Cred Data Correlator Item",
	"Add":      "CmdID NoResp Cred Meta Item",
	"Replace":  "CmdID NoResp Cred Meta Item",
	"Delete":   "CmdID NoResp Archive SftDel Cred Meta Item",
	"Get":      "CmdID NoResp Lang Cred Meta Item",
	"Exec":     "CmdID NoResp Cred Meta Correlator Item",
	"Atomic":   "CmdID NoResp Meta Add Replace Delete Copy Alert Exec Get",
	"Item":     "Target Source SourceParent TargetParent Meta Data MoreData",
	"Target":   "LocURI LocName",
	"Source":   "LocURI LocName",
	"Chal":     "Meta",
	"Cred":     "Meta Data",
	"Meta":     "Format Type Mark Size NextNonce MaxMsgSize MaxObjSize",
}

// strict reads a message as the DTD has it: every element known where it
// stands, in order, and in its namespace. It shares nothing with the codec.
func strict(text []byte) error {
	x := xml.NewDecoder(strings.NewReader(string(text)))
	x.Strict = true
	type level struct {
		name string
		at   int
	}
	var open []level
	for {
		token, err := x.Token()
		if token == nil {
			if len(open) > 0 {
				return fmt.Errorf("%d elements are open: %w", len(open), err)
			}
			return nil
		}
		switch e := token.(type) {
		case xml.StartElement:
			space := "SYNCML:SYNCML1.2"
			if len(open) > 0 && open[len(open)-1].name == "Meta" {
				space = "syncml:metinf"
			}
			if e.Name.Space != space {
				return fmt.Errorf("%s is in namespace %q", e.Name.Local, e.Name.Space)
			}
			if len(open) > 0 {
				parent := &open[len(open)-1]
				names := strings.Fields(order[parent.name])
				i := slices.Index(names, e.Name.Local)
				if i < 0 {
					return fmt.Errorf("%s in %s", e.Name.Local, parent.name)
				}
				if parent.name != "SyncBody" && parent.name != "Atomic" {
					if i < parent.at {
						return fmt.Errorf("%s in %s stands too late", e.Name.Local, parent.name)
					}
					parent.at = i
				}
			}
			open = append(open, level{name: e.Name.Local})
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && order[open[len(open)-1].name] != "" && strings.TrimSpace(string(e)) != "" {
				return fmt.Errorf("text in %s", open[len(open)-1].name)
			}
		case xml.Directive, xml.ProcInst:
			return fmt.Errorf("%v is none of SyncML's", e)
		}
	}
}
