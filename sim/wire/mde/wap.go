package mde

import (
	"encoding/xml"
	"fmt"
)

// Characteristic is an element of a provisioning document ([MS-WAP] 2.1): parameters first, then what is below.
type Characteristic struct {
	Type     string           `xml:"type,attr"`
	Parms    []Parm           `xml:"parm"`
	Children []Characteristic `xml:"characteristic"`
}

// Parm is a parameter. A parameter without a value is a flag.
type Parm struct {
	Name     string  `xml:"name,attr"`
	Value    *string `xml:"value,attr"`
	Datatype string  `xml:"datatype,attr,omitempty"` // "string", "integer", "boolean" or ""
}

type wapDocument struct {
	XMLName         xml.Name         `xml:"wap-provisioningdoc"`
	Version         string           `xml:"version,attr"`
	Characteristics []Characteristic `xml:"characteristic"`
}

// EncodeWAP writes a document of characteristics in their order.
func EncodeWAP(characteristics []Characteristic) ([]byte, error) {
	data, err := xml.Marshal(wapDocument{Version: "1.1", Characteristics: characteristics})
	if err != nil {
		return nil, fmt.Errorf("mde: provisioning document: %w", err)
	}
	return data, nil
}

// DecodeWAP reads one.
func DecodeWAP(data []byte) ([]Characteristic, error) {
	var d wapDocument
	if err := unmarshal(data, "wap-provisioningdoc", "", &d); err != nil {
		return nil, fmt.Errorf("mde: provisioning document: %w", err)
	}
	return d.Characteristics, nil
}

// Child is the first child of a type, or nil.
func (c *Characteristic) Child(kind string) *Characteristic {
	if c == nil {
		return nil
	}
	for i := range c.Children {
		if c.Children[i].Type == kind {
			return &c.Children[i]
		}
	}
	return nil
}

// Parm is a parameter's value; false if there is none.
func (c *Characteristic) Parm(name string) (string, bool) {
	if c == nil {
		return "", false
	}
	for _, p := range c.Parms {
		if p.Name == name && p.Value != nil {
			return *p.Value, true
		}
	}
	return "", false
}

func (c *Characteristic) has(name string) bool {
	for _, p := range c.Parms {
		if p.Name == name {
			return true
		}
	}
	return false
}

func parm(name, value string) Parm { return Parm{Name: name, Value: &value} }

func typed(name, value, datatype string) Parm {
	return Parm{Name: name, Value: &value, Datatype: datatype}
}
