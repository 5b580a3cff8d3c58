package hresult

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Code is an HRESULT: severity, facility and code in 32 bits ([MS-ERREF] 2.1).
type Code uint32

// OK is success, S_OK.
const OK Code = 0

// Entry is one row of the table.
type Entry struct {
	Code    Code
	Name    string // symbol, as Microsoft's header or page spells it; a name of ours is in lower case
	Meaning string // one line
	Source  string // page or specification
}

// Hex is the number as Windows prints it, "0x80180014".
func (c Code) Hex() string { return fmt.Sprintf("0x%08X", uint32(c)) }

// Name is the symbol, or "" for a code that is not in the table.
func (c Code) Name() string { return table[c].Name }

// Meaning is the table's one line, or "".
func (c Code) Meaning() string { return table[c].Meaning }

// Source is the page that the row was taken from, or "".
func (c Code) Source() string { return table[c].Source }

// String is the number followed by its symbol where it has one: "0x80180014 (MENROLL_E_DEVICENOTSUPPORTED)".
func (c Code) String() string {
	if name := c.Name(); name != "" {
		return c.Hex() + " (" + name + ")"
	}
	return c.Hex()
}

// Failed reports whether the severity bit is set.
func (c Code) Failed() bool { return c&0x80000000 != 0 }

// Parse reads a code as a person writes it: "0x80180014", the decimal of event logs ("-2145910764") or without a sign
// ("2149056532"), or a symbol of the table in any case.
func Parse(s string) (Code, error) {
	text := strings.TrimSpace(s)
	if c, ok := byName[strings.ToUpper(text)]; ok {
		return c, nil
	}
	if hex, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			return 0, fmt.Errorf("hresult: parse %q: %w", s, err)
		}
		return Code(n), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return 0, fmt.Errorf("hresult: parse %q: neither a number of 32 bits nor a known symbol", s)
	}
	return Code(uint32(n)), nil
}

// Entries lists the whole table, by number.
func Entries() []Entry { return append([]Entry(nil), sorted...) }
