package diag

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
)

// registryFile is MdmDiagReport_RegistryDump.reg: the form of regedit's exports
// (support.microsoft.com, "How to add, modify, or delete registry subkeys and
// values by using a .reg file"), UTF-16 with a byte order mark. Keys that only
// the simulation knows are left out: they hold its tokens.
func registryFile(r *device.Registry) []byte {
	var b strings.Builder
	b.WriteString("Windows Registry Editor Version 5.00\r\n")
	for path, values := range r.All() {
		if hidden(path) {
			continue
		}
		b.WriteString("\r\n[" + fullName(path) + "]\r\n")
		for _, v := range values {
			if secret[v.Name] {
				continue
			}
			writeValue(&b, v)
		}
	}
	b.WriteString("\r\n")
	return utf16File(b.String())
}

// hidden tells whether a key is our model of what Windows keeps elsewhere, and
// has secrets in it, or is of the hive that administrators cannot read either.
func hidden(path string) bool {
	for _, key := range []string{device.KeyIdentityStore, device.KeySecurity} {
		if len(path) >= len(key) && strings.EqualFold(path[:len(key)], key) {
			return true
		}
	}
	return false
}

// secret are values that Windows keeps encrypted.
var secret = map[string]bool{"AAUTHSECRET": true, "PFXCertPassword": true, "PFXCertBlob": true, csp.SCEPChallenge: true}

var hives = []struct{ short, full string }{{"HKLM", "HKEY_LOCAL_MACHINE"}, {"HKCU", "HKEY_CURRENT_USER"}, {"HKU", "HKEY_USERS"}, {"HKCR", "HKEY_CLASSES_ROOT"}}

func fullName(path string) string {
	root, rest, below := strings.Cut(path, `\`)
	for _, h := range hives {
		if strings.EqualFold(root, h.short) {
			root = h.full
		}
	}
	if below {
		return root + `\` + rest
	}
	return root
}

func writeValue(b *strings.Builder, v device.RegistryValue) {
	name := "@"
	if v.Name != "" {
		name = quoted(v.Name)
	}
	switch data := v.Data.(type) {
	case uint32:
		fmt.Fprintf(b, "%s=dword:%08x\r\n", name, data)
	case []string:
		var text []byte
		for _, s := range data {
			text = append(appendUTF16(text, s), 0, 0)
		}
		writeHex(b, name+"=hex(7):", append(text, 0, 0))
	case string:
		if strings.ContainsAny(data, "\r\n\x00") { // what a quoted string cannot have
			writeHex(b, name+"=hex(1):", append(appendUTF16(nil, data), 0, 0))
			return
		}
		b.WriteString(name + "=" + quoted(data) + "\r\n")
	}
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quoted(s string) string { return `"` + escapes.Replace(s) + `"` }

// writeHex writes bytes in lines of at most 80 characters, as regedit breaks
// them.
func writeHex(b *strings.Builder, head string, data []byte) {
	const digits = "0123456789abcdef"
	b.WriteString(head)
	column := len(head)
	for i, c := range data {
		last := i == len(data)-1
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
		column += 2
		if last {
			break
		}
		b.WriteByte(',')
		if column++; column > 80-4 {
			b.WriteString("\\\r\n  ")
			column = 2
		}
	}
	b.WriteString("\r\n")
}

// utf16File is a text file as Windows' own tools write it: little endian, with
// a byte order mark.
func utf16File(text string) []byte {
	b := make([]byte, 0, 2+2*len(text))
	return appendUTF16(append(b, 0xff, 0xfe), text)
}

func appendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			b = binary.LittleEndian.AppendUint16(b, uint16(hi))
			r = lo
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return b
}
