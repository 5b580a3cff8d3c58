package odj

import (
	"errors"
	"fmt"
	"strings"
)

// Types of a package's parts ("Offline Domain Join IDL Definitions").
const (
	PartJoin     = "631c7621-5289-4321-bc9e-80f843f868c3" // an ODJ_WIN7BLOB
	PartJoin2    = "57bfc56b-52f9-480c-adcb-91b3f8a82317" // OP_JOINPROV2_PART
	PartJoin3    = "fc0ccf25-7ffa-474a-8611-69ffe269645f" // OP_JOINPROV3_PART
	PartCerts    = "9c0971e9-832f-4873-8e87-ef1419d4781e" // OP_CERT_PART
	PartPolicies = "68fb602a-0c09-48ce-b75f-07b7bd58f7ec" // OP_POLICY_PART
)

// PartEssential marks a part without which the package must not be used.
const PartEssential = 1

// Package is OP_PACKAGE. Only one that is not encrypted can be read.
type Package struct {
	Parts               []Part
	Extension           []byte
	CollectionExtension []byte
}

// Part is OP_PACKAGE_PART; Data is serialised as its type says.
type Part struct {
	Type      string
	Flags     uint32
	Data      []byte
	Extension []byte
}

// Join3 is OP_JOINPROV3_PART: the computer's account.
type Join3 struct {
	RID uint32
	SID string
}

var errEncrypted = errors.New("the package is encrypted")

// Part finds the first part of a type.
func (p Package) Part(kind string) ([]byte, bool) {
	for _, part := range p.Parts {
		if strings.EqualFold(part.Type, kind) {
			return part.Data, true
		}
	}
	return nil, false
}

// Encode writes the package, serialised.
func (p Package) Encode() ([]byte, error) {
	if len(p.Parts) > maxCount {
		return nil, fmt.Errorf("odj: OP_PACKAGE: %d parts", len(p.Parts))
	}
	for _, part := range p.Parts {
		if _, err := guidBytes(part.Type); err != nil {
			return nil, fmt.Errorf("odj: OP_PACKAGE_PART: %w", err)
		}
	}
	collection := serialise(func(e *encoder) {
		e.u32(uint32(len(p.Parts)))
		e.pointer(len(p.Parts) > 0, func() {
			e.u32(uint32(len(p.Parts)))
			for _, part := range p.Parts {
				e.guid(part.Type)
				e.u32(part.Flags)
				e.bytes(part.Data)
				e.bytes(part.Extension)
			}
		})
		e.bytes(p.CollectionExtension)
	})
	return serialise(func(e *encoder) {
		e.guid("") // not encrypted
		e.bytes(nil)
		e.bytes(collection)
		e.u32(0) // its length once decrypted: it is not encrypted
		e.bytes(p.Extension)
	}), nil
}

// DecodePackage reads a serialised OP_PACKAGE.
func DecodePackage(b []byte) (p Package, err error) {
	var encryption string
	var context, collection []byte
	err = deserialise("OP_PACKAGE", b, func(d *decoder) {
		encryption = d.guid()
		d.bytes(&context)
		d.bytes(&collection)
		_ = d.u32() // the collection's length once decrypted
		d.bytes(&p.Extension)
	})
	if err != nil {
		return p, err
	}
	if encryption != "" {
		return p, fmt.Errorf("odj: OP_PACKAGE: %w", errEncrypted)
	}
	err = deserialise("OP_PACKAGE_PART_COLLECTION", collection, func(d *decoder) {
		n := d.count()
		d.pointer(n > 0, func() {
			if d.u32() != uint32(n) {
				d.fail(errLength)
				return
			}
			p.Parts = make([]Part, n)
			for i := range p.Parts {
				part := &p.Parts[i]
				part.Type = d.guid()
				part.Flags = d.u32()
				d.bytes(&part.Data)
				d.bytes(&part.Extension)
			}
		})
		d.bytes(&p.CollectionExtension)
	})
	return p, err
}

func (j Join3) encode() []byte {
	return serialise(func(e *encoder) {
		e.u32(j.RID)
		e.text(j.SID)
	})
}

func decodeJoin3(b []byte) (j Join3, err error) {
	err = deserialise("OP_JOINPROV3_PART", b, func(d *decoder) {
		j.RID = d.u32()
		d.text(&j.SID)
	})
	if err == nil && j.SID != "" {
		if _, bad := parseSID(j.SID); bad != nil {
			err = fmt.Errorf("odj: OP_JOINPROV3_PART: %w", bad)
		}
	}
	return j, err
}
