package vtpm

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// cache keeps images in files, one a chip, below a directory that names the
// recipe. Files are keyed by how a chip is made and not by their content: an NV
// index holds two bytes of the reference code's stack.
type cache struct{ dir string }

const imageMagic = "windtunnel tpm image 1\n"

// errDamaged is an image file that is not what was written.
var errDamaged = errors.New("damaged image")

func newCache(dir string) (*cache, error) {
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("vtpm: image cache: %w", err)
		}
		dir = filepath.Join(user, "windtunnel", "tpm")
	}
	return &cache{dir: dir}, nil
}

// recipeOf names all that an image depends on.
func recipeOf(id ChipID) string {
	return fmt.Sprintf("recipe %d, go-tpm-tools %s, chip %s", recipeVersion, simulatorVersion, id)
}

func (c *cache) path(id ChipID) string {
	recipe := fmt.Sprintf("recipe%d-%s", recipeVersion, simulatorVersion)
	return filepath.Join(c.dir, recipe, id.Model, fmt.Sprintf("%08d.img", id.N))
}

// load returns an error that wraps fs.ErrNotExist when there is no image, and
// errDamaged, with the file's name, when there is a bad one.
func (c *cache) load(id ChipID) (*image, error) {
	path := c.path(id)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("vtpm: image of %s: %w", id, err)
	}
	img, err := decodeImage(b, id)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", errDamaged, path, err)
	}
	return img, nil
}

// store writes an image so that a reader finds the whole of it or nothing,
// whatever happens in between.
func (c *cache) store(id ChipID, img *image) error {
	path := c.path(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("vtpm: store image: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("vtpm: store image: %w", err)
	}
	_, err = f.Write(encodeImage(id, img))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("vtpm: store image: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// discard removes a damaged image.
func (c *cache) discard(id ChipID) error {
	if err := os.Remove(c.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("vtpm: discard image: %w", err)
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
