package mdm

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
)

// givenUp keeps the document of an installation that failed, for somebody who
// wants it tried again (our model: how Windows gets at it is not public).
const givenUp = "GivenUp"

// put keeps a job's document where the job failed, and forgets an older one
// where it did not. The document's own value goes after it.
func put(r *device.Registry, key, document string, failed bool) {
	if failed {
		r.SetString(key, givenUp, r.String(key, document))
	} else {
		r.Delete(key, givenUp)
	}
}

// take gives the document back, and tells whether there was one. A job that has
// got another meanwhile keeps that.
func take(r *device.Registry, key, document string) bool {
	kept := r.String(key, givenUp)
	if kept == "" {
		return false
	}
	again := !r.HasValue(key, document)
	if again {
		r.SetString(key, document, kept)
	}
	r.Delete(key, givenUp)
	return again
}

// Again takes up the installations of a scope, "" for the device, that have been
// given up: MSI packages, Store apps and Microsoft 365 Apps; a user's page may
// count the device's, so these are taken up as well. On the status page's lists
// they are pending again. Settings and certificates are the
// server's to send again.
func Again(w *device.Windows, sid string) {
	if sid != "" {
		Again(w, "")
	}
	r := w.Registry()
	for _, product := range r.Subkeys(device.KeyMSI + `\` + sidKey(sid) + `\MSI`) {
		m := csp.MSI{Scope: scopeName(sid), ProductCode: product}
		if !take(r, msiKey(sid, product), msiJob) {
			continue
		}
		setMSI(w, sid, m, csp.MSIInitialized, 0)
		pending(w, sid, m.Status())
	}
	for _, name := range r.Subkeys(keyModern + `\` + sidKey(sid)) {
		if j := modernJob(w, sid, csp.ModernApp{Scope: scopeName(sid), FamilyName: name}); take(r, j.key, jobDocument) {
			pending(w, sid, j.lists...)
		}
	}
	for _, id := range r.Subkeys(keyOffice + `\` + sidKey(sid)) {
		if j := officeJob(w, sid, csp.Office{Scope: scopeName(sid), ID: id}); take(r, j.key, jobDocument) {
			pending(w, sid, j.lists...)
		}
	}
	resumeMSI(w)
	resumeModern(w)
	resumeOffice(w)
}

func scopeName(sid string) csp.Scope {
	if sid == "" {
		return csp.Device
	}
	return csp.User
}

// pending takes back what was recorded of nodes.
func pending(w *device.Windows, sid string, nodes ...string) {
	for _, node := range nodes {
		if uri, err := csp.Canonical(node); err == nil {
			processed(w, sid, uri, 0)
		}
	}
}
