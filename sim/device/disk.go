package device

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Disk is what stays when the power goes: the registry, files, certificates
// and the wrapped keys of the TPM's key storage provider.
type Disk struct {
	Registry *Registry `json:"registry"`
	Files    *Files    `json:"files"`
	Certs    *Certs    `json:"certs"`
	Keys     *KeyBlobs `json:"keys"`
	Free     int64     `json:"free"` // bytes

	mu sync.Mutex // of Free, where several install at once
}

func newDisk(size uint64) *Disk {
	const windows = 45e9 // a fresh Windows 11 with its recovery partition
	return &Disk{Registry: newRegistry(), Files: &Files{m: map[string][]byte{}}, Certs: &Certs{}, Keys: &KeyBlobs{m: map[string][]byte{}}, Free: int64(size) - windows}
}

// room tells whether so many bytes are free.
func (d *Disk) room(bytes int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Free >= bytes
}

// Room is how many bytes are free.
func (d *Disk) Room() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Free
}

func (d *Disk) fill(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Free -= bytes
}

// fillUp leaves no room: somebody else's files are there.
func (d *Disk) fillUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Free = min(d.Free, 0)
}

// standOn ties the disk to the power: what is written while there is none is
// written nowhere. Code that was cut off runs on to its next wait, and its
// bookkeeping about a failure that was none must not outlive it.
func (d *Disk) standOn(dark *atomic.Bool) {
	d.Registry.dark, d.Files.dark, d.Certs.dark, d.Keys.dark = dark, dark, dark, dark
}

// unpowered tells whether there is no power to write with; nil is a disk that
// lies on a table.
func unpowered(dark *atomic.Bool) bool { return dark != nil && dark.Load() }

// Wipe gives the disk back its factory state. Whoever holds the disk's parts
// goes on holding the emptied ones.
func (d *Disk) Wipe(h Hardware) {
	fresh := newDisk(h.DiskBytes)
	d.Files.replace(fresh.Files.m)
	d.Keys.replace(fresh.Keys.m)
	d.Certs.replace(nil)
	d.Registry.replace(fresh.Registry) // last: it says whether there is something to be done yet
	d.Free = fresh.Free
}

// Files are named byte strings. Names are compared without regard to case.
type Files struct {
	mu   sync.Mutex
	m    map[string][]byte
	dark *atomic.Bool
}

// Write creates or replaces a file.
func (f *Files) Write(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !unpowered(f.dark) {
		f.m[strings.ToLower(name)] = slices.Clone(data)
	}
}

// Read gives a file's bytes and whether it is there.
func (f *Files) Read(name string) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.m[strings.ToLower(name)]
	return slices.Clone(b), ok
}

// Remove deletes a file; one that is not there is no error.
func (f *Files) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !unpowered(f.dark) {
		delete(f.m, strings.ToLower(name))
	}
}

// List gives the names that begin with prefix, sorted and in lower case.
func (f *Files) List(prefix string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for n := range f.m {
		if strings.HasPrefix(n, strings.ToLower(prefix)) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

func (f *Files) replace(m map[string][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !unpowered(f.dark) {
		f.m = m
	}
}

// MarshalJSON writes the files; their bytes as base64.
func (f *Files) MarshalJSON() ([]byte, error) { return marshalMap(&f.mu, f.m) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Files) UnmarshalJSON(b []byte) error { return unmarshalMap(&f.mu, &f.m, b) }

// KeyBlobs are the wrapped private keys of the platform crypto provider, by
// container name. Only the TPM that made a key can use its blob.
type KeyBlobs struct {
	mu   sync.Mutex
	m    map[string][]byte
	dark *atomic.Bool
}

// Put stores a blob under a container's name.
func (k *KeyBlobs) Put(container string, blob []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !unpowered(k.dark) {
		k.m[container] = slices.Clone(blob)
	}
}

// Get gives a container's blob, nil where there is none.
func (k *KeyBlobs) Get(container string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.m[container])
}

// Delete removes a container.
func (k *KeyBlobs) Delete(container string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !unpowered(k.dark) {
		delete(k.m, container)
	}
}

// Containers lists the containers' names, sorted.
func (k *KeyBlobs) Containers() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.m))
}

func (k *KeyBlobs) replace(m map[string][]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !unpowered(k.dark) {
		k.m = m
	}
}

// MarshalJSON writes the blobs as base64.
func (k *KeyBlobs) MarshalJSON() ([]byte, error) { return marshalMap(&k.mu, k.m) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (k *KeyBlobs) UnmarshalJSON(b []byte) error { return unmarshalMap(&k.mu, &k.m, b) }
