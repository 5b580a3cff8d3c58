package evtx

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Sizes of the format.
const (
	headerSize      = 4096
	chunkSize       = 64 << 10
	chunkHeaderSize = 512
)

// Encode makes a log file of records, which must be in the order of their
// numbers; a log without records has one empty chunk. An error is a record that
// fits into no chunk.
func Encode(events []Event) ([]byte, error) {
	file := make([]byte, headerSize, headerSize+chunkSize)
	var chunks uint16
	next := uint64(1)
	for rest := events; chunks == 0 || len(rest) > 0; chunks++ {
		var c chunk
		n := c.fill(rest)
		if n == 0 && len(rest) > 0 {
			return nil, fmt.Errorf("evtx: record %d of %s is larger than a chunk", rest[0].Record, rest[0].Channel)
		}
		file = append(file, c.seal(rest[:n], next)...)
		if n > 0 {
			next = rest[n-1].Record + 1
		}
		rest = rest[n:]
	}
	h := file[:headerSize]
	copy(h, "ElfFile\x00")
	le := binary.LittleEndian
	le.PutUint64(h[16:], uint64(chunks-1))
	le.PutUint64(h[24:], next)
	le.PutUint32(h[32:], 128)
	le.PutUint16(h[36:], 1)
	le.PutUint16(h[38:], 3)
	le.PutUint16(h[40:], headerSize)
	le.PutUint16(h[42:], chunks)
	le.PutUint32(h[124:], crc32.ChecksumIEEE(h[:120]))
	return file, nil
}

// chunk is one that is being filled.
type chunk struct {
	b    []byte
	last int // offset of the last record
	t    *tables
}

// fill puts as many records into the chunk as it has room for, and tells how
// many.
func (c *chunk) fill(events []Event) int {
	c.b = make([]byte, chunkHeaderSize, chunkSize+chunkSize/4)
	c.t = newTables()
	for i, e := range events {
		before, tables := len(c.b), c.t.copy()
		c.add(e)
		if len(c.b) > chunkSize {
			c.b, c.t = c.b[:before], tables
			return i
		}
		c.last = before
	}
	return len(events)
}

// add writes a record; its size is a multiple of 8.
func (c *chunk) add(e Event) {
	le := binary.LittleEndian
	start := len(c.b)
	c.b = append(c.b, '*', '*', 0, 0, 0, 0, 0, 0)
	c.b = le.AppendUint64(c.b, e.Record)
	c.b = le.AppendUint64(c.b, fileTime(e.Time))
	c.b = c.t.instance(c.b, e.tree(), e.shape())
	for (len(c.b)-start+4)%8 != 0 {
		c.b = append(c.b, 0)
	}
	size := uint32(len(c.b) - start + 4)
	c.b = le.AppendUint32(c.b, size)
	le.PutUint32(c.b[start+4:], size)
}

// seal writes the chunk's header; next is the number of the next record where
// the chunk has none.
func (c *chunk) seal(events []Event, next uint64) []byte {
	le := binary.LittleEndian
	first, last := next, next-1
	if n := len(events); n > 0 {
		first, last = events[0].Record, events[n-1].Record
	} else {
		c.last = 0
	}
	h := c.b[:chunkHeaderSize]
	copy(h, "ElfChnk\x00")
	le.PutUint64(h[8:], first)
	le.PutUint64(h[16:], last)
	le.PutUint64(h[24:], first)
	le.PutUint64(h[32:], last)
	le.PutUint32(h[40:], 128)
	le.PutUint32(h[44:], uint32(c.last))
	le.PutUint32(h[48:], uint32(len(c.b)))
	le.PutUint32(h[52:], crc32.ChecksumIEEE(c.b[chunkHeaderSize:]))
	for i, at := range c.t.nameChains {
		le.PutUint32(h[128+4*i:], at)
	}
	for i, at := range c.t.templateChain {
		le.PutUint32(h[384+4*i:], at)
	}
	le.PutUint32(h[124:], crc32.Update(crc32.ChecksumIEEE(h[:120]), crc32.IEEETable, h[128:chunkHeaderSize]))
	return append(c.b, make([]byte, chunkSize-len(c.b))...)
}
