package device

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Hardware is what the maker built: the data that SMBIOS and the buses report
// to Windows, and from which the hardware hash is computed. Nothing in it
// changes over a PC's life unless somebody replaces a board.
type Hardware struct {
	Manufacturer string `json:"manufacturer"` // SMBIOS type 1
	Model        string `json:"model"`
	SKU          string `json:"sku"`
	Family       string `json:"family"`
	Serial       string `json:"serial"`
	UUID         string `json:"uuid"` // RFC 4122 text form, lower case
	Board        string `json:"board"`
	BoardVersion string `json:"boardVersion"`
	Firmware     string `json:"firmware"` // "vendor version"
	CPU          string `json:"cpu"`
	Cores        int    `json:"cores"`
	RAMBytes     uint64 `json:"ramBytes"`
	GPU          string `json:"gpu"`
	Chassis      int    `json:"chassis"` // SMBIOS type 3: 10 is a notebook
	DiskModel    string `json:"diskModel"`
	DiskSerial   string `json:"diskSerial"`
	DiskBytes    uint64 `json:"diskBytes"`
	MAC          string `json:"mac"`          // wired or, where there is no wired card, wireless
	Wireless     bool   `json:"wireless"`     // has no wired network card
	ProductKeyID string `json:"productKeyId"` // "Windows Product ID" of the hardware-hash CSV, may be empty
	Virtual      bool   `json:"virtual"`      // a virtual machine, as CPUID and SMBIOS give it away
}

// tooSmall tells whether Windows has less than Autopilot's page asks of a virtual
// machine: two processors and 4 GB (learn.microsoft.com, "Windows Autopilot known
// issues").
func (h Hardware) tooSmall() bool { return h.Cores == 1 || h.RAMBytes > 0 && h.RAMBytes < 4e9 }

// Make is one product line of a maker, as people order it.
type Make struct {
	Manufacturer, Model, SKU, Family, Board, Firmware, CPU, GPU string
	Cores                                                       int
	RAMBytes, DiskBytes                                         uint64
	DiskModel, SerialPrefix                                     string
	OUI                                                         [3]byte // of the network card's vendor
	Wireless                                                    bool
}

// Makes is the range that fleets are drawn from. The names are invented in the
// style of business notebooks, so that nobody mistakes a simulated PC's record
// for one of a real maker's.
var Makes = []Make{
	{Manufacturer: "Contoso Devices", Model: "Aero 14 G3", SKU: "AE14G3", Family: "Aero", Board: "AE14-MB", Firmware: "Contoso 1.14.2", CPU: "Intel(R) Core(TM) Ultra 5 125U", GPU: "Intel(R) Graphics", Cores: 12, RAMBytes: 16 << 30, DiskBytes: 512e9, DiskModel: "NVMe PM9C1 512GB", SerialPrefix: "CD", OUI: [3]byte{0x02, 0x1a, 0x11}},
	{Manufacturer: "Fabrikam", Model: "FieldBook 13", SKU: "FB13-2", Family: "FieldBook", Board: "FB13", Firmware: "Fabrikam N3EET44W", CPU: "AMD Ryzen 5 PRO 7540U", GPU: "AMD Radeon 740M", Cores: 6, RAMBytes: 16 << 30, DiskBytes: 256e9, DiskModel: "SN740 NVMe 256GB", SerialPrefix: "PF", OUI: [3]byte{0x02, 0x2b, 0x22}},
	{Manufacturer: "Northwind PC", Model: "EliteDesk N800", SKU: "N800-SFF", Family: "EliteDesk", Board: "8A0F", Firmware: "Northwind T70 01.08.00", CPU: "Intel(R) Core(TM) i5-14500", GPU: "Intel(R) UHD Graphics 770", Cores: 14, RAMBytes: 32 << 30, DiskBytes: 512e9, DiskModel: "KXG8 NVMe 512GB", SerialPrefix: "NW", OUI: [3]byte{0x02, 0x3c, 0x33}},
	{Manufacturer: "Contoso Devices", Model: "Slate 12 Wi-Fi", SKU: "SL12W", Family: "Slate", Board: "SL12-MB", Firmware: "Contoso 2.3.0", CPU: "Snapdragon(R) X Plus", GPU: "Adreno X1-45", Cores: 8, RAMBytes: 16 << 30, DiskBytes: 256e9, DiskModel: "BG6 NVMe 256GB", SerialPrefix: "CS", OUI: [3]byte{0x02, 0x4d, 0x44}, Wireless: true},
}

// Build draws one PC of this make: serial numbers, UUID and MAC come from r,
// which is the PC's own stream, so that PC n of a seed is the same machine in
// every run.
func (m Make) Build(r *rand.Rand) Hardware {
	var uuid [16]byte
	for i := range uuid {
		uuid[i] = byte(r.Uint32())
	}
	uuid[6], uuid[8] = uuid[6]&0x0f|0x40, uuid[8]&0x3f|0x80
	return Hardware{
		Manufacturer: m.Manufacturer, Model: m.Model, SKU: m.SKU, Family: m.Family,
		Serial: m.SerialPrefix + letters(r, 6), UUID: formatUUID(uuid),
		Board: m.Board, BoardVersion: "A01", Firmware: m.Firmware,
		CPU: m.CPU, Cores: m.Cores, RAMBytes: m.RAMBytes, GPU: m.GPU, Chassis: 10,
		DiskModel: m.DiskModel, DiskSerial: letters(r, 14), DiskBytes: m.DiskBytes,
		MAC:      fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", m.OUI[0], m.OUI[1], m.OUI[2], byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())),
		Wireless: m.Wireless,
	}
}

// letters draws n characters of the alphabet that makers print on labels: no
// I, O or Q, which people misread.
func letters(r *rand.Rand, n int) string {
	const alphabet = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func formatUUID(u [16]byte) string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
