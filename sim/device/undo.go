package device

import (
	"slices"
	"sync"
)

// Undo is what a number of writes replaced, so that they can be taken back
// without touching what others wrote to the disk meanwhile.
type Undo struct {
	mu    sync.Mutex
	steps []func()
}

// Recorded gives the same boot with a registry whose writes are noted, for work
// that is done wholly or not at all. Certificates and keys are noted where they
// go through PutCertificate, DeleteCertificate and DeleteKey. Services that are
// started meanwhile write for themselves.
func (w *Windows) Recorded() (*Windows, *Undo) {
	v, u := *w, &Undo{}
	v.undo, v.registry = u, &Registry{of: w.Disk.Registry, undo: u}
	return &v, u
}

// Back takes everything back, the last write first.
func (u *Undo) Back() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, step := range slices.Backward(u.steps) {
		step()
	}
	u.steps = nil
}

func (u *Undo) note(step func()) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.steps = append(u.steps, step)
}

// value notes a registry value before it is written or deleted.
func (u *Undo) value(r *Registry, path, name string) {
	before, had := r.get(path, name), r.exact(path)
	u.note(func() {
		if before != nil {
			r.set(path, name, before)
			return
		}
		r.Delete(path, name)
		if !had {
			r.dropEmpty(path)
		}
	})
}

// tree notes a registry key, and all below it, before it is deleted.
func (u *Undo) tree(r *Registry, path string) {
	keys := r.branch(path)
	u.note(func() {
		for _, k := range keys {
			r.mend(k)
		}
	})
}

// branch copies a key and all below it.
func (r *Registry) branch(path string) (keys []regKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := fold(path)
	from, to := r.below(p)
	for _, folded := range append([]string{p}, r.paths[from:to]...) {
		if k := r.keys[folded]; k != nil {
			keys = append(keys, regKey{path: k.path, values: slices.Clone(k.values)})
		}
	}
	return keys
}

// mend puts a deleted key back; values that somebody wrote since stay.
func (r *Registry) mend(k regKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if unpowered(r.dark) {
		return
	}
	now := r.keys[fold(k.path)]
	if now == nil {
		now = r.add(k.path)
	}
	for _, v := range k.values {
		if i, ok := now.find(v.name); !ok {
			now.values = slices.Insert(now.values, i, v)
		}
	}
}

// exact tells whether a key itself was made, not only one below it.
func (r *Registry) exact(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.key(path) != nil
}

// dropEmpty removes a key that has neither values nor keys below it.
func (r *Registry) dropEmpty(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := fold(path)
	k := r.keys[p]
	if from, to := r.below(p); k == nil || len(k.values) > 0 || from < to || unpowered(r.dark) {
		return
	}
	delete(r.keys, p)
	if at, ok := slices.BinarySearch(r.paths, p); ok {
		r.paths = slices.Delete(r.paths, at, at+1)
	}
}

// PutCertificate adds a certificate to its store, or replaces the one of its
// name.
func (w *Windows) PutCertificate(c Certificate) {
	w.noteCertificate(c.Store, c.Name)
	w.Disk.Certs.Put(c)
}

// DeleteCertificate removes a certificate.
func (w *Windows) DeleteCertificate(store, name string) {
	w.noteCertificate(store, name)
	w.Disk.Certs.Delete(store, name)
}

func (w *Windows) noteCertificate(store, name string) {
	before, had := w.Disk.Certs.Find(store, name)
	w.undo.note(func() {
		if had {
			w.Disk.Certs.Put(before)
		} else {
			w.Disk.Certs.Delete(store, name)
		}
	})
}

// DeleteKey removes a key's container.
func (w *Windows) DeleteKey(container string) {
	if blob := w.Disk.Keys.Get(container); blob != nil {
		w.undo.note(func() { w.Disk.Keys.Put(container, blob) })
	}
	w.Disk.Keys.Delete(container)
}

// KnowNetwork adds a wireless network to those that Windows joins by itself, as
// a profile does; ForgetNetwork takes it off.
func (w *Windows) KnowNetwork(name string) { w.Registry().SetDWORD(keyNetworks, name, 1) }

// ForgetNetwork removes a wireless network that Windows knows.
func (w *Windows) ForgetNetwork(name string) { w.Registry().Delete(keyNetworks, name) }
