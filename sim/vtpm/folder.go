package vtpm

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Folder is the images of one model that were made by one recipe.
type Folder struct {
	Model   string // as the folder's name says; there may be no such model any more
	Recipe  string // 12 hex digits of its digest
	Current bool   // whether this program makes the model's chips by that recipe
	Dir     string
	Chips   []int // whose images are there, by number, sorted
	Bytes   int64 // that they take on the disk
}

// halfName is what an image is called while it is written.
func halfName(n int) string { return fmt.Sprintf("%s%08d", halfPrefix, n) }

const (
	halfPrefix = ".new-"
	imageExt   = ".img"
)

// Folders lists what there is, by model and recipe. It reads names, not images.
func (c *Cache) Folders() ([]Folder, error) {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("vtpm: image cache: %w", err)
	}
	var list []Folder
	for _, e := range entries {
		model, recipe, ok := splitFolder(e.Name())
		if !ok || !e.IsDir() {
			continue
		}
		f := Folder{Model: model, Recipe: recipe, Dir: filepath.Join(c.dir, e.Name())}
		if m, err := FindModel(model); err == nil {
			f.Current = m.folder() == e.Name()
		}
		if err := f.read(); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// splitFolder reads "model-digest".
func splitFolder(name string) (model, recipe string, ok bool) {
	at := len(name) - folderDigits - 1
	if at < 1 || name[at] != '-' {
		return "", "", false
	}
	model, recipe = name[:at], name[at+1:]
	_, err := hex.DecodeString(recipe)
	return model, recipe, err == nil
}

func (f *Folder) read() error {
	err := f.each(imageExt, func(n int, e fs.DirEntry) error {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed just now
		}
		if err != nil {
			return fmt.Errorf("vtpm: image cache: %w", err)
		}
		f.Chips = append(f.Chips, n)
		f.Bytes += allocated(info)
		return nil
	})
	slices.Sort(f.Chips)
	return err
}

// each walks the images, or the half-written ones.
func (f *Folder) each(kind string, do func(n int, e fs.DirEntry) error) error {
	entries, err := os.ReadDir(f.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("vtpm: image cache: %w", err)
	}
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), imageExt)
		if kind == halfPrefix {
			digits, ok = strings.CutPrefix(e.Name(), halfPrefix)
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil {
			continue
		}
		if err := do(int(n), e); err != nil {
			return err
		}
	}
	return nil
}

// Missing counts the chips for which there is no image. It reads names, not
// images, so a damaged one counts as there.
func (c *Cache) Missing(ids []ChipID) (int, error) {
	folders, err := c.Folders()
	if err != nil {
		return 0, err
	}
	there := make(map[ChipID]bool)
	for _, f := range folders {
		if !f.Current {
			continue
		}
		for _, n := range f.Chips {
			there[ChipID{f.Model, n}] = true
		}
	}
	missing := make(map[ChipID]bool)
	for _, id := range ids {
		if !there[id] {
			missing[id] = true
		}
	}
	return len(missing), nil
}

// Removed is what Remove did.
type Removed struct {
	Images int
	Bytes  int64
}

// MaxChips is how many chips a model has at most, and All is the last of them,
// for Remove.
const (
	MaxChips = math.MaxInt32
	All      = MaxChips - 1
)

// ImageCost is about how long an engine takes to make one image.
const ImageCost = 220 * time.Millisecond

// Remove removes the images of the chips from first to last, and the folder
// when it is empty then. It fails while somebody makes images there.
func (c *Cache) Remove(f Folder, first, last int) (Removed, error) {
	var r Removed
	digest, err := hex.DecodeString(f.Recipe)
	if err != nil || len(digest) < 4 {
		return r, fmt.Errorf("vtpm: no recipe %q", f.Recipe)
	}
	h, err := c.tryHold(claimFolder(digest), false)
	if errors.Is(err, errBusy) {
		return r, fmt.Errorf("vtpm: images of %s are being made by another process; nothing was removed", f.Model)
	}
	if err != nil {
		return r, err
	}
	defer h.letGo()
	err = f.each(imageExt, func(n int, e fs.DirEntry) error {
		if n < first || n > last {
			return nil
		}
		size := int64(0)
		if info, err := e.Info(); err == nil {
			size = allocated(info)
		}
		if err := os.Remove(filepath.Join(f.Dir, e.Name())); err != nil {
			return fmt.Errorf("vtpm: remove image: %w", err)
		}
		r.Images++
		r.Bytes += size
		return nil
	})
	if err != nil {
		return r, err
	}
	err = f.each(halfPrefix, func(_ int, e fs.DirEntry) error { return removeIfThere(filepath.Join(f.Dir, e.Name())) })
	if err != nil {
		return r, fmt.Errorf("vtpm: remove half-written image: %w", err)
	}
	if left, err := os.ReadDir(f.Dir); err == nil && len(left) == 0 {
		if err := os.Remove(f.Dir); err != nil {
			return r, fmt.Errorf("vtpm: remove folder of images: %w", err)
		}
	}
	return r, nil
}

// sweep removes what processes that were killed have left half-written. What is
// claimed is somebody's work.
func (c *Cache) sweep(m *Model) error {
	f := Folder{Dir: filepath.Join(c.dir, m.folder())}
	return f.each(halfPrefix, func(n int, e fs.DirEntry) error {
		place, err := claimChip(ChipID{m.Name, n})
		if err != nil {
			return err
		}
		h, err := c.tryHold(place, false)
		if errors.Is(err, errBusy) {
			return nil
		}
		if err != nil {
			return err
		}
		defer h.letGo()
		if err := removeIfThere(filepath.Join(f.Dir, e.Name())); err != nil {
			return fmt.Errorf("vtpm: remove half-written image: %w", err)
		}
		return nil
	})
}
