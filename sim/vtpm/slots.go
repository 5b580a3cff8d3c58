package vtpm

import (
	"fmt"
	"os"
	"sync"
)

// slotSize is one live chip's place in the shared file: its state, rounded up
// to pages so that a slot can be given back to the system alone.
const (
	slotSize      = 32 << 10
	slotsPerChunk = 256
)

// slots is the memory of all live chips: one file without a name, mapped
// shared, so that an engine in another process reads it too. It grows by chunks
// and never moves.
type slots struct {
	mu     sync.Mutex
	file   memory
	chunks [][]byte
	free   []int
}

// memory is where chunks come from; one kind for each operating system.
type memory interface {
	grow(at, size int64) ([]byte, error)
	release(b []byte) error // zeroes b and gives its pages back
	unmap(chunk []byte) error
	share() (*os.File, error) // for another process; slot n is at n*slotSize
	close() error
}

func newSlots() (*slots, error) {
	file, err := newMemory()
	if err != nil {
		return nil, fmt.Errorf("vtpm: memory for chips: %w", err)
	}
	return &slots{file: file}, nil
}

// take returns a zeroed slot.
func (s *slots) take() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		if err := s.grow(); err != nil {
			return 0, err
		}
	}
	n := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return n, nil
}

func (s *slots) grow() error {
	const size = slotSize * slotsPerChunk
	m, err := s.file.grow(int64(len(s.chunks))*size, size)
	if err != nil {
		return fmt.Errorf("vtpm: memory for chips: %w", err)
	}
	first := len(s.chunks) * slotsPerChunk
	s.chunks = append(s.chunks, m)
	for i := slotsPerChunk - 1; i >= 0; i-- {
		s.free = append(s.free, first+i)
	}
	return nil
}

// at returns the bytes of a slot.
func (s *slots) at(n int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n/slotsPerChunk >= len(s.chunks) {
		return nil, fmt.Errorf("vtpm: no slot %d", n)
	}
	off := (n % slotsPerChunk) * slotSize
	return s.chunks[n/slotsPerChunk][off : off+slotSize : off+slotSize], nil
}

// put gives a slot back, its memory to the system.
func (s *slots) put(n int) error {
	b, err := s.at(n)
	if err != nil {
		return err
	}
	if err := s.file.release(b); err != nil {
		return fmt.Errorf("vtpm: give memory of a chip back: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, n)
	return nil
}

func (s *slots) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.chunks {
		if err := s.file.unmap(m); err != nil {
			return fmt.Errorf("vtpm: unmap chips: %w", err)
		}
	}
	s.chunks, s.free = nil, nil
	return s.file.close()
}
