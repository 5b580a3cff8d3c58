package tenant

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ztd"
)

// Group ids that Intune uses in assignment ids for its two virtual groups.
const (
	allDevicesGroup = "adadadad-808e-44e2-905a-0b7873a8a531"
	allUsersGroup   = "acacacac-9df4-4c7d-9d50-4ef0226f57a9"
)

func profileMeta(p *graph.DeploymentProfile) meta {
	return meta{&p.ID, &p.DisplayName, &p.CreatedDateTime, &p.LastModifiedDateTime, nil, func(t *Tenant, n int) error {
		if p.ODataType != graph.TypeEntraProfile && p.ODataType != graph.TypeHybridProfile {
			return unmodelled(p.ODataType)
		}
		if limit := t.s.Timing.Autopilot.Profiles; n >= limit {
			return fmt.Errorf("the tenant has %d deployment profiles, the limit", limit)
		}
		o := &p.OutOfBoxExperienceSetting
		o.UserType, o.DeviceUsageType = orDefault(o.UserType, graph.UserAdministrator), orDefault(o.DeviceUsageType, graph.UsageSingleUser)
		p.DeviceType = orDefault(p.DeviceType, "windowsPc")
		if p.Hybrid() && o.DeviceUsageType == graph.UsageShared {
			return fmt.Errorf("self-deploying mode and hybrid join exclude each other")
		}
		var err error
		if p.Assignments, err = assignments(p.ID, p.Assignments); err != nil || p.Hybrid() {
			return err
		}
		return ztd.ValidateDeviceName(p.DeviceNameTemplate)
	}}
}

func statusPageMeta(p *graph.EnrollmentStatusPage) meta {
	return meta{&p.ID, &p.DisplayName, &p.CreatedDateTime, &p.LastModifiedDateTime, &p.Version, func(t *Tenant, n int) error {
		if p.ODataType != graph.TypeESP {
			return unmodelled(p.ODataType)
		}
		if limit := t.s.Timing.ESP.Profiles; n >= limit {
			return fmt.Errorf("the tenant has %d status pages, the limit", limit)
		}
		if limit := t.s.Timing.ESP.BlockingApps; len(p.SelectedMobileAppIDs) > limit {
			return fmt.Errorf("%d blocking apps are selected, %d are allowed", len(p.SelectedMobileAppIDs), limit)
		}
		if p.InstallProgressTimeoutInMinutes < 0 {
			return fmt.Errorf("installProgressTimeoutInMinutes is negative")
		}
		if p.InstallProgressTimeoutInMinutes == 0 {
			p.InstallProgressTimeoutInMinutes = int(t.s.Timing.ESP.Timeout.Minutes())
		}
		if p.Priority < 0 {
			return fmt.Errorf("priority is negative")
		}
		if p.Priority == 0 && !isDefaultPage(*p) {
			p.Priority = n + 1
		}
		var err error
		p.Assignments, err = assignments(p.ID, p.Assignments)
		return err
	}}
}

func appMeta(a *graph.MobileApp) meta {
	return meta{&a.ID, &a.DisplayName, &a.CreatedDateTime, &a.LastModifiedDateTime, nil, func(t *Tenant, _ int) error {
		if limit := int64(t.s.Timing.IME.AppSize); a.Size > limit {
			return fmt.Errorf("the app has %d bytes; at most %d", a.Size, limit)
		}
		switch {
		case a.ODataType == graph.TypeOfficeSuite && a.Win32LobApp == nil && a.WindowsMobileMSI == nil:
			if a.OfficeSuiteApp == nil {
				a.OfficeSuiteApp = &graph.OfficeSuiteApp{}
			}
		case a.OfficeSuiteApp != nil:
			return unmodelled(a.ODataType)
		case a.ODataType == graph.TypeStoreApp && a.Win32LobApp == nil && a.WindowsMobileMSI == nil:
			if a.StoreApp == nil || a.PackageIdentityName == "" || a.ProductKey == "" {
				return fmt.Errorf("packageIdentityName or productKey is missing")
			}
		case a.StoreApp != nil:
			return unmodelled(a.ODataType)
		case a.ODataType == graph.TypeWinGetApp && a.WindowsMobileMSI == nil:
			if a.WinGetApp == nil || a.PackageIdentifier == "" {
				return fmt.Errorf("packageIdentifier is missing")
			}
			if a.Win32LobApp == nil {
				a.Win32LobApp = &graph.Win32LobApp{}
			}
		case a.WinGetApp != nil:
			return unmodelled(a.ODataType)
		case (a.ODataType == graph.TypeWin32LobApp || a.ODataType == graph.TypeCatalogApp) && a.WindowsMobileMSI == nil:
			if a.Win32LobApp == nil {
				a.Win32LobApp = &graph.Win32LobApp{}
			}
		case a.ODataType == graph.TypeMobileMSI && a.Win32LobApp == nil:
			if a.WindowsMobileMSI == nil {
				a.WindowsMobileMSI = &graph.WindowsMobileMSI{}
			}
		default:
			return unmodelled(a.ODataType)
		}
		if a.Size < 0 {
			return fmt.Errorf("size is negative")
		}
		a.PublishingState = orDefault(a.PublishingState, "published")
		a.Assignments = slices.Clone(a.Assignments)
		for i := range a.Assignments {
			as := &a.Assignments[i]
			var err error
			if as.ID, err = assignmentID(a.ID, as.Target); err != nil {
				return err
			}
			as.Intent, as.Source, as.SourceID = orDefault(as.Intent, graph.IntentRequired), orDefault(as.Source, "direct"), orDefault(as.SourceID, a.ID)
		}
		return nil
	}}
}

func configurationMeta(c *graph.DeviceConfiguration) meta {
	return meta{&c.ID, &c.DisplayName, &c.CreatedDateTime, &c.LastModifiedDateTime, &c.Version, func(*Tenant, int) error {
		made, ok := graph.New(c.ODataType)
		empty, isConfiguration := made.(*graph.DeviceConfiguration)
		if !ok || !isConfiguration {
			return unmodelled(c.ODataType)
		}
		// A resource that has none of its type's own members has no part for them yet.
		fillPart(&c.CustomConfiguration, empty.CustomConfiguration)
		fillPart(&c.CertificateProfile, empty.CertificateProfile)
		fillPart(&c.PKCSCertificate, empty.PKCSCertificate)
		fillPart(&c.ImportedPFX, empty.ImportedPFX)
		fillPart(&c.TrustedRoot, empty.TrustedRoot)
		fillPart(&c.DomainJoin, empty.DomainJoin)
		fillPart(&c.SCEPCertificate, empty.SCEPCertificate)
		fillPart(&c.WiFi, empty.WiFi)
		fillPart(&c.VPN, empty.VPN)
		fillPart(&c.EndpointProtection, empty.EndpointProtection)
		fillPart(&c.UpdateRing, empty.UpdateRing)
		if c.DomainJoin != nil {
			if wrong := c.Mistakes(); len(wrong) > 0 {
				return fmt.Errorf("%s %s", wrong[0].Path, wrong[0].Message)
			}
		}
		if c.CustomConfiguration != nil {
			for _, s := range c.OmaSettings {
				if _, _, err := s.Data(); err != nil {
					return err
				}
			}
		}
		var err error
		c.Assignments, err = assignments(c.ID, c.Assignments)
		return err
	}}
}

func policyMeta(p *graph.CompliancePolicy) meta {
	return meta{&p.ID, &p.DisplayName, &p.CreatedDateTime, &p.LastModifiedDateTime, &p.Version, func(*Tenant, int) error {
		if p.ODataType != graph.TypeCompliancePolicy {
			return unmodelled(p.ODataType)
		}
		var err error
		p.Assignments, err = assignments(p.ID, p.Assignments)
		return err
	}}
}

func unmodelled(odataType string) error {
	if odataType == "" {
		return fmt.Errorf("@odata.type is missing")
	}
	return fmt.Errorf("@odata.type %s is not modelled", odataType)
}

func orDefault[S ~string](s, otherwise S) S {
	if s == "" {
		return otherwise
	}
	return s
}

func fillPart[T any](have **T, empty *T) {
	if *have == nil {
		*have = empty
	}
}

// assignments gives a list as the service keeps it: with ids, each target once.
func assignments(objectID string, in []graph.Assignment) ([]graph.Assignment, error) {
	out := make([]graph.Assignment, 0, len(in))
	for _, a := range in {
		id, err := assignmentID(objectID, a.Target)
		if err != nil {
			return nil, err
		}
		a.ID, a.Source, a.SourceID = id, orDefault(a.Source, "direct"), orDefault(a.SourceID, objectID)
		a.Target.GroupID = strings.ToLower(a.Target.GroupID)
		if !slices.ContainsFunc(out, func(b graph.Assignment) bool { return b.Target == a.Target }) {
			out = append(out, a)
		}
	}
	return out, nil
}

func assignmentID(objectID string, t graph.AssignmentTarget) (string, error) {
	group := strings.ToLower(t.GroupID)
	switch t.ODataType {
	case graph.TargetGroup, graph.TargetExclusion:
		if group == "" {
			return "", fmt.Errorf("an assignment to a group has no groupId")
		}
	case graph.TargetAllDevices:
		group = allDevicesGroup
	case graph.TargetAllUsers:
		group = allUsersGroup
	default:
		return "", fmt.Errorf("assignment target %q is not modelled", t.ODataType)
	}
	if t.FilterID != "" {
		return "", fmt.Errorf("assignment filters are not modelled")
	}
	return objectID + "_" + group, nil
}
