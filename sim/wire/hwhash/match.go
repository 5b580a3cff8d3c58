package hwhash

import (
	"bytes"
	"fmt"
	"strings"
)

// Match decides whether a presented hash is of the PC that was registered, and says why not. Our model: the system
// UUID and serial number (which live on the board), maker, product and the endorsement key must be the same; everything
// else may change, because a new disk, card, memory module, Windows build or time of capture keeps a registration
// valid, while a new board or TPM does not (learn.microsoft.com, Autopilot motherboard replacement).
//
// A value that the registered hash does not have is not compared: hashes taken in Windows PE carry no TPM records.
func Match(registered, presented Hardware) (ok bool, why string) {
	r, p := registered.SMBIOS, presented.SMBIOS
	if !r.UUID.IsZero() && r.UUID != p.UUID {
		return false, fmt.Sprintf("system UUID is %s, registered is %s", p.UUID, r.UUID)
	}
	for _, t := range []struct{ name, was, is string }{
		{"system serial number", r.Serial, p.Serial},
		{"manufacturer", r.Manufacturer, p.Manufacturer},
		{"product", r.Product, p.Product},
	} {
		if t.was != "" && !strings.EqualFold(t.was, t.is) {
			return false, fmt.Sprintf("%s is %q, registered is %q", t.name, t.is, t.was)
		}
	}
	if len(registered.EKModulus) > 0 && !bytes.Equal(registered.EKModulus, presented.EKModulus) {
		if len(presented.EKModulus) == 0 {
			return false, "the registered TPM is missing"
		}
		return false, "the TPM's endorsement key is another one"
	}
	return true, ""
}
