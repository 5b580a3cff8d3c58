package aik

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf16"
)

// attribute is Attribute of PKCS#10 and CMS with a single value.
type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

// attributeList writes attributes in the order in which they are added, which is the order that Windows sends; a
// receiver that is bound to DER's order of sets would not take Windows' requests either. The first error stays.
type attributeList struct {
	der []byte
	err error
}

func (l *attributeList) add(oid asn1.ObjectIdentifier, params string, value any) {
	der, err := asn1.MarshalWithParams(value, params)
	if err == nil {
		der, err = asn1.Marshal(attribute{oid, []asn1.RawValue{{FullBytes: der}}})
	}
	if err != nil {
		l.err = errors.Join(l.err, fmt.Errorf("attribute %s: %w", oid, err))
		return
	}
	l.der = append(l.der, der...)
}

// marshal puts the attributes under one tag: a universal SET or an implicit [0].
func (l *attributeList) marshal(class, tag int) (asn1.RawValue, error) {
	return asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: l.der}, l.err
}

// attributes are parsed ones by dotted type. Unknown ones are kept and ignored; none may come twice.
type attributes map[string]asn1.RawValue

func parseAttributes(der []byte) (attributes, error) {
	out := attributes{}
	for len(der) > 0 {
		var a attribute
		rest, err := asn1.Unmarshal(der, &a)
		if err != nil {
			return nil, err
		}
		key := a.Type.String()
		if _, twice := out[key]; twice || len(a.Values) != 1 {
			return nil, fmt.Errorf("attribute %s: want it once, with one value", key)
		}
		out[key], der = a.Values[0], rest
	}
	return out, nil
}

// get decodes the value of a required attribute.
func (a attributes) get(oid asn1.ObjectIdentifier, to any, params string) error {
	v, ok := a[oid.String()]
	if !ok {
		return fmt.Errorf("attribute %s is missing", oid)
	}
	if err := unmarshalWhole(v.FullBytes, to, params); err != nil {
		return fmt.Errorf("attribute %s: %w", oid, err)
	}
	return nil
}

func unmarshalWhole(der []byte, to any, params string) error {
	rest, err := asn1.UnmarshalWithParams(der, to, params)
	if err == nil && len(rest) != 0 {
		err = fmt.Errorf("%d bytes follow", len(rest))
	}
	return err
}

// bmpString is text as BMPString, which encoding/asn1 reads and does not write.
func bmpString(text string) asn1.RawValue {
	units := utf16.Encode([]rune(text))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = append(b, byte(u>>8), byte(u))
	}
	return asn1.RawValue{Tag: asn1.TagBMPString, Bytes: b}
}
