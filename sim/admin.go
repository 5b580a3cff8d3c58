package sim

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/ztd"
)

// Administrator is whoever runs scripts against the tenant with an
// application's credentials: the world's hand on Microsoft Graph.
type Administrator struct {
	clock    vclock.Clock
	timing   *timing.Profile
	client   *http.Client
	tenantID string
	clientID string
	secret   string

	token   string
	expires time.Time
}

const (
	graphRoot     = "https://" + hosts.Graph
	importsURL    = graphRoot + "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities"
	identitiesURL = graphRoot + "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities"
	settingsURL   = graphRoot + "/beta/deviceManagement/windowsAutopilotSettings"
)

// GraphError is an answer of Microsoft Graph that is no success.
type GraphError struct {
	Status  int
	Code    string
	Message string
}

func (e *GraphError) Error() string {
	return fmt.Sprintf("Graph: HTTP %d %s: %s", e.Status, e.Code, e.Message)
}

// Graph makes one call. in is sent as JSON where it is not nil; the answer is
// decoded into out where that is not nil.
func (a *Administrator) Graph(ctx context.Context, method, address string, in, out any) error {
	if err := a.signIn(ctx); err != nil {
		return err
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, address, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.send(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, address, err)
	}
	defer resp.Body.Close()
	var read bytes.Buffer
	read.Grow(int(max(0, resp.ContentLength)) + bytes.MinRead)
	if _, err := read.ReadFrom(resp.Body); err != nil {
		return fmt.Errorf("%s %s: %w", method, address, err)
	}
	answer := read.Bytes()
	if resp.StatusCode/100 != 2 {
		var e graph.Error
		_ = json.Unmarshal(answer, &e) // what is no JSON has no code and no message
		return fmt.Errorf("%s %s: %w", method, address, &GraphError{Status: resp.StatusCode, Code: e.Error.Code, Message: e.Error.Message})
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, address, err)
	}
	return nil
}

// send makes a request, and makes it again where the service is busy and says
// when to come back, as Graph's client libraries do.
func (a *Administrator) send(req *http.Request) (*http.Response, error) {
	begin := a.clock.Now()
	for {
		resp, err := a.client.Do(req)
		if err != nil {
			return nil, err
		}
		busy := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable
		seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31)
		if !busy || err != nil || a.clock.Now().Sub(begin) > a.timing.Autopilot.AssignmentPatience {
			return resp, nil
		}
		resp.Body.Close()
		if err := a.clock.Sleep(req.Context(), time.Duration(seconds)*time.Second, "administrator: Retry-After of "+req.URL.Host); err != nil {
			return nil, err
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// signIn gets a token by client credentials where there is none that is good.
func (a *Administrator) signIn(ctx context.Context) error {
	if a.clock.Now().Before(a.expires.Add(-time.Minute)) {
		return nil
	}
	form := oauth.TokenRequest{GrantType: oauth.GrantClient, ClientID: a.clientID, ClientSecret: a.secret, Scope: graphRoot + "/.default"}.Form()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+hosts.Login+"/"+a.tenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := a.send(req)
	if err != nil {
		return fmt.Errorf("administrator's token: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var e oauth.Error
		_ = json.NewDecoder(resp.Body).Decode(&e) // its zero value prints as well
		return fmt.Errorf("administrator's token: HTTP %d: %w", resp.StatusCode, &e)
	}
	var t oauth.TokenResponse
	if err := json.NewDecoder(resp.Body).Decode(&t); err != nil {
		return fmt.Errorf("administrator's token: %w", err)
	}
	a.token, a.expires = t.AccessToken, a.clock.Now().Add(time.Duration(t.ExpiresIn)*time.Second)
	return nil
}

// Token gives an access token for Graph, as who signs in elsewhere brings one.
func (a *Administrator) Token(ctx context.Context) (string, error) {
	if err := a.signIn(ctx); err != nil {
		return "", err
	}
	return a.token, nil
}

// ImportCSV brings a file of Get-WindowsAutopilotInfo into the tenant: import,
// wait for each row's state, sync.
func (a *Administrator) ImportCSV(ctx context.Context, file []byte) error {
	rows, err := ztd.ReadCSV("devices.csv", bytes.NewReader(file))
	if err != nil {
		return err
	}
	failed := a.importRows(ctx, rows) // of some rows perhaps: the others are in the list
	if err := a.Sync(ctx); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

func (a *Administrator) importRows(ctx context.Context, rows []ztd.Row) error {
	request := graph.ImportRequest{}
	for _, r := range rows {
		d, err := imported(r)
		if err != nil {
			return err
		}
		request.Devices = append(request.Devices, d)
	}
	var accepted graph.Collection[graph.ImportedDevice]
	if err := a.Graph(ctx, http.MethodPost, importsURL+"/import", request, &accepted); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return a.awaitImported(ctx)
}

// imported is a row as Graph takes it.
func imported(r ztd.Row) (graph.ImportedDevice, error) {
	hash, err := base64.StdEncoding.DecodeString(r.Hash)
	if err != nil {
		return graph.ImportedDevice{}, fmt.Errorf("import: row of %s: %w", r.Serial, err)
	}
	return graph.ImportedDevice{
		SerialNumber: r.Serial, ProductKey: r.ProductID, HardwareIdentifier: hash, GroupTag: r.GroupTag, AssignedUserPrincipalName: r.AssignedUser,
	}, nil
}

// awaitImported waits until every row that was imported has its state, and
// deletes them.
func (a *Administrator) awaitImported(ctx context.Context) error {
	for {
		if err := a.clock.Sleep(ctx, a.timing.Autopilot.ImportPoll, "administrator waits for the import"); err != nil {
			return err
		}
		var states []graph.ImportedDevice
		if err := list(ctx, a, importsURL, &states); err != nil {
			return fmt.Errorf("import: %w", err)
		}
		waiting, mistakes := 0, []error{}
		for _, s := range states {
			switch {
			case pending(s):
				waiting++
			case s.State.DeviceImportStatus == graph.ImportFailed:
				mistakes = append(mistakes, fmt.Errorf("import of %s: error %d %s", s.SerialNumber, s.State.DeviceErrorCode, s.State.DeviceErrorName))
			}
		}
		if waiting > 0 {
			continue
		}
		for _, s := range states {
			if err := a.Graph(ctx, http.MethodDelete, importsURL+"/"+s.ID, nil, nil); err != nil {
				return fmt.Errorf("clean up import: %w", err)
			}
		}
		return errors.Join(mistakes...)
	}
}

// Sync asks Intune to exchange its list with the deployment service. Where one
// runs already, or was just run, it waits until the next is allowed: what was
// imported since would have to wait for the service's own.
func (a *Administrator) Sync(ctx context.Context) error {
	for {
		err := a.Graph(ctx, http.MethodPost, settingsURL+"/sync", nil, nil)
		var refused *GraphError
		if !errors.As(err, &refused) || refused.Status != http.StatusConflict {
			return err
		}
		if err := a.clock.Sleep(ctx, a.timing.Autopilot.ImportPoll, "administrator waits for a sync to end"); err != nil {
			return err
		}
	}
}

// AwaitAssigned waits until so many devices of the tenant's list have a profile,
// but not for ever: where none is assigned none will come. It reads the list,
// then watches the first device without a profile until that one has it, and
// reads the list again.
func (a *Administrator) AwaitAssigned(ctx context.Context, count int) error {
	begin := a.clock.Now()
	for {
		assigned, watched, err := a.countAssigned(ctx)
		if err != nil || assigned >= count {
			return err
		}
		for {
			if took := a.clock.Now().Sub(begin); took > a.timing.Autopilot.AssignmentPatience {
				if assigned, _, err = a.countAssigned(ctx); err != nil || assigned >= count {
					return err
				}
				return fmt.Errorf("%d of %d devices have no profile after %s", count-assigned, count, took)
			}
			if err := a.clock.Sleep(ctx, a.timing.Autopilot.ImportPoll, "administrator waits for "+strconv.Itoa(count-assigned)+" profiles"); err != nil {
				return err
			}
			if watched == "" {
				break // the list is too short
			}
			var d identity
			if err := a.Graph(ctx, http.MethodGet, identitiesURL+"/"+watched, nil, &d); err != nil || d.assigned() {
				break // or it is gone: the list will tell
			}
		}
	}
}

// countAssigned reads the list: how many devices have a profile, and the first
// that has none.
func (a *Administrator) countAssigned(ctx context.Context) (assigned int, without string, err error) {
	var known []identity
	if err := list(ctx, a, identitiesURL, &known); err != nil {
		return 0, "", fmt.Errorf("wait for profiles: %w", err)
	}
	for _, d := range known {
		if d.assigned() {
			assigned++
		} else if without == "" {
			without = d.ID
		}
	}
	return assigned, without, nil
}

// identity is what the administrator looks at of a device of the list.
type identity struct {
	ID     string `json:"id"`
	Status string `json:"deploymentProfileAssignmentStatus"`
}

func (d identity) assigned() bool { return strings.HasPrefix(d.Status, "assigned") }

// list reads a collection with all its pages.
func list[T any](ctx context.Context, a *Administrator, address string, into *[]T) error {
	*into = nil
	for address != "" {
		var page graph.Collection[T]
		if err := a.Graph(ctx, http.MethodGet, address, nil, &page); err != nil {
			return err
		}
		*into = append(*into, page.Value...)
		address = page.NextLink
	}
	return nil
}

// Administrator gives an administrator with a desk of their own on the network.
func (w *World) Administrator() *Administrator {
	nic := w.Network.Attach(vnet.NICOptions{Device: "administrator", Roots: w.trusted})
	a := &Administrator{clock: w.Clock, timing: w.Timing, client: nic.Client(vnet.ClientOptions{UserAgent: "windtunnel administrator"}), tenantID: w.Tenant.ID, clientID: adminClientID, secret: adminSecret}
	if w.administers.ClientID != "" {
		a.clientID, a.secret = w.administers.ClientID, w.administers.Secret
	}
	return a
}

// AdministerAs has administrators that are made from now on use another
// application, which services that are not this world's own have given out.
func (w *World) AdministerAs(clientID, secret string) {
	w.administers = Application{ClientID: clientID, Secret: secret}
}

// The application that the administrator's scripts run as; every simulated
// tenant has it.
const (
	adminClientID = "5a1e6f04-0d4b-4b3e-8f0e-3c1a77a1d001"
	adminSecret   = "windtunnel"
)
