package odj

import (
	"errors"
	"fmt"
)

// Format tells what an ODJ_BLOB has in it.
type Format uint32

// The two formats.
const (
	FormatWin7 Format = 1 // ODJ_WIN7BLOB
	FormatWin8 Format = 2 // OP_PACKAGE
)

// ProvisionData is ODJ_PROVISION_DATA, the outermost structure.
type ProvisionData struct {
	Version uint32 // 1
	Blobs   []Blob
}

// Blob is ODJ_BLOB; Data is serialised as Format says.
type Blob struct {
	Format Format
	Data   []byte
}

const version = 1

var (
	errVersion = errors.New("version is not 1")
	errNoJoin  = errors.New("there is no ODJ_WIN7BLOB in it")
)

// Encode writes the structure, serialised.
func (p ProvisionData) Encode() ([]byte, error) {
	if len(p.Blobs) > maxCount {
		return nil, fmt.Errorf("odj: ODJ_PROVISION_DATA: %d blobs", len(p.Blobs))
	}
	return serialise(func(e *encoder) {
		e.u32(p.Version)
		e.u32(uint32(len(p.Blobs)))
		e.pointer(len(p.Blobs) > 0, func() {
			e.u32(uint32(len(p.Blobs)))
			for _, b := range p.Blobs {
				e.u32(uint32(b.Format))
				e.bytes(b.Data)
			}
		})
	}), nil
}

// DecodeProvisionData reads the structure. Blobs of formats that are not known
// are kept.
func DecodeProvisionData(b []byte) (p ProvisionData, err error) {
	err = deserialise("ODJ_PROVISION_DATA", b, func(d *decoder) {
		if p.Version = d.u32(); d.err == nil && p.Version != version {
			d.fail(errVersion)
		}
		n := d.count()
		d.pointer(n > 0, func() {
			if d.u32() != uint32(n) {
				d.fail(errLength)
				return
			}
			p.Blobs = make([]Blob, n)
			for i := range p.Blobs {
				p.Blobs[i].Format = Format(d.u32())
				d.bytes(&p.Blobs[i].Data)
			}
		})
	})
	return p, err
}

// Encode writes a blob as real producers do: the ODJ_WIN7BLOB first, which old
// readers take at its place, and then, where the account's SID is known, a
// package with the same and that SID.
func Encode(w Win7) ([]byte, error) {
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("odj: %w", err)
	}
	join := w.encode()
	data := ProvisionData{Version: version, Blobs: []Blob{{FormatWin7, join}}}
	if w.AccountSID != "" {
		s, _ := parseSID(w.AccountSID)
		pack, err := Package{Parts: []Part{
			{Type: PartJoin, Flags: PartEssential, Data: join},
			{Type: PartJoin3, Data: Join3{RID: s.subs[len(s.subs)-1], SID: w.AccountSID}.encode()},
		}}.Encode()
		if err != nil {
			return nil, err
		}
		data.Blobs = append(data.Blobs, Blob{FormatWin8, pack})
	}
	return data.Encode()
}

// Decode finds the join in a blob: in an ODJ_WIN7BLOB, else in a package.
func Decode(b []byte) (Win7, error) {
	data, err := DecodeProvisionData(b)
	if err != nil {
		return Win7{}, err
	}
	var w Win7
	var account string
	found := false
	for _, blob := range data.Blobs {
		switch blob.Format {
		case FormatWin7:
			if w, err = decodeWin7(blob.Data); err != nil {
				return Win7{}, err
			}
			found = true
		case FormatWin8:
			p, err := DecodePackage(blob.Data)
			if err != nil {
				return Win7{}, err
			}
			if join, ok := p.Part(PartJoin); ok && !found {
				if w, err = decodeWin7(join); err != nil {
					return Win7{}, err
				}
				found = true
			}
			if part, ok := p.Part(PartJoin3); ok {
				j, err := decodeJoin3(part)
				if err != nil {
					return Win7{}, err
				}
				account = j.SID
			}
		}
	}
	if !found {
		return Win7{}, fmt.Errorf("odj: %w", errNoJoin)
	}
	w.AccountSID = account
	return w, nil
}
