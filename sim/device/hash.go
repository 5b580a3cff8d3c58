package device

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/ztd"
)

const gib = 1 << 30

// HardwareHash computes the PC's 4K hardware hash as Windows does: from this
// hardware and the endorsement key of the TPM that is in it. A PC without a
// TPM has a hash without the TPM's records.
func (pc *PC) HardwareHash(now time.Time) (hwhash.Hardware, error) {
	h := pc.Hardware
	uuid, err := hwhash.ParseUUID(h.UUID)
	if err != nil {
		return hwhash.Hardware{}, fmt.Errorf("hardware hash of %s: %w", pc.Name, err)
	}
	mac, err := hex.DecodeString(strings.ReplaceAll(h.MAC, ":", ""))
	if err != nil || len(mac) != 6 {
		return hwhash.Hardware{}, fmt.Errorf("hardware hash of %s: MAC address %q", pc.Name, h.MAC)
	}
	medium := hwhash.MediumEthernet
	if h.Wireless {
		medium = hwhash.MediumNative80211
	}
	version := windowsVersion(pc.Installation.Build)
	maker, _, _ := strings.Cut(h.CPU, " ")
	out := hwhash.Hardware{
		ToolVersion: version, OSVersion: version, Taken: now.UTC().Truncate(time.Second), OSType: hwhash.OSFull, OSArch: hwhash.ArchX64, ToolFormat: 5,
		CPU:     hwhash.CPU{Arch: hwhash.ArchX64, Packages: 1, Cores: uint16(h.Cores), Threads: uint16(h.Cores), Maker: maker, Model: h.CPU},
		RAM:     hwhash.RAM{Total: h.RAMBytes / gib, Maximum: 2 * h.RAMBytes / gib, Slots: 2, Arrays: 1, ErrorCorrection: 3},
		Disks:   []hwhash.Disk{{SizeGiB: h.DiskBytes / gib, Bus: hwhash.BusNVMe, Trim: 1, Serial: h.DiskSerial, Model: h.DiskModel, KernelSerial: h.DiskSerial}},
		NICs:    []hwhash.NIC{{Medium: medium, MAC: [6]byte(mac), Bus: "PCI"}},
		GPUs:    []hwhash.GPU{{VideoMemory: 128, Internal: true, Name: h.GPU}},
		Chassis: hwhash.Chassis{Type: uint8(h.Chassis), PowerRole: 2},
		SMBIOS: hwhash.SMBIOS{
			UUID: uuid, Serial: h.Serial, Manufacturer: h.Manufacturer, Product: h.Model, SKU: h.SKU, Family: h.Family,
			FirmwareVendor: h.Manufacturer, FirmwareVersion: h.Firmware, BoardProduct: h.Board, BoardVersion: h.BoardVersion, SystemVersion: "1.0",
		},
		ProductKey: hwhash.ProductKey{ID: h.ProductKeyID},
	}
	if pc.Chip != nil {
		modulus := pc.Chip.EKPublic().N.Bytes()
		out.TPM, out.EKModulus, out.OfflineID = pc.Chip.Model().VersionText(), modulus, hwhash.OfflineIDFromEK(modulus)
	}
	return out, nil
}

// Row is the PC's line in the file that Get-WindowsAutopilotInfo writes.
func (pc *PC) Row(now time.Time) (ztd.Row, error) {
	h, err := pc.HardwareHash(now)
	if err != nil {
		return ztd.Row{}, err
	}
	text, err := hwhash.EncodeBase64(h)
	if err != nil {
		return ztd.Row{}, fmt.Errorf("hardware hash of %s: %w", pc.Name, err)
	}
	return ztd.Row{Serial: pc.Hardware.Serial, ProductID: pc.Hardware.ProductKeyID, Hash: text, Hardware: h}, nil
}

// FromHash rebuilds hardware from a decoded hash, as far as a hash tells it.
// The TPM that it names cannot be rebuilt: nobody has its keys.
func FromHash(h hwhash.Hardware) Hardware {
	out := Hardware{
		Manufacturer: h.SMBIOS.Manufacturer, Model: h.SMBIOS.Product, SKU: h.SMBIOS.SKU, Family: h.SMBIOS.Family, Serial: h.SMBIOS.Serial,
		UUID: h.SMBIOS.UUID.String(), Board: h.SMBIOS.BoardProduct, BoardVersion: h.SMBIOS.BoardVersion, Firmware: h.SMBIOS.FirmwareVersion,
		CPU: h.CPU.Model, Cores: int(h.CPU.Cores), RAMBytes: h.RAM.Total * gib, Chassis: int(h.Chassis.Type), ProductKeyID: h.ProductKey.ID,
		DiskBytes: 256e9,
	}
	if len(h.Disks) > 0 {
		d := h.Disks[0]
		out.DiskModel, out.DiskSerial, out.DiskBytes = d.Model, d.Serial, d.SizeGiB*gib
	}
	if len(h.GPUs) > 0 {
		out.GPU = h.GPUs[0].Name
	}
	out.Wireless = len(h.NICs) > 0
	for _, n := range h.NICs {
		if n.Medium == hwhash.MediumEthernet {
			out.Wireless = false
		}
		out.MAC = strings.ToUpper(fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", n.MAC[0], n.MAC[1], n.MAC[2], n.MAC[3], n.MAC[4], n.MAC[5]))
	}
	return out
}

// windowsVersion reads "26100.4652"; what is missing is 0.
func windowsVersion(build string) hwhash.Version {
	major, minor, _ := strings.Cut(build, ".")
	v := hwhash.Version{Major: 10}
	if n, err := strconv.ParseUint(major, 10, 16); err == nil {
		v.Build = uint16(n)
	}
	if n, err := strconv.ParseUint(minor, 10, 16); err == nil {
		v.Revision = uint16(n)
	}
	return v
}
