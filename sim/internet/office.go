package internet

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
)

// Products and update channels of Microsoft 365 Apps by their names in the
// Office Deployment Tool (learn.microsoft.com, "Configuration options for the
// Office Deployment Tool").
var (
	officeProducts = []string{"O365ProPlusRetail", "O365BusinessRetail", "VisioProRetail", "ProjectProRetail"}
	officeChannels = []string{"Current", "CurrentPreview", "MonthlyEnterprise", "SemiAnnual", "SemiAnnualPreview", "BetaChannel"}
)

// officeVersion is the build that all channels have: which one is current is of
// no interest here.
const officeVersion = "16.0.18025.20160"

// PublishOffice puts Microsoft 365 Apps up, every product in every channel.
func PublishOffice(c *Content, t *timing.Profile) error {
	for _, product := range officeProducts {
		body, err := installer.Manifest{Product: product, Version: officeVersion, Duration: t.MDM.OfficeInstall}.Encode()
		if err != nil {
			return fmt.Errorf("internet: %s: %w", product, err)
		}
		for _, channel := range officeChannels {
			c.Publish(strings.TrimPrefix(hosts.OfficePackage(channel, product), "https://"+hosts.OfficeCDN), body, int64(t.MDM.OfficeSize))
		}
	}
	return nil
}
