package hwhash_test

import (
	"bytes"
	"time"

	"windtunnel.test/sim/wire/hwhash"
)

// sample is a notebook that uses every record.
func sample() hwhash.Hardware {
	uuid, err := hwhash.ParseUUID("4c4c4544-0042-3510-8052-b4c04f4e3233")
	if err != nil {
		panic(err)
	}
	ek := bytes.Repeat([]byte{0xc3, 0x5a, 0x11, 0xff}, 64)
	return hwhash.Hardware{
		ToolVersion: hwhash.Version{Major: 10, Build: 26100, Revision: 1},
		OSVersion:   hwhash.Version{Major: 10, Build: 26100, Revision: 4652},
		Taken:       time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC),
		TimeZone:    -8, OSType: hwhash.OSFull, OSArch: hwhash.ArchX64, ToolFormat: 5,
		CPU:      hwhash.CPU{Arch: hwhash.ArchX64, Packages: 1, Cores: 12, Threads: 14, Hyperthreading: true, Maker: "GenuineIntel", Model: "Intel(R) Core(TM) Ultra 5 135U"},
		RAM:      hwhash.RAM{Total: 16, Maximum: 64, Slots: 2, Arrays: 1, ErrorCorrection: 3},
		Disks:    []hwhash.Disk{{SizeGiB: 476, Bus: hwhash.BusNVMe, Trim: 1, Serial: "0025_38B2_31B0_5A4F.", Model: "NVMe 512GB", KernelSerial: "0025_38B2_31B0_5A4F."}},
		NICs:     []hwhash.NIC{{Medium: hwhash.MediumEthernet, MAC: [6]byte{0, 0x15, 0x5d, 1, 2, 3}, Bus: "PCI"}, {Medium: hwhash.MediumNative80211, MAC: [6]byte{0x70, 0xa8, 0xd3, 4, 5, 6}, Bus: "PCI"}},
		Displays: []hwhash.Display{{WidthMM: 302, HeightMM: 188, Width: 1920, Height: 1200}},
		GPUs:     []hwhash.GPU{{VideoMemory: 128, RemovalPolicy: 1, Internal: true, Name: "Intel Corporation|Intel(R) Graphics"}},
		Chassis:  hwhash.Chassis{Type: 10, PowerRole: 2},
		SMBIOS: hwhash.SMBIOS{UUID: uuid, Serial: "B5R4N23", FirmwareVendor: "Dell Inc.", Manufacturer: "Dell Inc.", Product: "Latitude 5450", SKU: "0CB5",
			Family: "Latitude", FirmwareVersion: "1.9.1", BoardProduct: "0N7W3T", BoardVersion: "A00", SystemVersion: "Not Specified"},
		TPM:        hwhash.TPMText{Version: "2.0", Level: "0", Revision: "1.38", VendorID: "IFX ", Firmware: "15.23.16430.0"}.String(),
		EKModulus:  ek,
		OfflineID:  hwhash.OfflineIDFromEK(ek),
		ProductKey: hwhash.ProductKey{ID: "00330-80000-00000-AA123", Pn: "[4]X23-15070"},
		Mark27:     []byte{0, 0, 0, 0},
		Unknown:    []hwhash.Record{{Type: 34, Data: []byte{1, 2, 3}}},
	}
}
