package connector

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a build of the connector, "6.2504.2001.8".
type Version [4]int

// ParseVersion reads one.
func ParseVersion(s string) (v Version, err error) {
	parts := strings.Split(s, ".")
	if len(parts) != len(v) {
		return v, fmt.Errorf("connector: version %q has not four parts", s)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return Version{}, fmt.Errorf("connector: version %q", s)
		}
		v[i] = int(n)
	}
	return v, nil
}

// Compare orders versions.
func (v Version) Compare(o Version) int {
	for i := range v {
		if c := cmp.Compare(v[i], o[i]); c != 0 {
			return c
		}
	}
	return 0
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]) }

// Versions that matter (learn.microsoft.com, "Windows Autopilot: what's new" and
// "known issues", Intune Connector for Active Directory).
var (
	// Minimum is the oldest that Intune still serves: the first with a managed
	// service account.
	Minimum = Version{6, 2501, 2000, 5}
	// AwaitsReplication waits for its new managed service account to be known at
	// the controller that it asks; older ones find it not valid.
	AwaitsReplication = Version{6, 2504, 2001, 8}
	// ChecksWithoutS4U does not need a privilege that group policy may not have
	// brought yet to look whether its account may log on as a service.
	ChecksWithoutS4U = Version{6, 2604, 2000, 3}
	// Newest is what is installed today.
	Newest = ChecksWithoutS4U
)
