package hwhash

import (
	"encoding/binary"
	"errors"
	"time"
)

// codec is how one record type stands in Hardware. Index i counts records of the type.
type codec struct {
	single bool
	want   func(h *Hardware) int // records of the type in a fresh hash
	room   func(h *Hardware) int // records of the type that the values can fill
	put    func(h *Hardware, i int) []byte
	get    func(h *Hardware, i int, data []byte) error
}

// canonical is the order in which Windows writes the records.
var canonical = []uint16{1, 2, 5, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30}

var codecs = map[uint16]codec{
	1:  fixed(putSystem, getSystem),
	2:  fixed(putCPU, getCPU),
	3:  text(func(h *Hardware) *string { return &h.CPU.Maker }),
	4:  text(func(h *Hardware) *string { return &h.CPU.Model }),
	5:  fixed(putRAM, getRAM),
	6:  list(disks, putDisk, getDisk),
	7:  list(disks, putDiskSerial, getDiskSerial),
	8:  list(nics, putNIC, getNIC),
	9:  list(displays, putDisplay, getDisplay),
	10: fixed(putChassis, getChassis),
	11: offlineID,
	12: optional(func(h *Hardware) bool { return !h.SMBIOS.UUID.IsZero() }, putUUID, getUUID),
	13: text(func(h *Hardware) *string { return &h.TPM }),
	14: text(func(h *Hardware) *string { return &h.SMBIOS.Serial }),
	15: text(func(h *Hardware) *string { return &h.SMBIOS.FirmwareVendor }),
	16: text(func(h *Hardware) *string { return &h.SMBIOS.Manufacturer }),
	17: text(func(h *Hardware) *string { return &h.SMBIOS.Product }),
	18: text(func(h *Hardware) *string { return &h.SMBIOS.SKU }),
	19: text(func(h *Hardware) *string { return &h.SMBIOS.Family }),
	20: text(func(h *Hardware) *string { return &h.SMBIOS.FirmwareVersion }),
	21: text(func(h *Hardware) *string { return &h.SMBIOS.BoardProduct }),
	22: text(func(h *Hardware) *string { return &h.SMBIOS.BoardVersion }),
	23: text(func(h *Hardware) *string { return &h.SMBIOS.SystemVersion }),
	24: text(func(h *Hardware) *string { return &h.ProductKey.ID }),
	25: blob(func(h *Hardware) *[]byte { return &h.EKModulus }),
	26: text(func(h *Hardware) *string { return &h.ProductKey.Pn }),
	27: blob(func(h *Hardware) *[]byte { return &h.Mark27 }),
	28: kernelSerial,
	29: list(gpus, putGPU, getGPU),
	30: gpuName,
}

var errShort = errors.New("too short")

func one(*Hardware) int { return 1 }

// fixed is a record that every hash has once.
func fixed(put func(*Hardware) []byte, get func(*Hardware, []byte) error) codec {
	return codec{single: true, want: one, room: one,
		put: func(h *Hardware, _ int) []byte { return put(h) },
		get: func(h *Hardware, _ int, d []byte) error { return get(h, d) }}
}

func optional(has func(*Hardware) bool, put func(*Hardware) []byte, get func(*Hardware, []byte) error) codec {
	c := fixed(put, get)
	c.want = func(h *Hardware) int {
		if has(h) {
			return 1
		}
		return 0
	}
	return c
}

// text is a NUL-terminated UTF-8 string.
func text(at func(*Hardware) *string) codec {
	return optional(func(h *Hardware) bool { return *at(h) != "" },
		func(h *Hardware) []byte { return append([]byte(*at(h)), 0) },
		func(h *Hardware, d []byte) error { *at(h) = cString(d); return nil })
}

// blob is a record that is missing while its value is nil.
func blob(at func(*Hardware) *[]byte) codec {
	c := optional(func(h *Hardware) bool { return *at(h) != nil },
		func(h *Hardware) []byte { return *at(h) },
		func(h *Hardware, d []byte) error { *at(h) = append([]byte{}, d...); return nil })
	c.room = c.want
	return c
}

// list is a record that comes once an element; reading grows the list.
func list[T any](at func(*Hardware) *[]T, put func(T) []byte, get func(*T, []byte) error) codec {
	n := func(h *Hardware) int { return len(*at(h)) }
	return codec{want: n, room: n,
		put: func(h *Hardware, i int) []byte { return put((*at(h))[i]) },
		get: func(h *Hardware, i int, d []byte) error {
			for len(*at(h)) <= i {
				*at(h) = append(*at(h), *new(T))
			}
			return get(&(*at(h))[i], d)
		}}
}

func disks(h *Hardware) *[]Disk       { return &h.Disks }
func nics(h *Hardware) *[]NIC         { return &h.NICs }
func displays(h *Hardware) *[]Display { return &h.Displays }
func gpus(h *Hardware) *[]GPU         { return &h.GPUs }

var (
	offlineID = func() codec {
		c := optional(func(h *Hardware) bool { return h.OfflineID != nil }, putOfflineID, getOfflineID)
		c.room = c.want
		return c
	}()
	kernelSerial = withNames(list(disks,
		func(d Disk) []byte { return append([]byte(d.KernelSerial), 0) },
		func(d *Disk, b []byte) error { d.KernelSerial = cString(b); return nil }),
		func(h *Hardware, i int) string { return h.Disks[i].KernelSerial })
	gpuName = withNames(list(gpus,
		func(g GPU) []byte { return putUTF16(g.Name) },
		func(g *GPU, b []byte) error { g.Name = getUTF16(b); return nil }),
		func(h *Hardware, i int) string { return h.GPUs[i].Name })
)

// withNames leaves trailing empty names of a list out of a fresh hash. Empty ones in between stay, because records
// find their element by counting.
func withNames(c codec, name func(*Hardware, int) string) codec {
	c.want = func(h *Hardware) int {
		n := c.room(h)
		for n > 0 && name(h, n-1) == "" {
			n--
		}
		return n
	}
	return c
}

// Record 1 counts seconds from here. Public decoders add an hour, which looks like their own time zone.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func putSystem(h *Hardware) []byte {
	b := make([]byte, 0, 24)
	for _, v := range []Version{h.ToolVersion, h.OSVersion} {
		for _, n := range []uint16{v.Minor, v.Major, v.Revision, v.Build} {
			b = binary.LittleEndian.AppendUint16(b, n)
		}
	}
	secs := uint32(0)
	if h.Taken.After(epoch) {
		secs = uint32(h.Taken.Sub(epoch) / time.Second)
	}
	b = binary.LittleEndian.AppendUint32(b, secs)
	return append(b, byte(h.TimeZone), h.OSType, byte(h.OSArch), h.ToolFormat)
}

func getSystem(h *Hardware, d []byte) error {
	if len(d) < 24 {
		return errShort
	}
	le := binary.LittleEndian
	for i, v := range []*Version{&h.ToolVersion, &h.OSVersion} {
		q := d[8*i:]
		*v = Version{Minor: le.Uint16(q), Major: le.Uint16(q[2:]), Revision: le.Uint16(q[4:]), Build: le.Uint16(q[6:])}
	}
	h.Taken = epoch.Add(time.Duration(le.Uint32(d[16:])) * time.Second)
	h.TimeZone, h.OSType, h.OSArch, h.ToolFormat = int8(d[20]), d[21], Arch(d[22]), d[23]
	return nil
}
