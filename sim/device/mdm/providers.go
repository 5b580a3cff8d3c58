package mdm

import (
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/csp"
)

// root is where a provider's nodes begin.
type root struct {
	path csp.Path
	*provider
}

// roots are the providers of this Windows. Longer roots stand before shorter
// ones that they are below.
var roots []root

// NodeCache looks nodes up here, and is one of them.
func init() { roots = providers() }

func providers() []root {
	return []root{
		at("./Vendor/MSFT/DMClient/Provider", dmClient),
		at("./Vendor/MSFT/EnrollmentStatusTracking", tracking),
		at("./Vendor/MSFT/EnterpriseDesktopAppManagement/MSI", msi),
		at("./Vendor/MSFT/EnterpriseModernAppManagement", modern),
		at("./Vendor/MSFT/Office/Installation", office),
		at("./Vendor/MSFT/ClientCertificateInstall/PFXCertInstall", pfx),
		at("./Vendor/MSFT/ClientCertificateInstall/SCEP", scepCSP),
		at("./Vendor/MSFT/RootCATrustedCertificates", rootCA),
		at("./Vendor/MSFT/WiFi/Profile", wifi),
		at("./Vendor/MSFT/VPNv2", vpn),
		at("./Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions", launchRestrictions),
		at("./Vendor/MSFT/ApplicationControl/Policies", appControl),
		at("./Vendor/MSFT/BitLocker", bitLocker),
		at("./Vendor/MSFT/LAPS", laps),
		at("./Vendor/MSFT/Update", updates),
		at("./Vendor/MSFT/Reboot", rebooting),
		at("./Vendor/MSFT/RemoteWipe", reset),
		at("./Vendor/MSFT/CleanPC", reset),
		at("./Vendor/MSFT/OfflineDomainJoin", domainJoin),
		at("./Vendor/MSFT/DeviceStatus", deviceStatus),
		at("./Vendor/MSFT/NodeCache", nodeCache),
		at("./Vendor/MSFT/HealthAttestation", health),
		at("./Vendor/MSFT/DiagnosticLog", diagnosticLog),
		at("./Vendor/MSFT/AssignedAccess", kiosk),
		at("./Vendor/MSFT/Uefi", firmware),
		at("./Vendor/MSFT/NetworkProxy", proxy),
		at("./Vendor/MSFT/Policy", policies),
		at("./DevInfo", inventory),
		at("./DevDetail", inventory),
	}
}

func at(uri string, p *provider) root {
	path, err := csp.Parse(uri)
	if err != nil {
		panic("mdm: provider's root " + uri + ": " + err.Error()) // a constant above is wrong
	}
	return root{path: path, provider: p}
}

// find gives the provider of a path, nil where there is none. User and device
// trees have the same providers.
func find(path csp.Path) *provider {
	for _, r := range roots {
		below := r.path
		below.Scope = path.Scope
		if _, ok := path.Below(below); ok {
			return r.provider
		}
	}
	return nil
}

// segment gives the nth segment below "Vendor/MSFT/<CSP>", "" where the path
// is shorter.
func segment(path csp.Path, n int) string {
	if i := n + 3; i < len(path.Segments) {
		return path.Segments[i]
	}
	return ""
}

// number reads a decimal that fits a REG_DWORD.
func number(text string) (uint32, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < -1<<31 || n >= 1<<32 {
		return 0, false
	}
	return uint32(n), true
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func boolean(n uint32) string { return strconv.FormatBool(n != 0) }
