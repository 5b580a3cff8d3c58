package qr

import (
	"encoding/json"
	"errors"
	"fmt"

	qrcode "github.com/skip2/go-qrcode"
)

// Payload is the text of the code. A payload fits one code, so blocks are always 1 of 1.
type Payload struct {
	ZtdID               string `json:"ZtdId"`
	ID                  string `json:"Id"`
	PKID                string `json:"PKID"` // Windows product id
	SerialNumber        string `json:"SerialNumber"`
	HardwareID          string `json:"HardwareId"`
	SequenceBlockNumber int    `json:"SequenceBlockNumber"`
	TotalBlocks         int    `json:"TotalBlocks"`
}

// New gives the payload of a device. ztdID must not be empty: Windows shows its failure page instead of a code then.
func New(ztdID, serial, productKeyID string) Payload {
	return Payload{ZtdID: ztdID, ID: ztdID, PKID: productKeyID, SerialNumber: serial, SequenceBlockNumber: 1, TotalBlocks: 1}
}

// ErrNoZtdID says that a payload names no device.
var ErrNoZtdID = errors.New("qr: ZtdId is missing")

// Text gives the JSON text.
func (p Payload) Text() (string, error) {
	if p.ZtdID == "" {
		return "", ErrNoZtdID
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("qr: encode: %w", err)
	}
	return string(b), nil
}

// PNG draws the code, size pixels wide and high with its quiet zone. The same payload gives the same bytes.
func (p Payload) PNG(size int) ([]byte, error) {
	text, err := p.Text()
	if err != nil {
		return nil, err
	}
	b, err := qrcode.Encode(text, qrcode.Medium, size)
	if err != nil {
		return nil, fmt.Errorf("qr: draw: %w", err)
	}
	return b, nil
}

// Lines draws the code with block characters, two rows of modules a line, for terminals.
func (p Payload) Lines() (string, error) {
	text, err := p.Text()
	if err != nil {
		return "", err
	}
	c, err := qrcode.New(text, qrcode.Low)
	if err != nil {
		return "", fmt.Errorf("qr: draw: %w", err)
	}
	return c.ToSmallString(false), nil
}

// Parse reads the text of a scanned code.
func Parse(text string) (Payload, error) {
	var p Payload
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Payload{}, fmt.Errorf("qr: parse: %w", err)
	}
	if p.ZtdID == "" {
		return Payload{}, ErrNoZtdID
	}
	return p, nil
}
