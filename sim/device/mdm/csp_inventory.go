package mdm

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"

	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// inventory is DevInfo and DevDetail: what the server asks to take stock.
var inventory = &provider{
	get: func(t target) (string, syncml.StatusCode) {
		h, path := t.w.Hardware, "./"+strings.Join(t.path.Segments, "/")
		switch path {
		case csp.DevInfoDevID:
			return t.w.Registry().String(enrollmentKey(t.w), "EntDMID"), syncml.OK
		case csp.DevInfoMan, csp.DevDetailOEM:
			return h.Manufacturer, syncml.OK
		case csp.DevInfoMod, csp.DevDetailType:
			return h.Model, syncml.OK
		case csp.DevInfoDmV:
			return "1.3", syncml.OK
		case csp.DevInfoLang:
			return "en-US", syncml.OK
		case csp.DevDetailSwV:
			return "10.0." + t.w.Installation.Build, syncml.OK
		case csp.DevDetailHwV, csp.DevDetailFwV:
			return h.Firmware, syncml.OK
		case csp.DevDetailLocalTime:
			return t.w.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"), syncml.OK
		case csp.DevDetailDeviceName, csp.DevDetailDNSComputerName:
			return t.w.ComputerName(), syncml.OK
		case csp.DevDetailOSPlatform:
			return t.w.Installation.Edition, syncml.OK
		case csp.DevDetailProcessor:
			return "9", syncml.OK
		case csp.DevDetailSMBIOSSerial:
			return h.Serial, syncml.OK
		case csp.DevDetailMACAddress:
			return h.MAC, syncml.OK
		case csp.DevDetailHardwareData:
			row, err := t.w.Row(t.w.Now())
			if err != nil {
				return "", syncml.CommandFailed
			}
			return row.Hash, syncml.OK
		}
		return "", syncml.NotFound
	},
}

// thumbprint is how Windows names a certificate.
func thumbprint(der []byte) string {
	sum := sha1.Sum(der) //nolint:gosec // a name, not a proof
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
