package vtpm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"

	"golang.org/x/sync/errgroup"
)

// built is what a lab knows of the images that it has made.
type built struct {
	mu   sync.Mutex
	made map[string]int // by model
}

func (b *built) count(model string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.made == nil {
		b.made = make(map[string]int)
	}
	b.made[model]++
}

func (b *built) counts() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.made)
}

// Build makes the images that are missing in the cache, as many at a time as
// there are engines. progress, if not nil, is called with how many of the
// missing ones are there now, first with 0, never concurrently; when none is
// missing it is not called. What is done is kept when ctx ends, and when the
// process is killed. Where another process makes an image, Build waits for it
// at the end; [Stats] has what this lab made itself.
func (l *Lab) Build(ctx context.Context, ids []ChipID, progress func(done, total int)) error {
	missing, err := l.missing(ids)
	if err != nil || len(missing) == 0 {
		return err
	}
	leave, err := l.enter(missing)
	if err != nil {
		return err
	}
	defer leave()
	var mu sync.Mutex
	done := 0
	step := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if progress != nil {
			progress(done, len(missing))
		}
	}
	step(0)
	var elsewhere []ChipID // somebody else is at these
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(l.atOnce())
	for _, id := range missing {
		g.Go(func() error {
			if err := context.Cause(gctx); err != nil {
				return err
			}
			switch _, err := l.claimed(gctx, id, false); {
			case errors.Is(err, errBusy):
				mu.Lock()
				elsewhere = append(elsewhere, id)
				mu.Unlock()
				return nil
			case err != nil:
				return err
			}
			step(1)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, id := range elsewhere {
		if _, err := l.claimed(ctx, id, true); err != nil {
			return err
		}
		step(1)
	}
	return nil
}

// atOnce is how many images are made side by side: one in each engine, and one
// that is packed and written.
func (l *Lab) atOnce() int { return l.engine.size() + 1 }

// Missing lists the chips whose images Build would make.
func (l *Lab) Missing(ids []ChipID) ([]ChipID, error) { return l.missing(ids) }

// CacheDir is where the lab keeps its images.
func (l *Lab) CacheDir() string { return l.cache.Dir() }

// missing lists the chips without a good image, each once, in order.
func (l *Lab) missing(ids []ChipID) ([]ChipID, error) {
	seen := make(map[ChipID]bool, len(ids))
	var missing []ChipID
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		img, err := l.find(id)
		if err != nil {
			return nil, err
		}
		if img == nil {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// enter is the beginning of making these: until leave nobody removes images of
// their models, and what killed processes left half-written is gone.
func (l *Lab) enter(ids []ChipID) (leave func(), err error) {
	var holds []*hold
	leave = func() {
		for _, h := range holds {
			h.letGo()
		}
	}
	entered := make(map[string]bool)
	for _, id := range ids {
		if entered[id.Model] {
			continue
		}
		entered[id.Model] = true
		m, err := id.model()
		if err != nil {
			return nil, err
		}
		h, err := l.cache.tryHold(claimUse(m), true)
		if err == nil {
			holds = append(holds, h)
			err = l.cache.sweep(m)
		}
		if err != nil {
			leave()
			if errors.Is(err, errBusy) {
				err = fmt.Errorf("vtpm: images of %s are being removed by another process: %w", m.Name, err)
			}
			return nil, err
		}
	}
	return leave, nil
}

// find returns the image from the cache, nil when there is none, or only a
// damaged one.
func (l *Lab) find(id ChipID) (*image, error) {
	img, err := l.cache.load(id)
	if errors.Is(err, errDamaged) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return img, err
}

// image reads a chip's image from the cache, where it is put first if need be.
func (l *Lab) image(id ChipID) (*image, error) {
	img, err := l.find(id)
	if err != nil || img != nil {
		return img, err
	}
	return l.claimed(context.Background(), id, true)
}

// claimed makes the image of a chip with a claim to it, unless somebody else
// has made it in the meantime. A damaged one is named and discarded first.
// Where somebody else has the claim it waits, or returns errBusy.
func (l *Lab) claimed(ctx context.Context, id ChipID, wait bool) (*image, error) {
	place, err := claimChip(id)
	if err != nil {
		return nil, err
	}
	var h *hold
	if wait {
		h, err = l.cache.await(ctx, place)
	} else {
		h, err = l.cache.tryHold(place, false)
	}
	if err != nil {
		return nil, err
	}
	defer h.letGo()
	img, err := l.cache.load(id)
	switch {
	case err == nil:
		return img, nil
	case errors.Is(err, errDamaged):
		if err := l.cache.discard(id); err != nil {
			return nil, err
		}
		l.warn(err.Error() + "; discarded, will be made again")
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if err := l.make(ctx, id); err != nil {
		return nil, err
	}
	l.built.count(id.Model)
	return l.cache.load(id)
}
