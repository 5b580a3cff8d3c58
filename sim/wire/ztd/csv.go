package ztd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/problem"
)

// MaxRows is how many devices the portal takes from one file.
const MaxRows = 500

// Column titles, in order. The last two are optional.
const (
	colSerial  = "Device Serial Number"
	colProduct = "Windows Product ID"
	colHash    = "Hardware Hash"
	colTag     = "Group Tag"
	colUser    = "Assigned User"
)

var headers = [][]string{
	{colSerial, colProduct, colHash},
	{colSerial, colProduct, colHash, colTag},
	{colSerial, colProduct, colHash, colUser},
	{colSerial, colProduct, colHash, colTag, colUser},
}

// Row is one device of the file.
type Row struct {
	Line         int // 1 is the header; 0 in rows that were not read from a file
	Serial       string
	ProductID    string // usually empty
	Hash         string // base64, 4,000 characters
	GroupTag     string
	AssignedUser string // user principal name, or empty
	UserColumn   int    // where AssignedUser stands in its line, from 1; 0 in rows that were not read from a file
	Hardware     hwhash.Hardware
}

// ReadCSV reads a file of Get-WindowsAutopilotInfo. name is only for messages. When the content is wrong the error is
// a problem.List of all mistakes and no row is returned; other errors are those of r.
func ReadCSV(name string, r io.Reader) ([]Row, error) {
	// A row is little over 4,000 bytes; what is far longer than the largest allowed file is not read into memory.
	const limit = 4 << 20
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("ztd: read %s: %w", name, err)
	}
	c := reader{name: name}
	if len(b) > limit {
		c.addf(0, 0, "the file is over %d MiB, which is more than %d devices need; split it", limit>>20, MaxRows)
		return nil, c.problems.Err()
	}
	rows := c.file(b)
	if err := c.problems.Err(); err != nil {
		return nil, err
	}
	return rows, nil
}

type reader struct {
	name     string
	columns  []string
	problems problem.List
}

func (c *reader) addf(line, col int, format string, args ...any) {
	c.problems.Addf(c.name, line, col, format, args...)
}

func (c *reader) file(b []byte) []Row {
	if isUTF16(b) {
		c.addf(1, 1, "the file is UTF-16; save it as ANSI or as UTF-8 without a byte order mark")
		return nil
	}
	if rest, ok := bytes.CutPrefix(b, []byte("\xef\xbb\xbf")); ok {
		c.addf(1, 1, "the file starts with a byte order mark; save it as ANSI or as UTF-8 without one")
		b = rest
	}
	lines := strings.Split(string(b), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		c.addf(1, 1, "the file is empty; its first line must be %q", strings.Join(headers[0], ","))
		return nil
	}
	if !c.header(strings.TrimSuffix(lines[0], "\r")) {
		return nil
	}
	rows := c.rows(lines)
	if len(rows) == 0 && len(c.problems) == 0 {
		c.addf(2, 1, "there is no device in the file; add one line a device below the header")
	}
	if len(lines)-1 <= MaxRows { // which to take out is seen once it is split
		c.duplicates(rows)
	}
	return rows
}

func (c *reader) rows(lines []string) []Row {
	var rows []Row
	n := 0
	for i, line := range lines[1:] {
		at := i + 2
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			c.addf(at, 1, "empty line; remove it")
			continue
		}
		if n++; n > MaxRows {
			c.addf(at, 1, "there are more than %d devices; split the file", MaxRows)
			break
		}
		if row, ok := c.row(at, line); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

func isUTF16(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return true
	}
	return len(b) >= 4 && (b[0] == 0 && b[2] == 0 || b[1] == 0 && b[3] == 0)
}

// header accepts the four exact forms and otherwise names every title that is wrong.
func (c *reader) header(line string) bool {
	fields := strings.Split(line, ",")
	for _, h := range headers {
		if strings.Join(h, ",") == line {
			c.columns = h
			return true
		}
	}
	if strings.Contains(line, "\"") {
		c.addf(1, 1, "the header is in quotes; remove all quotes, they appear when a spreadsheet program saves the file")
		return false
	}
	before := len(c.problems)
	want := headers[3]
	col := 1
	for i, f := range fields {
		switch {
		case i >= len(want):
			c.addf(1, col, "extra column %q; remove it", f)
		case f == want[i] || i == 3 && f == colUser && len(fields) == 4:
		case strings.EqualFold(strings.TrimSpace(f), want[i]):
			c.addf(1, col, "column title %q must be written %q, letter case and spaces included", f, want[i])
		default:
			c.addf(1, col, "column %d is titled %q, it must be %q", i+1, f, want[i])
		}
		col += utf8.RuneCountInString(f) + 1
	}
	for _, missing := range headers[0][min(len(fields), 3):] {
		c.addf(1, col, "column %q is missing; add it", missing)
	}
	if len(c.problems) == before {
		c.addf(1, 1, "the header must be %q, optionally followed by \"Group Tag\" and \"Assigned User\"", strings.Join(headers[0], ","))
	}
	return false
}

func (c *reader) row(at int, line string) (Row, bool) {
	before := len(c.problems)
	fields := strings.Split(line, ",")
	row := Row{Line: at}
	if len(fields) < len(c.columns) {
		c.addf(at, utf8.RuneCountInString(line)+1, "the line has %d columns, the header has %d; write a comma for each empty one", len(fields), len(c.columns))
	}
	col := 1
	for i, f := range fields {
		if i >= len(c.columns) {
			c.addf(at, col, "there are %d columns, the header has %d; remove what is extra, a value cannot hold a comma", len(fields), len(c.columns))
			break
		}
		if c.plain(at, col, c.columns[i], f) {
			c.field(&row, col, c.columns[i], f)
		}
		col += utf8.RuneCountInString(f) + 1
	}
	return row, len(c.problems) == before
}

// plain refuses characters that no column may hold.
func (c *reader) plain(at, col int, title, f string) bool {
	if i := strings.IndexByte(f, '"'); i >= 0 {
		c.addf(at, col+utf8.RuneCountInString(f[:i]), "quote in %q; remove it, values are written without quotes", title)
		return false
	}
	if !utf8.ValidString(f) {
		c.addf(at, col, "%q holds bytes that are not UTF-8; save the file as UTF-8 without a byte order mark", title)
		return false
	}
	place := 0
	for _, r := range f {
		if r < ' ' || r == 0x7f || r == '\u00a0' || r == '\ufeff' || r >= 0x2000 && r <= 0x200f {
			c.addf(at, col+place, "invisible character %U in %q; remove it", r, title)
			return false
		}
		place++
	}
	if strings.TrimSpace(f) != f {
		c.addf(at, col, "%q has spaces around its value; remove them", title)
		return false
	}
	return true
}

func (c *reader) field(row *Row, col int, title, f string) {
	switch title {
	case colSerial:
		if row.Serial = f; f == "" {
			c.addf(row.Line, col, "the serial number is empty; write the one that the firmware shows")
		}
	case colProduct:
		row.ProductID = f
	case colTag:
		row.GroupTag = f
	case colUser:
		row.UserColumn = col
		if row.AssignedUser = f; f != "" && !strings.Contains(strings.Trim(f, "@"), "@") {
			c.addf(row.Line, col, "assigned user %q is not a user principal name; write name@domain or leave it empty", f)
		}
	case colHash:
		c.hash(row, col, f)
	}
}

func (c *reader) hash(row *Row, col int, f string) {
	row.Hash = f
	if f == "" {
		c.addf(row.Line, col, "the hardware hash is empty; export it again with Get-WindowsAutopilotInfo")
		return
	}
	h, err := hwhash.DecodeBase64(f)
	var malformed *hwhash.FormatError
	switch {
	case err == nil:
		row.Hardware = h
	case errors.As(err, &malformed):
		c.addf(row.Line, col, "the hardware hash is malformed at byte %d: %s; export it again with Get-WindowsAutopilotInfo", malformed.Offset, malformed.What)
	default:
		c.addf(row.Line, col, "the hardware hash is %s", strings.TrimPrefix(err.Error(), "hwhash: "))
	}
}

func (c *reader) duplicates(rows []Row) {
	serials, hashes := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if first, dup := hashes[r.Hash]; dup {
			c.addf(r.Line, 1, "this hardware hash is also in line %d; remove one of the two", first)
			continue
		}
		hashes[r.Hash] = r.Line
		key := strings.ToLower(r.Serial)
		if first, dup := serials[key]; dup {
			c.addf(r.Line, 1, "serial number %q is also in line %d; remove one of the two", r.Serial, first)
			continue
		}
		serials[key] = r.Line
	}
}
