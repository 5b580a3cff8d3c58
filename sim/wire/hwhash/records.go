package hwhash

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
)

var le = binary.LittleEndian

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func cString(d []byte) string {
	s, _, _ := bytes.Cut(d, []byte{0})
	return string(s)
}

// Texts in UTF-16 end with a NUL of two bytes.
func putUTF16(s string) []byte {
	var b []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		b = le.AppendUint16(b, u)
	}
	return b
}

func getUTF16(d []byte) string {
	var units []uint16
	for ; len(d) >= 2; d = d[2:] {
		u := le.Uint16(d)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

func putCPU(h *Hardware) []byte {
	var b []byte
	for _, n := range []uint16{uint16(h.CPU.Arch), h.CPU.Packages, h.CPU.Cores, h.CPU.Threads} {
		b = le.AppendUint16(b, n)
	}
	return append(b, flag(h.CPU.Hyperthreading), 0, 0, 0)
}

func getCPU(h *Hardware, d []byte) error {
	if len(d) < 12 {
		return errShort
	}
	c := &h.CPU
	c.Arch, c.Packages, c.Cores, c.Threads = Arch(le.Uint16(d)), le.Uint16(d[2:]), le.Uint16(d[4:]), le.Uint16(d[6:])
	c.Hyperthreading = d[8] != 0
	return nil
}

func putRAM(h *Hardware) []byte {
	b := le.AppendUint64(nil, h.RAM.Total)
	b = le.AppendUint64(b, h.RAM.Maximum)
	b = le.AppendUint16(b, h.RAM.Slots)
	b = le.AppendUint16(b, h.RAM.Arrays)
	return append(b, h.RAM.ErrorCorrection)
}

func getRAM(h *Hardware, d []byte) error {
	if len(d) < 21 {
		return errShort
	}
	h.RAM = RAM{le.Uint64(d), le.Uint64(d[8:]), le.Uint16(d[16:]), le.Uint16(d[18:]), d[20]}
	return nil
}

func putDisk(k Disk) []byte {
	b := le.AppendUint64(nil, k.SizeGiB)
	b = le.AppendUint16(b, uint16(k.Bus))
	return append(b, k.SeekPenalty, k.Trim)
}

func getDisk(k *Disk, d []byte) error {
	if len(d) < 12 {
		return errShort
	}
	k.SizeGiB, k.Bus, k.SeekPenalty, k.Trim = le.Uint64(d), Bus(le.Uint16(d[8:])), d[10], d[11]
	return nil
}

// Record 7 is "serial|model|" without a NUL.
func putDiskSerial(k Disk) []byte { return []byte(k.Serial + "|" + k.Model + "|") }

func getDiskSerial(k *Disk, d []byte) error {
	serial, rest, _ := strings.Cut(cString(d), "|")
	model, _, _ := strings.Cut(rest, "|")
	k.Serial, k.Model = serial, model
	return nil
}

// The length in record 8 is taken for the bytes of the bus name with its NUL; decoders do not interpret it.
func putNIC(n NIC) []byte {
	name := putUTF16(n.Bus)
	b := le.AppendUint32(nil, uint32(n.Medium))
	b = append(b, n.MAC[:]...)
	b = le.AppendUint32(b, uint32(len(name)))
	return append(b, name...)
}

func getNIC(n *NIC, d []byte) error {
	if len(d) < 14 {
		return errShort
	}
	n.Medium, n.Bus = Medium(le.Uint32(d)), getUTF16(d[14:])
	copy(n.MAC[:], d[4:])
	return nil
}

func putDisplay(x Display) []byte {
	var b []byte
	for _, n := range []uint16{x.WidthMM, x.HeightMM, x.Width, x.Height} {
		b = le.AppendUint16(b, n)
	}
	return b
}

func getDisplay(x *Display, d []byte) error {
	if len(d) < 8 {
		return errShort
	}
	*x = Display{le.Uint16(d), le.Uint16(d[2:]), le.Uint16(d[4:]), le.Uint16(d[6:])}
	return nil
}

func putChassis(h *Hardware) []byte {
	c := h.Chassis
	return []byte{c.Type, c.PowerRole, flag(c.OpticalDisk), c.Touch}
}

func getChassis(h *Hardware, d []byte) error {
	if len(d) < 4 {
		return errShort
	}
	h.Chassis = Chassis{d[0], d[1], d[2] != 0, d[3]}
	return nil
}

// Record 11: status, kind, length, two bytes of unknown meaning, the identifier.
func putOfflineID(h *Hardware) []byte {
	o := h.OfflineID
	b := le.AppendUint32(nil, o.Status)
	b = le.AppendUint16(b, o.Kind)
	b = le.AppendUint16(b, uint16(len(o.ID)))
	return append(append(b, 0, 0), o.ID...)
}

func getOfflineID(h *Hardware, d []byte) error {
	if len(d) < 10 {
		return errShort
	}
	h.OfflineID = &OfflineID{Status: le.Uint32(d), Kind: le.Uint16(d[4:]), ID: append([]byte{}, d[10:]...)}
	return nil
}

func putUUID(h *Hardware) []byte { return append([]byte{}, h.SMBIOS.UUID[:]...) }

func getUUID(h *Hardware, d []byte) error {
	if len(d) != len(h.SMBIOS.UUID) {
		return errors.New("a UUID has 16 bytes")
	}
	copy(h.SMBIOS.UUID[:], d)
	return nil
}

func putGPU(g GPU) []byte {
	b := le.AppendUint64(nil, g.VideoMemory)
	b = le.AppendUint64(b, g.SystemMemory)
	return append(b, g.RemovalPolicy, flag(g.Internal))
}

func getGPU(g *GPU, d []byte) error {
	if len(d) < 18 {
		return errShort
	}
	g.VideoMemory, g.SystemMemory, g.RemovalPolicy, g.Internal = le.Uint64(d), le.Uint64(d[8:]), d[16], d[17] != 0
	return nil
}
