package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"windtunnel.test/sim/vnet"
	wire "windtunnel.test/sim/wire/connector"
	"windtunnel.test/sim/wire/hosts"
)

// call makes one request to Intune. token is "" where the certificate proves the
// connector. What Intune refuses is a wire.Refusal.
func call[T any](ctx context.Context, c *Connector, path, token string, in any) (out T, err error) {
	return callFor[T](ctx, c, 0, path, token, in)
}

// callFor is call where Intune may take so long on purpose.
func callFor[T any](ctx context.Context, c *Connector, held time.Duration, path, token string, in any) (out T, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+hosts.ODJConnector+path, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	options := vnet.ClientOptions{Timeout: held + c.o.Timing.Hybrid.ConnectorTimeout}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	} else if cert := c.certificate(); cert != nil {
		options.Certificate = &vnet.ClientCertificate{Cert: cert, Signer: c.key}
	}
	resp, err := c.o.Net.Client(options).Do(req)
	if err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxBody+1))
	if err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	if resp.StatusCode/100 == 2 {
		return wire.Decode[T](answer)
	}
	refusal, err := wire.Decode[wire.Refusal](answer)
	if err != nil || refusal.Code == "" {
		return out, fmt.Errorf("%s: HTTP %d", path, resp.StatusCode)
	}
	return out, fmt.Errorf("%s: HTTP %d: %w", path, resp.StatusCode, refusal)
}

// poll fetches what is to be done and does it. It leaves its request with Intune
// for as long as hold, until there is something. well says that the next one may
// follow at once: not after a failure, nor where something does not let the
// request wait.
func (c *Connector) poll(ctx context.Context, hold time.Duration) (well bool) {
	o, _ := c.configured()
	asked := c.o.Clock.Now()
	work, err := callFor[wire.Work](ctx, c, hold, wire.PathPoll, "", wire.Poll{Version: o.Version, Domain: o.Domain, Wait: int(hold / time.Second)})
	if context.Cause(ctx) != nil {
		return false
	}
	if err != nil {
		c.log(EventPollFailed, dimensions{DomainName: o.Domain, ErrorDescription: "Failed to get requests for offline domain join.", DiagnosticText: err.Error()})
		return false
	}
	c.mu.Lock()
	c.state.LastPoll = c.o.Now()
	c.mu.Unlock()
	if len(work.Requests) == 0 {
		return hold > 0 && c.o.Clock.Now().Sub(asked) >= hold
	}
	c.log(EventPolled, dimensions{DomainName: o.Domain})
	var s session
	defer s.close()
	well = true
	for _, r := range work.Requests {
		if !c.handle(ctx, o, &s, r) {
			well = false
		}
		if context.Cause(ctx) != nil {
			return false
		}
	}
	return well
}

// handle does one request, and tells whether that went well.
func (c *Connector) handle(ctx context.Context, o Options, s *session, r wire.Request) bool {
	computer, blob, err := c.join(ctx, o, s, r)
	if context.Cause(ctx) != nil {
		return false // as if the server had gone: the lease will end
	}
	if err != nil {
		c.failed(ctx, r, err)
		return false
	}
	d := about(r)
	d.ComputerName = computer
	c.log(EventJoined, d)
	c.count(func(s *Status) { s.Joins++ })
	_, err = call[struct{}](ctx, c, wire.PathBlob, "", wire.Blob{RequestID: r.ID, ComputerName: computer, Blob: blob})
	if context.Cause(ctx) != nil {
		return false
	}
	if err != nil {
		d.ErrorDescription, d.DiagnosticText = "Failed to upload the ODJ Blob.", err.Error()
		c.log(EventUploadFailed, d)
		return false
	}
	c.log(EventUploaded, d)
	return true
}

// failed tells the event log and Intune why there is no blob.
func (c *Connector) failed(ctx context.Context, r wire.Request, err error) {
	e := failureOf(err)
	d := about(r)
	d.ErrorCode, d.DiagnosticCode, d.ErrorDescription, d.DiagnosticText = fmt.Sprint(e.win32), fmt.Sprintf("0x%08X", e.diagnostic), e.description, e.Error()
	c.log(EventJoinFailed, d)
	c.count(func(s *Status) { s.Failures++ })
	_, err = call[struct{}](ctx, c, wire.PathFailure, "", wire.Failure{RequestID: r.ID, ErrorCode: e.win32, DiagnosticCode: e.diagnostic, DiagnosticText: e.Error(), Final: e.final})
	if err != nil && context.Cause(ctx) == nil {
		var refusal wire.Refusal
		if !errors.As(err, &refusal) || refusal.Code != wire.CodeLease {
			c.log(EventUploadFailed, dimensions{RequestID: r.ID, ErrorDescription: "Failed to tell Intune.", DiagnosticText: err.Error()})
		}
	}
}

func (c *Connector) count(change func(*Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.state)
}
