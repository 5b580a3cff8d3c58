package hwhash

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
)

// Sizes of a hash in bytes and in base64 characters.
const (
	Size       = 3000
	Base64Size = 4000
)

const (
	headerSize   = 4
	checksumSize = 36
	magic        = "OA"
	checksumMark = "CS"
)

// Encode writes the 3,000 bytes. It fails when a text or list is too long for a record or for the whole.
func Encode(h Hardware) ([]byte, error) {
	out := append(make([]byte, 0, Size), magic...)
	out = append(out, 0, 0)
	for _, r := range records(&h) {
		if n := len(out) + headerSize + len(r.Data); n+checksumSize > Size {
			return nil, fmt.Errorf("hwhash: encode: record %d ends at byte %d, over the %d that a hash holds", r.Type, n, Size-checksumSize)
		}
		out = binary.LittleEndian.AppendUint16(out, r.Type)
		out = binary.LittleEndian.AppendUint16(out, uint16(headerSize+len(r.Data)))
		out = append(out, r.Data...)
	}
	binary.LittleEndian.PutUint16(out[2:], uint16(len(out)))
	sum := sha256.Sum256(out)
	out = append(out, checksumMark...)
	out = binary.LittleEndian.AppendUint16(out, checksumSize)
	out = append(out, sum[:]...)
	return append(out, make([]byte, Size-len(out))...), nil
}

// EncodeBase64 is Encode in the form of the CSV, of Graph's hardwareIdentifier and of DeviceHardwareData.
func EncodeBase64(h Hardware) (string, error) {
	b, err := Encode(h)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// records lists the records to write: those of the layout first, then what the layout has no place for.
func records(h *Hardware) []Record {
	var out []Record
	used := map[uint16]int{}
	unknown := 0
	for _, s := range h.Layout {
		c, known := codecs[s.Type]
		if !known {
			if i := slices.IndexFunc(h.Unknown[unknown:], func(r Record) bool { return r.Type == s.Type }); i == 0 {
				out = append(out, h.Unknown[unknown])
				unknown++
			}
			continue
		}
		i := used[s.Type]
		if i >= c.room(h) {
			continue
		}
		used[s.Type]++
		out = append(out, Record{s.Type, kept(c, s.Raw, c.put(h, i))})
	}
	for _, t := range canonical {
		c := codecs[t]
		for i := used[t]; i < c.want(h); i++ {
			r := Record{t, c.put(h, i)}
			if h.Layout == nil || !bytes.Equal(r.Data, c.put(&blank, 0)) {
				out = append(out, r)
			}
		}
	}
	return append(out, h.Unknown[unknown:]...)
}

// blank has one empty element of everything. A decoded hash did not have the records that say only this.
var blank = Hardware{Disks: make([]Disk, 1), NICs: make([]NIC, 1), Displays: make([]Display, 1), GPUs: make([]GPU, 1), OfflineID: &OfflineID{}}

// kept gives the raw bytes of a decoded record while they still say what the values say.
func kept(c codec, raw, now []byte) []byte {
	if raw == nil {
		return now
	}
	var was Hardware
	if c.get(&was, 0, raw) == nil && bytes.Equal(c.put(&was, 0), now) {
		return raw
	}
	return now
}
