package tenant

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// block is a part of an upload.
type block struct {
	Upload string // key of its upload
	Data   []byte
}

// ErrSignature refuses a storage address that is not signed, or not any more.
var ErrSignature = errors.New("the signature does not authorise this")

// Blob is what a storage address leads to.
type Blob struct {
	t                *Tenant
	app, version, id string
}

// Blob finds an upload by its storage address. ErrSignature, or ErrNotFound.
func (s *Service) Blob(path string, query url.Values) (Blob, error) {
	expires, err := time.Parse(time.RFC3339, query.Get("se"))
	switch {
	case err != nil, subtle.ConstantTimeCompare([]byte(query.Get("sig")), []byte(s.storageSignature(path, query.Get("se")))) != 1:
		return Blob{}, ErrSignature
	case !s.Now().Before(expires):
		return Blob{}, fmt.Errorf("%w: it expired", ErrSignature)
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) != 5 {
		return Blob{}, ErrNotFound
	}
	t, err := s.Tenant(parts[0])
	return Blob{t, parts[1], parts[2], parts[3]}, err
}

func (b Blob) key(block string) string {
	return b.t.ID + "/" + b.app + "/" + b.version + "/" + block
}

func (b Blob) change(f func(tx *store.Tx, u *Upload) error) error {
	_, err := b.t.changeUpload(b.app, b.version, func(tx *store.Tx, u *Upload) error {
		if err := u.has(b.id); err != nil {
			return err
		}
		if err := b.t.lobApp(tx, b.app); err != nil { // deleted since
			return err
		}
		if u.File.IsCommitted || u.File.UploadState == graph.UploadCommitPending {
			return fmt.Errorf("blob: %w: it is committed", ErrConflict)
		}
		return f(tx, u)
	})
	return err
}

// Bounds of a blob's blocks: of those in its list, and of those that were put and
// wait for one (learn.microsoft.com/rest/api/storageservices, Put Block List, Put
// Block).
const (
	maxBlocks  = 50000
	maxWaiting = 100000
)

// PutBlock keeps a block until a list names it.
func (b Blob) PutBlock(id string, data []byte) error {
	return b.change(func(tx *store.Tx, u *Upload) error {
		size, waiting := int64(len(data)), 1
		for key, have := range b.t.s.blocks.By(tx, byUpload, b.key("")) {
			if key != b.key(id) {
				size, waiting = size+int64(len(have.Data)), waiting+1
			}
		}
		switch {
		case size > MaxUpload:
			return fmt.Errorf("blob: %w: larger than %d bytes", ErrInvalid, MaxUpload)
		case waiting > maxWaiting:
			return fmt.Errorf("blob: %w: more than %d blocks", ErrInvalid, maxWaiting)
		}
		b.t.s.blocks.Put(tx, b.key(id), block{b.key(""), data})
		return nil
	})
}

// PutBlockList says which blocks the blob has, in order.
func (b Blob) PutBlockList(ids []string) error {
	return b.change(func(tx *store.Tx, u *Upload) error {
		if len(ids) > maxBlocks {
			return fmt.Errorf("block list: %w: more than %d blocks", ErrInvalid, maxBlocks)
		}
		for _, id := range ids {
			if _, ok := b.t.s.blocks.Get(tx, b.key(id)); !ok {
				return fmt.Errorf("block list: %w: block %q was not uploaded", ErrInvalid, id)
			}
		}
		u.Blocks = slices.Clone(ids)
		return nil
	})
}

// decrypt gives the file of an upload as it was before its encryption, after
// checking all that fileEncryptionInfo says of it.
func (t *Tenant) decrypt(tx *store.Tx, u Upload) ([]byte, error) {
	var file []byte
	b := Blob{t, u.AppID, fmt.Sprint(u.Version), u.File.ID}
	for _, id := range u.Blocks {
		part, _ := t.s.blocks.Get(tx, b.key(id))
		if len(file)+len(part.Data) > MaxUpload {
			return nil, fmt.Errorf("the file is larger than %d bytes", MaxUpload)
		}
		file = append(file, part.Data...)
	}
	return decryptContent(file, u.File, u.Encryption)
}

func decryptContent(file []byte, f graph.ContentFile, e graph.FileEncryption) ([]byte, error) {
	const head = sha256.Size + aes.BlockSize
	if int64(len(file)) != f.SizeEncrypted || len(file) < head+aes.BlockSize || len(file)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("the file has %d bytes, sizeEncrypted says %d", len(file), f.SizeEncrypted)
	}
	mac := hmac.New(sha256.New, e.MACKey)
	mac.Write(file[sha256.Size:])
	switch sum := mac.Sum(nil); {
	case !hmac.Equal(sum, file[:sha256.Size]), len(e.MAC) > 0 && !hmac.Equal(sum, e.MAC):
		return nil, errors.New("mac does not fit the file")
	case len(e.InitializationVector) > 0 && !slices.Equal(e.InitializationVector, file[sha256.Size:head]):
		return nil, errors.New("initializationVector does not fit the file")
	case len(e.EncryptionKey) != 32:
		return nil, errors.New("encryptionKey has not 32 bytes")
	}
	c, err := aes.NewCipher(e.EncryptionKey)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(file)-head)
	cipher.NewCBCDecrypter(c, file[sha256.Size:head]).CryptBlocks(plain, file[head:])
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, errors.New("encryptionKey does not fit the file")
	}
	plain = plain[:len(plain)-pad]
	if sum := sha256.Sum256(plain); len(e.FileDigest) > 0 && !slices.Equal(sum[:], e.FileDigest) || int64(len(plain)) != f.Size {
		return nil, errors.New("fileDigest or size does not fit the file")
	}
	return plain, nil
}
