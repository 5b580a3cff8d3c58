package hybrid_test

import (
	"os"
	"path/filepath"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// knownIssue is a line of the list of what goes wrong with hybrid join, and
// where it is here: "spec", or why there is none.
type knownIssue struct{ title, where string }

const inSpec = "spec"

// knownIssues are they, by number.
var knownIssues = map[string]knownIssue{
	"H01": {"no live connector in the domain", inSpec},
	"H02": {"a connector that is too old", inSpec},
	"H03": {"no rights on the unit", inSpec},
	"H05": {"a unit that is not configured, or none", inSpec},
	"H07": {"an assigned user blocks the join (disputed)", inSpec},
	"H08": {"the Autopilot device's object in Entra ID was deleted", inSpec},
	"H09": {"no domain-join profile reaches the PC", inSpec},
	"H10": {"no controller in sight, with the check", inSpec},
	"H11": {"no controller in sight, without the check", inSpec},
	"H13": {"VPNs that do not connect before a logon", inSpec},
	"H14": {"the directory sync has not brought the computer yet", inSpec},
	"H15": {"Entra ID has an older certificate of the computer's", inSpec},
	"H16": {"no service connection point", inSpec},
	"H17": {"a service connection point of another tenant", inSpec},
	"H18": {"discovery of the registration service fails", inSpec},
	"H19": {"discovery of the realm fails", inSpec},
	"H20": {"a proxy that opens TLS", inSpec},
	"H21": {"a federated domain, which is not modelled", inSpec},
	"H22": {"a busy registration service", inSpec},
	"H24": {"two ids in Entra ID, compliance not applicable at first", inSpec},
	"H23": {"builds whose hybrid deployments time out", inSpec},
	"H25": {"the user is no administrator beside another one", inSpec},
	"H26": {"the user is no administrator on a non-English Windows", inSpec},
	"H27": {"Kerberos clock skew", inSpec},
	"H28": {"replication between controllers lags", inSpec},
	"H29": {"the connector's service may not log on", inSpec},
	"H30": {"a constraint violation at the connector's setup", "not modelled: setup does not create the service account"},
	"H31": {"no managed service account: element not found", "not modelled: cause not public"},
	"H32": {"the check of the service account's privileges", inSpec},
	"H33": {"the connector needs more and more memory behind a proxy", inSpec},
	"H34": {"the connector's server without modern TLS", inSpec},
	"H35": {"a proxy and no WPAD", inSpec},
	"H36": {"a white page in the hybrid status page", "UI only"},
	"H37": {"two device objects", inSpec},
	"H38": {"the Configuration Manager client is pushed during provisioning", "not modelled: what it changes of the PC's identity is not public"},
	"H39": {"no primary refresh token after the logon", inSpec},
	"H40": {"an inactive connector stays listed", "UI only"},
	"H41": {"pre-provisioning in the domain's network ended without Reseal", "not modelled: one report of 2019, whose cause is unknown"},
	"H42": {"Autopilot Reset of a hybrid PC", "not modelled: it is unsupported, and remote actions are not there yet"},
	"S23": {"user rights need a controller to be merged", inSpec},
}

var _ = It("has a spec for each known issue that it models", func() {
	files, err := filepath.Glob("*_test.go")
	Expect(err).NotTo(HaveOccurred())
	found := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		Expect(err).NotTo(HaveOccurred())
		for _, m := range regexp.MustCompile(`(?:It|Entry|DescribeTable)\("([HS]\d\d):`).FindAllSubmatch(text, -1) {
			found[string(m[1])] = true
		}
	}
	for id, issue := range knownIssues {
		Expect(found[id]).To(Equal(issue.where == inSpec), "%s: %s", id, issue.title)
	}
})
