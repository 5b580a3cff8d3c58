package odj

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Text is the form in which a blob travels by OMA-DM.
func Text(blob []byte) string { return base64.StdEncoding.EncodeToString(blob) }

// ParseText reads it; white space around it does not matter.
func ParseText(s string) ([]byte, error) {
	if len(s) > 2*MaxBlob {
		return nil, fmt.Errorf("odj: %w", errTooLarge)
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil, fmt.Errorf("odj: %w", err)
	}
	return b, nil
}

var errFile = errors.New("not UTF-16 with a byte order mark")

// File is the form in which djoin.exe keeps a blob: base64 in UTF-16, little
// endian, with a byte order mark.
func File(blob []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, c := range []byte(Text(blob)) {
		out = append(out, c, 0)
	}
	return out
}

// ParseFile reads it. Some producers add a NUL at its end.
func ParseFile(file []byte) ([]byte, error) {
	if len(file) > 4*MaxBlob {
		return nil, fmt.Errorf("odj: %w", errTooLarge)
	}
	if len(file) < 2 || len(file)%2 != 0 || file[0] != 0xff || file[1] != 0xfe {
		return nil, fmt.Errorf("odj: %w", errFile)
	}
	u := make([]uint16, len(file)/2-1)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(file[2+2*i:])
	}
	return ParseText(strings.TrimRight(string(utf16.Decode(u)), "\x00"))
}
