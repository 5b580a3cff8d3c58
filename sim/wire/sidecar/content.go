package sidecar

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
)

// Content is the payload of a GetContentInfo request and of its answer, which fills ContentInfo and DecryptInfo in
// (secureworks/pytune).
type Content struct {
	ApplicationID      string         `json:"ApplicationId"`
	ApplicationVersion int            `json:"ApplicationVersion"`
	ApplicationName    string         `json:"ApplicationName"`
	Intent             Intent         `json:"Intent"`
	CertificateBlob    []byte         `json:"CertificateBlob"` // DER: DecryptInfo is for its key
	ContentInfo        *string        `json:"ContentInfo"`     // JSON text of a [ContentLocation]
	SecondaryContent   *string        `json:"SecondaryContentInfo"`
	DecryptInfo        *string        `json:"DecryptInfo"` // XML: [SealDecryptInfo]
	UploadLocation     *string        `json:"UploadLocation"`
	TargetingMethod    int            `json:"TargetingMethod"`
	ErrorCode          *int           `json:"ErrorCode"`
	TargetType         TargetType     `json:"TargetType"`
	InstallContext     InstallContext `json:"InstallContext"`
	ESPPhase           ESPPhase       `json:"EspPhase"`
}

// ESPPhase is where the enrolment status page is.
type ESPPhase int

// The phases; the numbers are our model.
const (
	ESPNone         ESPPhase = 0
	ESPDeviceSetup  ESPPhase = 1
	ESPAccountSetup ESPPhase = 2
)

// ContentLocation is where the content file is.
type ContentLocation struct {
	UploadLocation string `json:"UploadLocation"`
}

// DecodeContent reads a request's or answer's payload.
func DecodeContent(payload string) (Content, error) {
	var c Content
	return c, unmarshal("content info", []byte(payload), &c)
}

// Answer is the payload of the answer to c.
func (c Content) Answer(location, decryptInfo string) (string, error) {
	text, err := json.Marshal(ContentLocation{UploadLocation: location})
	if err != nil {
		return "", fmt.Errorf("sidecar: content info: %w", err)
	}
	info := string(text)
	c.ContentInfo, c.DecryptInfo = &info, &decryptInfo
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("sidecar: content info: %w", err)
	}
	return string(payload), nil
}

// ErrNoContent says that an answer brings no content.
var ErrNoContent = errors.New("sidecar: content info: no ContentInfo or DecryptInfo")

// Location is the content's address and the sealed decryption information of an answer.
func (c Content) Location() (location, decryptInfo string, err error) {
	if c.ContentInfo == nil || c.DecryptInfo == nil {
		return "", "", ErrNoContent
	}
	var l ContentLocation
	if err := unmarshal("content info", []byte(*c.ContentInfo), &l); err != nil {
		return "", "", err
	}
	if l.UploadLocation == "" {
		return "", "", ErrNoContent
	}
	return l.UploadLocation, *c.DecryptInfo, nil
}

// DecryptInfo is what opens a content file. Clients are known to use EncryptionKey and IV; the members of the MAC are those of
// Graph's fileEncryptionInfo, which an .intunewin file carries, and their presence here is our model.
type DecryptInfo struct {
	EncryptionKey []byte `json:"EncryptionKey"` // 32 bytes
	IV            []byte `json:"IV"`            // 16 bytes
	MacKey        []byte `json:"MacKey,omitempty"`
	Profile       string `json:"ProfileIdentifier,omitempty"` // "ProfileVersion1"
	FileDigest    []byte `json:"FileDigest,omitempty"`        // SHA-256 of the plain file
	Algorithm     string `json:"FileDigestAlgorithm,omitempty"`
}

// NewDecryptInfo describes plain, to be encrypted with these keys.
func NewDecryptInfo(key, macKey [32]byte, iv [16]byte, plain []byte) DecryptInfo {
	digest := sha256.Sum256(plain)
	return DecryptInfo{
		EncryptionKey: key[:], IV: iv[:], MacKey: macKey[:], Profile: "ProfileVersion1", FileDigest: digest[:], Algorithm: "SHA256",
	}
}

const macSize = sha256.Size

// Causes of a content file's refusal.
var (
	ErrContentMAC    = errors.New("sidecar: content: authentication code does not fit")
	ErrContentDigest = errors.New("sidecar: content: digest does not fit")
	ErrContentShape  = errors.New("sidecar: content: not a content file")
)

// EncryptContent makes a content file of a ZIP: HMAC-SHA256 over what follows, IV, AES-256-CBC with PKCS#7 padding (Graph
// fileEncryptionInfo, the .intunewin format).
func EncryptContent(info DecryptInfo, plain []byte) ([]byte, error) {
	block, err := info.cipher()
	if err != nil {
		return nil, err
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	file := make([]byte, macSize+aes.BlockSize+len(plain)+padding)
	copy(file[macSize:], info.IV)
	body := file[macSize+aes.BlockSize:]
	for i := copy(body, plain); i < len(body); i++ {
		body[i] = byte(padding)
	}
	cipher.NewCBCEncrypter(block, info.IV).CryptBlocks(body, body)
	copy(file, mac(info.MacKey, file[macSize:]))
	return file, nil
}

// DecryptContent checks and opens a content file. The MAC and the digest are checked where info has them.
func DecryptContent(info DecryptInfo, file []byte) ([]byte, error) {
	block, err := info.cipher()
	if err != nil {
		return nil, err
	}
	if len(file) < macSize+2*aes.BlockSize || (len(file)-macSize)%aes.BlockSize != 0 {
		return nil, ErrContentShape
	}
	if len(info.MacKey) > 0 && !hmac.Equal(file[:macSize], mac(info.MacKey, file[macSize:])) {
		return nil, ErrContentMAC
	}
	plain := make([]byte, len(file)-macSize-aes.BlockSize)
	cipher.NewCBCDecrypter(block, info.IV).CryptBlocks(plain, file[macSize+aes.BlockSize:])
	plain, ok := unpad(plain)
	if !ok {
		return nil, ErrContentShape
	}
	if digest := sha256.Sum256(plain); len(info.FileDigest) > 0 && !hmac.Equal(digest[:], info.FileDigest) {
		return nil, ErrContentDigest
	}
	return plain, nil
}

func (i DecryptInfo) cipher() (cipher.Block, error) {
	if len(i.IV) != aes.BlockSize || len(i.EncryptionKey) != 32 {
		return nil, fmt.Errorf("sidecar: content: key of %d and IV of %d bytes", len(i.EncryptionKey), len(i.IV))
	}
	return aes.NewCipher(i.EncryptionKey)
}

func mac(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// unpad takes PKCS#7 padding of one block at most off; data is whole blocks.
func unpad(data []byte) ([]byte, bool) {
	if len(data) == 0 {
		return nil, false
	}
	n := int(data[len(data)-1])
	if n == 0 || n > aes.BlockSize || n > len(data) {
		return nil, false
	}
	for _, b := range data[len(data)-n:] {
		if int(b) != n {
			return nil, false
		}
	}
	return data[:len(data)-n], true
}
