package tcglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// GUID is an identifier in the mixed byte order of UEFI.
type GUID [16]byte

// Owners of variables and types of signatures (UEFI 2.10, 3.3, 32.4.1, 32.6.1).
var (
	GlobalVariable        = GUID{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c} // SecureBoot, PK, KEK
	ImageSecurityDatabase = GUID{0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f} // db, dbx
	CertX509              = GUID{0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}
	CertSHA256            = GUID{0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28}
)

// Variable is UEFI_VARIABLE_DATA (Platform Firmware Profile 10.2.6): what a
// variable was when the boot began.
type Variable struct {
	Owner GUID
	Name  string
	Data  []byte
}

// maxName bounds a variable's name, in UTF-16 units.
const maxName = 512

var errName = errors.New("the variable's name is not text")

// Marshal writes the structure: lengths are of 64 bits, the name is UTF-16
// without an end mark.
func (v Variable) Marshal() []byte {
	name := utf16.Encode([]rune(v.Name))
	b := append([]byte(nil), v.Owner[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(name)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(v.Data)))
	for _, u := range name {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, v.Data...)
}

// ParseVariable reads what Marshal writes.
func ParseVariable(b []byte) (Variable, error) {
	r := &reader{b: b}
	owner, nameLen, dataLen := r.take(len(GUID{})), r.u64(), r.u64()
	if r.failed || nameLen > maxName || dataLen > maxEvent {
		return Variable{}, fmt.Errorf("tcglog: variable: %w", errShort)
	}
	units := make([]uint16, nameLen)
	for i := range units {
		units[i] = r.u16()
	}
	v := Variable{Owner: GUID(owner), Data: r.take(int(dataLen))}
	if r.failed || len(r.b) != 0 {
		return Variable{}, fmt.Errorf("tcglog: variable: %w", errShort)
	}
	text := utf16.Decode(units)
	if v.Name = string(text); len(utf16.Encode([]rune(v.Name))) != len(units) {
		return Variable{}, fmt.Errorf("tcglog: variable: %w", errName)
	}
	for i, u := range utf16.Encode(text) {
		if u != units[i] { // half of a pair: it would not come back
			return Variable{}, fmt.Errorf("tcglog: variable: %w", errName)
		}
	}
	return v, nil
}

// SignatureList is an EFI_SIGNATURE_LIST of signatures of one type and size, as
// PK, KEK, db and dbx hold them.
func SignatureList(kind, owner GUID, signatures ...[]byte) []byte {
	var b []byte
	for _, s := range signatures { // sizes may differ: each is a list of its own
		const header = 16 + 4 + 4 + 4
		size := 16 + len(s)
		b = append(b, kind[:]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(header+size))
		b = binary.LittleEndian.AppendUint32(b, 0)
		b = binary.LittleEndian.AppendUint32(b, uint32(size))
		b = append(append(b, owner[:]...), s...)
	}
	return b
}

// ImageLoad is UEFI_IMAGE_LOAD_EVENT (10.2.3) for an image on the system
// partition: its device path is the file's path alone.
func ImageLoad(base, length uint64, file string) []byte {
	units := append(utf16.Encode([]rune(file)), 0)
	const node = 4 // type 4 (media), subtype 4 (file path), length
	path := []byte{0x04, 0x04}
	path = binary.LittleEndian.AppendUint16(path, uint16(node+2*len(units)))
	for _, u := range units {
		path = binary.LittleEndian.AppendUint16(path, u)
	}
	path = append(path, 0x7f, 0xff, node, 0) // end of the whole path
	b := binary.LittleEndian.AppendUint64(nil, base)
	b = binary.LittleEndian.AppendUint64(b, length)
	b = binary.LittleEndian.AppendUint64(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(path)))
	return append(b, path...)
}

// FirmwareBlob is UEFI_PLATFORM_FIRMWARE_BLOB2 (10.2.5). The description is at
// most 255 bytes of ASCII.
func FirmwareBlob(description string, base, length uint64) []byte {
	description = description[:min(len(description), 255)]
	b := append([]byte{byte(len(description))}, description...)
	b = binary.LittleEndian.AppendUint64(b, base)
	return binary.LittleEndian.AppendUint64(b, length)
}

// UTF16 is text as firmware writes its version: UTF-16 with an end mark.
func UTF16(text string) []byte {
	var b []byte
	for _, u := range append(utf16.Encode([]rune(text)), 0) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
