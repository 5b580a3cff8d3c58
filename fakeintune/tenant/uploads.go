package tenant

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// Upload is a version of an app's content, and its file where there is one.
// How far the service is with it follows from Due, so that no timer has to
// outlive the process.
type Upload struct {
	TenantID, AppID string
	Version         int
	File            graph.ContentFile // without an id: nobody made one yet
	Due             time.Time         // of the step that is pending
	Encryption      graph.FileEncryption
	Failed          string // why the commit failed
	Blocks          []string
	Steps           int
}

// MaxUpload bounds the file of an app's content here.
const MaxUpload = 64 << 20

func (t *Tenant) uploadKey(appID string, version int) string {
	return t.key(appID) + "/" + strconv.Itoa(version)
}

// lobApp finds an app that can have content.
func (t *Tenant) lobApp(tx *store.Tx, appID string) error {
	o, ok := t.s.apps.table.Get(tx, t.key(appID))
	switch {
	case !ok:
		return fmt.Errorf("mobileApps %q: %w", appID, ErrNotFound)
	case o.Resource.OfficeSuiteApp != nil:
		return fmt.Errorf("mobileApps %q: %w: apps of this type have no content", appID, ErrInvalid)
	}
	return nil
}

// NewContentVersion begins a version of an app's content.
func (t *Tenant) NewContentVersion(appID string) (graph.ContentVersion, error) {
	n := 0
	err := t.s.DB.Update(func(tx *store.Tx) error {
		if err := t.lobApp(tx, appID); err != nil {
			return err
		}
		for _, u := range t.s.uploads.By(tx, byApp, t.key(appID)) {
			n = max(n, u.Version)
		}
		n++
		t.s.uploads.Put(tx, t.uploadKey(appID, n), Upload{TenantID: t.ID, AppID: strings.ToLower(appID), Version: n})
		return nil
	})
	return graph.ContentVersion{ID: strconv.Itoa(n)}, err
}

// ContentVersions are the versions of an app's content, in order.
func (t *Tenant) ContentVersions(appID string) ([]graph.ContentVersion, error) {
	if _, err := t.Apps().Get(appID); err != nil {
		return nil, err
	}
	rows := list(t.s, t.s.uploads, byApp, t.key(appID))
	slices.SortFunc(rows, func(a, b Upload) int { return a.Version - b.Version })
	out := make([]graph.ContentVersion, len(rows))
	for i, u := range rows {
		out[i] = graph.ContentVersion{ID: strconv.Itoa(u.Version)}
	}
	return out, nil
}

// change changes a version's row, after the step that has come due.
func (t *Tenant) changeUpload(appID, version string, change func(tx *store.Tx, u *Upload) error) (Upload, error) {
	var out Upload
	n, err := strconv.Atoi(version)
	if err != nil || strconv.Itoa(n) != version { // one name a version
		return out, fmt.Errorf("contentVersions %q: %w", version, ErrNotFound)
	}
	err = t.s.DB.Update(func(tx *store.Tx) error {
		u, ok := t.s.uploads.Get(tx, t.uploadKey(appID, n))
		if !ok {
			return fmt.Errorf("contentVersions %q of app %q: %w", version, appID, ErrNotFound)
		}
		t.advance(tx, &u)
		if change != nil {
			if err := change(tx, &u); err != nil {
				return err
			}
		}
		out = u
		t.s.uploads.Put(tx, t.uploadKey(appID, n), u)
		return nil
	})
	return out, err
}

// advance takes the step that is due.
func (t *Tenant) advance(tx *store.Tx, u *Upload) {
	if u.Due.IsZero() || t.s.Now().Before(u.Due) {
		return
	}
	switch u.File.UploadState {
	case graph.UploadURIPending, graph.UploadRenewPending:
		uri, expires := t.storageURI(*u)
		at := graph.At(expires)
		u.File.AzureStorageURI, u.File.AzureStorageURIExpiration = &uri, &at
		if u.File.UploadState == graph.UploadURIPending {
			u.File.UploadState = graph.UploadURISuccess
		} else {
			u.File.UploadState = graph.UploadRenewSuccess
		}
	case graph.UploadCommitPending:
		u.File.UploadState = graph.UploadCommitSuccess
		if _, err := t.decrypt(tx, *u); err != nil {
			u.File.UploadState, u.Failed = graph.UploadCommitFailed, err.Error()
		} else {
			u.File.IsCommitted = true
		}
	}
	u.Due = time.Time{}
}

func (t *Tenant) step(u *Upload, state graph.UploadState) {
	u.Steps++
	d := t.s.draw(t.s.Timing.Intune.UploadStep, "upload", t.ID, u.AppID, strconv.Itoa(u.Version), strconv.Itoa(u.Steps))
	u.File.UploadState, u.Due = state, t.s.Now().Add(d)
}

// NewContentFile makes the file of a version; its storage address comes a
// little later.
func (t *Tenant) NewContentFile(appID, version string, f graph.ContentFile) (graph.ContentFile, error) {
	u, err := t.changeUpload(appID, version, func(_ *store.Tx, u *Upload) error {
		switch {
		case u.File.ID != "":
			return fmt.Errorf("contentVersions %q: %w: the version has a file", version, ErrConflict)
		case f.Name == "" || f.Size <= 0 || f.SizeEncrypted < f.Size:
			return fmt.Errorf("content file: %w: name, size and sizeEncrypted are needed", ErrInvalid)
		case f.Size > int64(t.s.Timing.IME.AppSize):
			return fmt.Errorf("content file: %w: an app has at most %d bytes", ErrInvalid, t.s.Timing.IME.AppSize)
		case f.SizeEncrypted > MaxUpload:
			return fmt.Errorf("content file: %w: at most %d bytes are taken here", ErrInvalid, MaxUpload)
		}
		f.ID = t.s.Seed.UUID("content file", t.ID, u.AppID, version)
		f.CreatedDateTime, f.AzureStorageURI, f.AzureStorageURIExpiration, f.IsCommitted = graph.At(t.s.Now()), nil, nil, false
		u.File = f
		t.step(u, graph.UploadURIPending)
		return nil
	})
	return u.File, err
}

// ContentFile finds the file of a version; ErrNotFound.
func (t *Tenant) ContentFile(appID, version, id string) (graph.ContentFile, error) {
	u, err := t.changeUpload(appID, version, func(_ *store.Tx, u *Upload) error { return u.has(id) })
	return u.File, err
}

func (u Upload) has(id string) error {
	if u.File.ID == "" || !strings.EqualFold(u.File.ID, id) {
		return fmt.Errorf("files %q: %w", id, ErrNotFound)
	}
	return nil
}

// ContentFiles are the files of a version: none or one.
func (t *Tenant) ContentFiles(appID, version string) ([]graph.ContentFile, error) {
	u, err := t.changeUpload(appID, version, nil)
	if err != nil || u.File.ID == "" {
		return nil, err
	}
	return []graph.ContentFile{u.File}, nil
}

// RenewUpload asks for a new storage address.
func (t *Tenant) RenewUpload(appID, version, id string) error {
	_, err := t.changeUpload(appID, version, func(_ *store.Tx, u *Upload) error {
		if err := u.has(id); err != nil {
			return err
		}
		if u.File.IsCommitted {
			return fmt.Errorf("files %q: %w: committed", id, ErrConflict)
		}
		t.step(u, graph.UploadRenewPending)
		return nil
	})
	return err
}

// CommitUpload says that the file is there, and how it was encrypted. Whether
// that is so is checked a little later: commitFileSuccess or commitFileFailed.
func (t *Tenant) CommitUpload(ctx context.Context, appID, version, id string, e graph.FileEncryption) error {
	_, err := t.changeUpload(appID, version, func(_ *store.Tx, u *Upload) error {
		if err := u.has(id); err != nil {
			return err
		}
		switch u.File.UploadState {
		case graph.UploadURISuccess, graph.UploadRenewSuccess, graph.UploadCommitFailed:
		default:
			return fmt.Errorf("files %q: %w: uploadState is %s", id, ErrConflict, u.File.UploadState)
		}
		u.Encryption, u.Failed = e, ""
		t.step(u, graph.UploadCommitPending)
		return nil
	})
	if err == nil {
		t.s.Record(ctx, "apps.content.committed", journal.F("app", appID), journal.F("version", version))
	}
	return err
}

// ContentReady tells whether PublishContent would do it: nil, or why not.
func (t *Tenant) ContentReady(appID, version string) error {
	_, err := t.changeUpload(appID, version, func(_ *store.Tx, u *Upload) error { return u.ready() })
	return err
}

func (u Upload) ready() error {
	if !u.File.IsCommitted {
		return fmt.Errorf("contentVersions %q: %w: it has no committed file", strconv.Itoa(u.Version), ErrInvalid)
	}
	return nil
}

// PublishContent makes a committed version the one that devices get.
func (t *Tenant) PublishContent(ctx context.Context, appID, version string) error {
	var plain []byte
	u, err := t.changeUpload(appID, version, func(tx *store.Tx, u *Upload) error {
		err := u.ready()
		if err != nil {
			return err
		}
		plain, err = t.decrypt(tx, *u)
		return err
	})
	if err != nil {
		return err
	}
	if err := t.PutContent(Content{AppID: u.AppID, Version: version, FileName: u.File.Name, Plain: plain}); err != nil {
		return err
	}
	_, err = t.Apps().Update(ctx, appID, func(a *graph.MobileApp) error {
		a.CommittedContentVersion, a.Size, a.PublishingState = version, u.File.Size, "published"
		return nil
	})
	return err
}

// storageURI is the address that a file is uploaded to, with its signature
// (learn.microsoft.com/rest/api/storageservices/create-service-sas; what is
// signed is our own).
func (t *Tenant) storageURI(u Upload) (string, time.Time) {
	expires := t.s.Now().Add(t.s.Timing.Intune.UploadLink).UTC().Truncate(time.Second)
	path := "/" + t.ID + "/" + u.AppID + "/" + strconv.Itoa(u.Version) + "/" + u.File.ID + "/intunewin.bin"
	se := expires.Format(time.RFC3339)
	q := url.Values{"sv": {"2021-12-02"}, "sr": {"b"}, "sp": {"rw"}, "se": {se}, "sig": {t.s.storageSignature(path, se)}}
	return (&url.URL{Scheme: "https", Host: hosts.IntuneStorage, Path: path, RawQuery: q.Encode()}).String(), expires
}

func (s *Service) storageSignature(path, expires string) string {
	key := s.Seed.Key("storage")
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(path + "\n" + expires))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
