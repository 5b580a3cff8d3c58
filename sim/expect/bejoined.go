package expect

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
)

// Join is what a PC can be joined to.
type Join string

// Joins.
const (
	Nothing Join = "nothing"
	Entra   Join = "Entra ID"
	Domain  Join = "a domain"              // and not, or not yet, registered in Entra ID
	Hybrid  Join = "a domain and Entra ID" // hybrid join
)

// BeJoined succeeds for a PC that is joined so, by what dsregcmd /status says on it.
func BeJoined(to Join) types.GomegaMatcher {
	return &matcher{what: "be joined to " + string(to), fits: func(pc *device.PC) (bool, string, error) {
		s, err := diag.Of(pc)
		if err != nil {
			return false, "", fmt.Errorf("dsregcmd on %s: %w", pc.Name, err)
		}
		text := diag.DSRegCmd(s)
		have := map[[2]bool]Join{{false, false}: Nothing, {true, false}: Entra, {false, true}: Domain, {true, true}: Hybrid}[[2]bool{says(text, "AzureAdJoined"), says(text, "DomainJoined")}]
		return have == to, "it is joined to " + string(have), nil
	}}
}

// says reads a row of dsregcmd's, "  AzureAdJoined : YES".
func says(text, name string) bool {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value) == "YES"
		}
	}
	return false
}
