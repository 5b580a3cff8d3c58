package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

// counts are what a cycle did.
type counts struct {
	full                              bool
	added, updated, deleted, rejected int
}

// sync is one cycle: import, then export. What an import brought is through only
// when it is exported, so that a cycle that fails is made up for by the next.
func (c *Connect) sync(ctx context.Context) (got counts, err error) {
	f, err := c.read(ctx)
	if err != nil {
		return got, err
	}
	got.full = f.full
	if c.o.Staging {
		c.source, c.usn = f.source, f.usn
		return got, nil
	}
	var token string
	if !c.imported { // the first cycle of a server that was started
		if token, err = c.token(ctx); err == nil {
			err = c.importCloud(ctx, token, f)
		}
		if err != nil {
			return got, err
		}
	}
	batches := c.batches(f)
	if len(batches) > 0 && token == "" {
		if token, err = c.token(ctx); err != nil {
			return got, err
		}
	}
	for _, b := range batches {
		r, err := c.export(ctx, token, b)
		if err != nil {
			return got, err
		}
		got.added, got.updated, got.deleted, got.rejected = got.added+r.Added, got.updated+r.Updated, got.deleted+r.Deleted, got.rejected+len(r.Rejected)
		c.through(b, r)
	}
	c.source, c.usn = f.source, f.usn
	return got, nil
}

// importCloud has what Entra ID has of the directory looked after from now on:
// what is there and not in the directory was deleted while this server was down.
// The import before it is a full one.
func (c *Connect) importCloud(ctx context.Context, token string, f *found) error {
	status, body, err := c.send(ctx, http.MethodGet, dirsync.ImportURL, "", token, nil)
	if err != nil {
		return fmt.Errorf("import from Entra ID: %w", err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("import from Entra ID: HTTP %d: %s", status, strings.TrimSpace(string(body)))
	}
	var has dirsync.Import
	if err := json.Unmarshal(body, &has); err != nil {
		return fmt.Errorf("import from Entra ID: %w", err)
	}
	here := map[string]bool{}
	for i := range f.computers {
		here[f.computers[i].GUID] = true
	}
	for _, guid := range has.Computers {
		if c.exported[guid] != "" {
			continue
		}
		c.exported[guid] = inCloud
		if !here[guid] {
			f.deleted = append(f.deleted, guid)
		}
	}
	c.imported = true
	return nil
}

// inCloud stands for the digest of an object that Entra ID has and that was not
// compared yet.
const inCloud = "?"

func computerDigest(o *dirsync.Computer) string {
	return digest(o.SID, o.Name, o.OSVersion, string(o.Certificate), fmt.Sprint(o.Enabled))
}

func userDigest(o *dirsync.User) string { return digest(o.UPN, o.Anchor, o.SAM, o.SID, o.DN) }

// batches are the exports of an import: what Entra ID was told already is left
// out.
func (c *Connect) batches(f *found) (all []*dirsync.Export) {
	b, n := &dirsync.Export{Server: c.o.Name}, 0
	next := func() {
		if n++; n == dirsync.MaxObjects {
			all = append(all, b)
			b, n = &dirsync.Export{Server: c.o.Name}, 0
		}
	}
	for i := range f.computers {
		if o := &f.computers[i]; c.exported[o.GUID] != computerDigest(o) {
			b.Computers = append(b.Computers, *o)
			next()
		}
	}
	for i := range f.users {
		if o := &f.users[i]; c.users[o.Anchor] != userDigest(o) {
			b.Users = append(b.Users, *o)
			next()
		}
	}
	for _, guid := range f.deleted {
		b.Deleted = append(b.Deleted, guid)
		next()
	}
	if n > 0 {
		all = append(all, b)
	}
	return all
}

// through takes note of what Entra ID has taken. What it rejects is told again
// when it changes, or at the next full import.
func (c *Connect) through(b *dirsync.Export, r *dirsync.Result) {
	rejected := map[string]bool{}
	for _, x := range r.Rejected {
		rejected[x.Object] = true
	}
	for i := range b.Computers {
		if o := &b.Computers[i]; !rejected[o.GUID] {
			c.exported[o.GUID] = computerDigest(o)
		}
	}
	for i := range b.Users {
		if o := &b.Users[i]; !rejected[o.UPN] {
			c.users[o.Anchor] = userDigest(o)
		}
	}
	for _, guid := range b.Deleted {
		if !rejected[guid] {
			delete(c.exported, guid)
		}
	}
}

// token signs the account in.
func (c *Connect) token(ctx context.Context) (string, error) {
	form := oauth.TokenRequest{
		GrantType: oauth.GrantPassword, ClientID: dirsync.ClientID, Resource: dirsync.Resource, Username: c.o.CloudUser, Password: c.o.CloudPassword, Scope: "openid",
	}.Form().Encode()
	status, body, err := c.post(ctx, "https://"+hosts.Login+"/"+c.o.TenantID+"/oauth2/token", "application/x-www-form-urlencoded", "", []byte(form))
	if err != nil {
		return "", fmt.Errorf("sign in as %s: %w", c.o.CloudUser, err)
	}
	if status != http.StatusOK {
		var refusal oauth.Error
		if json.Unmarshal(body, &refusal) != nil || refusal.Name == "" {
			return "", fmt.Errorf("sign in as %s: HTTP %d", c.o.CloudUser, status)
		}
		return "", fmt.Errorf("sign in as %s: %w", c.o.CloudUser, &refusal)
	}
	var answer oauth.TokenResponse
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("sign in as %s: %w", c.o.CloudUser, err)
	}
	return answer.AccessToken, nil
}

func (c *Connect) export(ctx context.Context, token string, b *dirsync.Export) (*dirsync.Result, error) {
	body, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	status, answer, err := c.post(ctx, dirsync.URL, "application/json", token, body)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("export: HTTP %d: %s", status, strings.TrimSpace(string(answer)))
	}
	var r dirsync.Result
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return &r, nil
}

// answerLimit is more than an answer about a full batch has, and an import of
// 100,000 computers.
const answerLimit = 8 << 20

var errLong = errors.New("the answer is too long")

func (c *Connect) post(ctx context.Context, url, kind, token string, body []byte) (int, []byte, error) {
	return c.send(ctx, http.MethodPost, url, kind, token, body)
}

func (c *Connect) send(ctx context.Context, method, url, kind, token string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.o.Net.Client(vnet.ClientOptions{Timeout: c.o.Timing.Hybrid.ConnectorTimeout}).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	if err == nil && len(answer) > answerLimit {
		err = errLong
	}
	return resp.StatusCode, answer, err
}
