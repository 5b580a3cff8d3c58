package vtpm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Cache keeps images in files, one a chip, in a folder for each model that
// names its recipe. Files are keyed by how a chip is made and not by their
// content: an NV index holds two bytes of the reference code's stack. Any
// number of processes may use one directory at the same time; see claim.
type Cache struct{ dir string }

const imageMagic = "windtunnel tpm image 2\n"

// errDamaged is an image file that is not what was written.
var errDamaged = errors.New("damaged image")

// OpenCache is the cache in a directory, which need not be there yet; "" is
// windtunnel/tpm below the user's cache directory.
func OpenCache(dir string) (*Cache, error) {
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("vtpm: image cache: %w", err)
		}
		dir = filepath.Join(user, "windtunnel", "tpm")
	}
	return &Cache{dir: dir}, nil
}

// Dir is where the images are.
func (c *Cache) Dir() string { return c.dir }

// recipe is a digest of all that the images of a model depend on, beside the
// chip's number.
func (m *Model) recipe() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "recipe %d\ngo-tpm-tools %s\n%s", recipeVersion, simulatorVersion, m.identity()))
}

// recipeOf names all that an image depends on.
func recipeOf(id ChipID) string {
	m, err := id.model()
	if err != nil {
		return "no recipe, chip " + id.String() // which nothing is made by
	}
	return fmt.Sprintf("recipe %x, chip %s", m.recipe(), id)
}

// folder is where a model's images are, "model-digest".
func (m *Model) folder() string {
	digest := m.recipe()
	return m.Name + "-" + hex.EncodeToString(digest[:folderDigits/2])
}

const folderDigits = 12

func fileName(n int) string { return fmt.Sprintf("%08d.img", n) }

// Path is where the image of a chip is, or would be.
func (c *Cache) Path(id ChipID) (string, error) {
	m, err := id.model()
	if err != nil {
		return "", err
	}
	return filepath.Join(c.dir, m.folder(), fileName(id.N)), nil
}

// load returns an error that wraps fs.ErrNotExist when there is no image, and
// errDamaged, with the file's name, when there is a bad one.
func (c *Cache) load(id ChipID) (*image, error) {
	path, err := c.Path(id)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	switch {
	case unreadable(err):
		return nil, fmt.Errorf("%w %s: %w", errDamaged, path, errors.Unwrap(err))
	case err != nil:
		return nil, fmt.Errorf("vtpm: image of %s: %w", id, err)
	}
	img, err := decodeImage(b, id)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", errDamaged, path, err)
	}
	return img, nil
}

// unreadable tells whether it is the file's fault that it was not read, and not
// the process's, which may have too many others open.
func unreadable(err error) bool {
	for _, fault := range []error{syscall.EISDIR, syscall.EACCES, syscall.EPERM, syscall.EIO, syscall.ELOOP} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return false
}

// store writes an image so that a reader finds the whole of it or nothing,
// whatever happens in between. The chip must be claimed, which is why the
// half-written file can have a name of the chip's: what a killed process left
// is written over.
func (c *Cache) store(id ChipID, img *image) error {
	path, err := c.Path(id)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("vtpm: store image: %w", err)
	}
	half := filepath.Join(filepath.Dir(path), halfName(id.N))
	err = os.WriteFile(half, encodeImage(id, img), 0o644)
	if err == nil {
		err = os.Rename(half, path)
	}
	if err != nil {
		return fmt.Errorf("vtpm: store image: %w", errors.Join(err, removeIfThere(half)))
	}
	return nil
}

// discard removes a damaged image. The chip must be claimed.
func (c *Cache) discard(id ChipID) error {
	path, err := c.Path(id)
	if err != nil {
		return err
	}
	if err := removeIfThere(path); err != nil {
		return fmt.Errorf("vtpm: discard damaged image: %w", err)
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// encodeImage is magic, SHA-256 of the rest, and packed: recipe, image.
func encodeImage(id ChipID, img *image) []byte {
	f := &frame{}
	f.sized([]byte(recipeOf(id))).raw(img.marshal())
	body := pack(f.b)
	sum := sha256.Sum256(body)
	return bytes.Join([][]byte{[]byte(imageMagic), sum[:], body}, nil)
}

func decodeImage(b []byte, id ChipID) (*image, error) {
	rest, ok := bytes.CutPrefix(b, []byte(imageMagic))
	if !ok || len(rest) < sha256.Size {
		return nil, errors.New("not an image file")
	}
	body := rest[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return nil, errors.New("checksum does not match")
	}
	plain, err := unpack(body)
	if err != nil {
		return nil, err
	}
	r := &reader{b: plain}
	if recipe := string(r.sized()); r.err != nil || recipe != recipeOf(id) {
		return nil, fmt.Errorf("it is for %q", recipe)
	}
	return unmarshalImage(r.b)
}
