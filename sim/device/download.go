package device

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/hosts"
)

// keyDownloads is where the progress of downloads is written down, by address
// (our model of Delivery Optimization's and BITS' own books).
const keyDownloads = `HKLM\SOFTWARE\Windtunnel\Downloads`

// Download fetches a file from the content network. The link is charged for
// its modelled size; a transfer that breaks off goes on where it stopped, and
// one that the loss of power broke off from what had been written down.
func (w *Windows) Download(op, address string) (body []byte, size int64, err error) {
	return w.DownloadWith(op, address, nil)
}

// DownloadWith is Download for who wants to know how far it is: progress is
// called whenever that was written down.
func (w *Windows) DownloadWith(op, address string, progress func(done, size int64)) (body []byte, size int64, err error) {
	resp, err := w.Do(Request{Op: op, Method: http.MethodGet, URL: address})
	if err != nil {
		return nil, 0, err
	}
	if resp.Status != http.StatusOK {
		return nil, 0, hresult.New(op, hresult.FromHTTPStatus(resp.Status), errors.New(address))
	}
	size = int64(len(resp.Body))
	if v, err := strconv.ParseInt(resp.Header.Get(hosts.HeaderModelledSize), 10, 64); err == nil {
		size = max(size, v)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, 0, hresult.New(op, hresult.InternetInvalidURL, err)
	}
	if !w.Disk.room(size) {
		return nil, 0, hresult.New(op, hresult.OutOfDisk, errors.New("no room for "+address))
	}
	d := transfer{w: w, op: op, host: u.Hostname(), key: downloadKey(address, size), size: size, progress: progress}
	if err := d.run(int64(len(resp.Body))); err != nil {
		return nil, 0, err
	}
	return resp.Body, size, nil
}

// downloadKey belongs to one file: what comes to be at the same address later
// begins anew.
func downloadKey(address string, size int64) string {
	sum := sha256.Sum256([]byte(address + " " + strconv.FormatInt(size, 10)))
	return hex.EncodeToString(sum[:8])
}

// transfer is the modelled part of a download.
type transfer struct {
	w             *Windows
	op, host, key string
	size          int64
	progress      func(done, size int64)
}

func (t *transfer) run(done int64) error {
	w, piece := t.w, int64(t.w.Timing.Network.DownloadPiece)
	if kept, err := strconv.ParseInt(w.Registry().String(keyDownloads, t.key), 10, 64); err == nil {
		done = max(done, min(kept, t.size))
	}
	for attempt := 1; done < t.size; {
		n, err := w.NIC.Transfer(w.Ctx, t.host, min(piece, t.size-done))
		if cause := context.Cause(w.Ctx); cause != nil {
			return cause
		}
		if done += n; done < t.size {
			w.Registry().SetString(keyDownloads, t.key, strconv.FormatInt(done, 10))
		}
		if n > 0 && t.progress != nil {
			t.progress(done, t.size)
		}
		if err == nil {
			attempt = 1
			continue
		}
		if attempt >= w.Timing.Network.RetryAttempts || w.Sleep(w.Timing.Network.RetryAfter, t.op+" again") != nil {
			return hresult.New(t.op, transportCode(err), err)
		}
		attempt++
	}
	w.Registry().Delete(keyDownloads, t.key)
	return nil
}
