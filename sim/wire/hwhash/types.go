package hwhash

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Hardware is the content of one hash. The zero value of a member means that the record is left out, except for
// the records with fixed numbers (1, 2, 5, 10), which are always written.
type Hardware struct {
	ToolVersion Version   // build of the collecting component, normally that of its Windows
	OSVersion   Version   // build of the running Windows
	Taken       time.Time // when the hash was computed, whole seconds, UTC; not before 2000
	TimeZone    int8      // local time minus UTC in quarter hours
	OSType      uint8     // OSFull for an installed Windows
	OSArch      Arch      // of the running Windows, not of the processor
	ToolFormat  uint8     // version number of the collecting tool; 3 to 5 seen

	CPU      CPU
	RAM      RAM
	Disks    []Disk
	NICs     []NIC
	Displays []Display
	GPUs     []GPU
	Chassis  Chassis
	SMBIOS   SMBIOS

	TPM        string     // record 13, see TPMText; "" without a TPM
	EKModulus  []byte     // record 25: modulus of the RSA-2048 endorsement key, 256 bytes; nil without a TPM
	OfflineID  *OfflineID // record 11; nil without a TPM
	ProductKey ProductKey
	Mark27     []byte // record 27, four bytes 00 or FF of unknown meaning; nil leaves it out

	Unknown []Record // records of types that are not modelled, in their order
	Layout  []Slot   // order of records as decoded; nil means the canonical order
}

// Record is one raw record: its type and its data without the four header bytes.
type Record struct {
	Type uint16
	Data []byte
}

// Slot is one place in the record order. Raw is set where the bytes that were read differ from those that Encode
// would write for the same values; it is used again while the values stay the same.
type Slot struct {
	Type uint16
	Raw  []byte
}

// Version is a Windows version, printed as 10.0.26100.4652.
type Version struct{ Major, Minor, Build, Revision uint16 }

// String gives major.minor.build.revision.
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", v.Major, v.Minor, v.Build, v.Revision)
}

// OSFull is the OSType of an installed Windows; other values come from Windows PE.
const OSFull uint8 = 2

// Arch is a processor architecture as in SYSTEM_INFO.wProcessorArchitecture.
type Arch uint16

// Architectures (winnt.h PROCESSOR_ARCHITECTURE_*).
const (
	ArchX86   Arch = 0
	ArchX64   Arch = 9
	ArchARM64 Arch = 12
)

// CPU is records 2 (topology), 3 (maker) and 4 (model).
type CPU struct {
	Arch           Arch
	Packages       uint16
	Cores          uint16
	Threads        uint16
	Hyperthreading bool
	Maker, Model   string // "GenuineIntel", "Intel(R) Core(TM) Ultra 5 135U"
}

// RAM is record 5. Sizes are GiB.
type RAM struct {
	Total, Maximum  uint64
	Slots, Arrays   uint16
	ErrorCorrection uint8 // SMBIOS 7.17.3: 3 none, 4 parity, 5 single-bit, 6 multi-bit, 7 CRC
}

// Bus is a STORAGE_BUS_TYPE (ntddstor.h).
type Bus uint16

// Storage buses.
const (
	BusSATA Bus = 11
	BusNVMe Bus = 17
)

// Disk is records 6 (size and bus), 7 (serial and model) and 28 (the kernel's view of the serial). The n-th records
// of these types belong to the n-th disk.
type Disk struct {
	SizeGiB       uint64
	Bus           Bus
	SeekPenalty   uint8 // 0 solid state, 255 rotating
	Trim          uint8
	Serial, Model string
	KernelSerial  string // "" leaves record 28 out
}

// Medium is an NDIS_PHYSICAL_MEDIUM.
type Medium uint32

// Physical media of network cards.
const (
	MediumWirelessLAN Medium = 1
	MediumNative80211 Medium = 9
	MediumBluetooth   Medium = 10
	MediumEthernet    Medium = 14
)

// NIC is record 8.
type NIC struct {
	Medium Medium
	MAC    [6]byte
	Bus    string // "PCI", "USB"
}

// Display is record 9: millimetres and pixels.
type Display struct{ WidthMM, HeightMM, Width, Height uint16 }

// GPU is records 29 (memory) and 30 (name). Sizes are MiB.
type GPU struct {
	VideoMemory, SystemMemory uint64
	RemovalPolicy             uint8 // 1 cannot be removed
	Internal                  bool
	Name                      string // "maker|model"; "" leaves record 30 out
}

// Chassis is record 10.
type Chassis struct {
	Type        uint8 // SMBIOS 7.4.1: 3 desktop, 10 notebook, 31 convertible
	PowerRole   uint8 // POWER_PLATFORM_ROLE: 1 desktop, 2 mobile, 8 slate
	OpticalDisk bool
	Touch       uint8 // NID_* bits of SM_DIGITIZER
}

// SMBIOS is record 12 and the texts of records 14 to 23.
type SMBIOS struct {
	UUID            UUID
	Serial          string // system serial number, what the CSV calls device serial number
	FirmwareVendor  string
	Manufacturer    string
	Product         string
	SKU             string
	Family          string
	FirmwareVersion string
	BoardProduct    string
	BoardVersion    string
	SystemVersion   string
}

// ProductKey is records 24 and 26.
type ProductKey struct {
	ID string // Windows product id, 13 digits or five groups
	Pn string // key part number
}

// OfflineID is record 11: an identifier that survives a reinstallation of Windows.
type OfflineID struct {
	Status uint32 // HRESULT of its retrieval, 0 normally
	Kind   uint16 // where it comes from
	ID     []byte // 32 bytes
}

// Kinds of offline device id.
const (
	OfflineTPMEK        uint16 = 1      // digest of the endorsement key
	OfflineUEFIVariable uint16 = 0x0102 // firmware variable sealed by the TPM
)

// OfflineIDFromEK gives the record 11 of a PC whose TPM has an endorsement key with this RSA modulus: its SHA-256.
func OfflineIDFromEK(modulus []byte) *OfflineID {
	sum := sha256.Sum256(modulus)
	return &OfflineID{Kind: OfflineTPMEK, ID: sum[:]}
}
