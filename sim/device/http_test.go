package device_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/internet"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
)

// A server that asks for patience gets it, in both forms of the header and
// without one; the last answer is given back when the attempts are used up.
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		header func(now time.Time) string
		busy   int // answers before the good one
		waited time.Duration
		want   int
	}{
		{"seconds", 429, func(time.Time) string { return "90" }, 2, 180 * time.Second, 200},
		{"date", 503, func(now time.Time) string { return now.Add(2 * time.Minute).Format(http.TimeFormat) }, 1, 2 * time.Minute, 200},
		{"date gone by", 503, func(now time.Time) string { return now.Add(-time.Hour).Format(http.TimeFormat) }, 1, 0, 200},
		{"without", 503, func(time.Time) string { return "" }, 1, 30 * time.Second, 200},
		{"nonsense", 429, func(time.Time) string { return "-5" }, 1, 30 * time.Second, 200},
		{"too large", 429, func(time.Time) string { return "99999999999" }, 1, 30 * time.Second, 200},
		{"as often as it takes", 429, func(time.Time) string { return "10" }, 20, 200 * time.Second, 200},
		{"given up", 429, func(time.Time) string { return "" }, 100, 150 * time.Second, 429},
		{"another status", 500, func(time.Time) string { return "10" }, 1, 0, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			asked := 0
			r.serve("busy.example", func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked <= c.busy {
					w.Header().Set("Retry-After", c.header(r.clock.Now()))
					w.WriteHeader(c.status)
				}
			})
			r.once(func(w *device.Windows) error {
				began := w.Clock.Now()
				resp, err := w.Do(device.Request{Op: "ask", Method: http.MethodPost, URL: "https://busy.example/", Body: []byte("x")})
				r.ok(err)
				r.Expect(resp.Status).To(gomega.Equal(c.want))
				r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically("~", c.waited, 1100*time.Millisecond))
				return device.ErrShutdown
			})
			if c.want == 429 {
				r.Expect(asked).To(gomega.Equal(1 + r.timing.Network.RetryAttempts))
			}
		})
	}
}

func TestTransportCodes(t *testing.T) {
	r := newRig(t,
		fault.Rule{Name: "refuse", When: fault.When{Host: "refuse.example"}, Do: fault.Action{Refuse: true}},
		fault.Rule{Name: "drop", When: fault.When{Host: "drop.example"}, Do: fault.Action{Drop: true}},
	)
	for _, h := range []string{"refuse.example", "drop.example"} {
		r.serve(h, func(http.ResponseWriter, *http.Request) {})
	}
	r.serve("long.example", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 5<<20)) })
	r.serve("never.example", func(_ http.ResponseWriter, q *http.Request) { _ = r.clock.Sleep(q.Context(), 1000*time.Hour, "never") })
	r.serve("echo.example", func(w http.ResponseWriter, q *http.Request) {
		fmt.Fprint(w, q.Header.Get("X-One"), q.Header.Get("User-Agent"))
	})
	r.once(func(w *device.Windows) error {
		for url, want := range map[string]hresult.Code{
			"https://refuse.example/":  hresult.InternetCannotConnect,
			"https://drop.example/":    hresult.InternetAborted,
			"https://unknown.example/": hresult.InternetNameUnknown,
			"https://never.example/":   hresult.InternetTimeout,
			"https://long.example/":    hresult.InvalidData,
			"https://bad host/%zz":     hresult.InternetInvalidURL,
			"gopher://echo.example/":   hresult.InternetAborted,
		} {
			_, err := w.Do(device.Request{Op: "ask", Method: http.MethodGet, URL: url})
			var e *hresult.Error
			r.Expect(errors.As(err, &e)).To(gomega.BeTrue(), url)
			r.Expect(e.Code).To(gomega.Equal(want), url)
			r.Expect(e.Op).To(gomega.Equal("ask"))
		}
		w.SetFirmwareTime(w.Clock.Now().AddDate(30, 0, 0))
		_, err := w.Do(device.Request{Op: "ask", Method: http.MethodGet, URL: "https://echo.example/"})
		r.Expect(codeOf(err)).To(gomega.Equal(hresult.InternetSecureFailure), "a wrong clock trusts nobody")
		w.SetFirmwareTime(w.Clock.Now())
		resp, err := w.Do(device.Request{Op: "ask", Method: http.MethodGet, URL: "https://echo.example/", Header: http.Header{"X-One": {"1"}}})
		r.ok(err)
		r.Expect(string(resp.Body)).To(gomega.Equal("1Windows-AutoPilot-Client"))
		return device.ErrShutdown
	})
}

func codeOf(err error) hresult.Code {
	code, _ := hresult.CodeOf(err)
	return code
}

func TestDownload(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []fault.Rule
		code  hresult.Code
		tries int
	}{
		{"whole", nil, 0, 1},
		{"broken off twice", []fault.Rule{{Name: "cut", When: fault.When{Operation: "transfer", Nth: 1}, Do: fault.Action{Truncate: true}},
			{Name: "cut again", When: fault.When{Operation: "transfer", Nth: 2}, Do: fault.Action{Drop: true}}}, 0, 3},
		{"always", []fault.Rule{{Name: "cut", When: fault.When{Operation: "transfer"}, Do: fault.Action{Drop: true}}}, hresult.InternetAborted, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.rules...)
			var content internet.Content
			content.Publish("/a.bin", []byte("body"), 10_000_000)
			r.net.Serve(hosts.ContentCDN, &content)
			r.once(func(w *device.Windows) error {
				began := w.Clock.Now()
				body, size, err := w.Download("download", "https://"+hosts.ContentCDN+"/a.bin")
				r.Expect(codeOf(err)).To(gomega.Equal(c.code))
				if c.code == 0 {
					r.ok(err)
					r.Expect(string(body)).To(gomega.Equal("body"))
					r.Expect(size).To(gomega.Equal(int64(10_000_000)))
					r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically("~", 10*time.Second+time.Duration(c.tries-1)*30*time.Second, time.Second), "what had arrived is not loaded again")
				}
				_, _, err = w.Download("download", "https://"+hosts.ContentCDN+"/b.bin")
				r.Expect(codeOf(err)).To(gomega.Equal(hresult.FromHTTPStatus(404)))
				return device.ErrShutdown
			})
			r.Expect(r.kinds("PC-1", "http.transfer")).To(gomega.HaveLen(c.tries))
		})
	}
}

func TestAskTime(t *testing.T) {
	r := newRig(t)
	r.ok(r.net.ServePacket(hosts.NTP, 123, internet.TimeServer(r.clock.Now)))
	r.ok(r.net.ServePacket("garbage.example", 123, func(context.Context, net.Addr, []byte) []byte { return []byte("no") }))
	o := r.options("PC-1", func(w *device.Windows) error {
		now, err := w.AskTime(w.Ctx, hosts.NTP)
		r.ok(err)
		w.SetFirmwareTime(now)
		r.Expect(w.Now().Sub(w.Clock.Now())).To(gomega.BeNumerically("~", 0, 20*time.Millisecond), "right but for the way back")
		_, err = w.AskTime(w.Ctx, "garbage.example")
		r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("not from a time server")))
		_, err = w.AskTime(w.Ctx, "nobody.example")
		r.Expect(err).To(gomega.HaveOccurred())
		return device.ErrShutdown
	})
	o.RTC = device.RTC{Offset: -3 * 365 * 24 * time.Hour}
	r.run(device.New(o))
}

// The client certificate's key is in the TPM, and it signs for whoever asks
// now, not for the step in which the client was made. In both homes.
func TestClientCertificateOutlivesTheStep(t *testing.T) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		t.Run(home.String(), func(t *testing.T) {
			r := newRigAt(t, home)
			ca, err := pki.NewRoot(start, seed, "MDM Device CA", pki.Options{})
			r.ok(err)
			r.net.Serve("mtls.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				fmt.Fprint(w, len(vnet.PeerCertificates(q)))
			}), vnet.ClientCert(vnet.RequireClientCert))
			o := r.options("PC-1", func(w *device.Windows) error {
				key, err := w.NewKey(w.Ctx, "mdm")
				r.ok(err)
				cert, err := ca.Issue(w.Now(), &x509.Certificate{NotBefore: start, NotAfter: start.AddDate(1, 0, 0)}, key.Public())
				r.ok(err)
				c := device.Certificate{Store: device.StoreMySystem, Name: "mdm", DER: cert.Raw, Container: "mdm"}
				ask := func(u *device.Windows) {
					client, err := u.HTTPWith(c)
					r.ok(err)
					resp, err := u.Do(device.Request{Op: "ask", Client: client, Method: http.MethodGet, URL: "https://mtls.example/"})
					r.ok(err)
					r.Expect(string(resp.Body)).To(gomega.Equal("1"))
				}
				ctx, cancel := w.Clock.WithTimeout(w.Ctx, time.Minute, errors.New("step over"))
				ask(w.Under(ctx))
				cancel()
				w.NIC.CloseIdle()
				ask(w)
				return device.ErrShutdown
			})
			o.Chip = r.chip(1)
			r.run(device.New(o))
		})
	}
}

func TestInstaller(t *testing.T) {
	r := newRig(t)
	msi := installer.Manifest{Product: "Contoso Agent", Version: "2.0", MSI: true, Duration: 2 * time.Minute, Files: []string{`C:\Contoso\agent.exe`}, Service: "agent"}
	served := false
	pc := r.once(func(w *device.Windows) error {
		w.Provide("agent", func(context.Context) { served = true })
		free := w.Disk.Free
		var second int
		w.Service("other", func(ctx context.Context) {
			_ = w.Clock.Sleep(ctx, time.Minute, "later")
			second, _ = w.Under(ctx).RunInstaller(installer.Manifest{Product: "Late", MSI: true, Duration: time.Second}, 1)
		})
		code, err := w.RunInstaller(msi, 1<<30)
		r.ok(err)
		r.Expect(code).To(gomega.Equal(device.ExitOK))
		r.Expect(second).To(gomega.Equal(device.ExitInstallRunning))
		r.Expect(w.Disk.Free).To(gomega.Equal(free - 1<<30))
		r.Expect(w.Registry().String(device.KeyUninstall+`\Contoso Agent`, "DisplayVersion")).To(gomega.Equal("2.0"))
		r.Expect(w.Disk.Files.List(`C:\Contoso`)).To(gomega.HaveLen(1))
		code, err = w.RunInstaller(installer.Manifest{Product: "Huge", Duration: time.Second}, w.Disk.Free)
		r.ok(err)
		r.Expect(code).To(gomega.Equal(device.ExitDiskFull))
		code, err = w.RunInstaller(installer.Manifest{Product: "Bad", Duration: time.Second, ExitCode: 1603}, 1)
		r.ok(err)
		r.Expect(code).To(gomega.Equal(1603))
		r.Expect(w.Registry().Has(device.KeyUninstall + `\Bad`)).To(gomega.BeFalse())
		return device.ErrShutdown
	})
	r.Expect(served).To(gomega.BeTrue())
	r.Expect(pc.Disk.Registry.Has(device.KeyUninstall + `\Late`)).To(gomega.BeFalse())
}

// The power goes while an installer runs: none of it is on the disk.
func TestInstallerWithoutPower(t *testing.T) {
	r := newRig(t)
	pc := r.pc("PC-1", func(w *device.Windows) error {
		_, err := w.RunInstaller(installer.Manifest{Product: "P", MSI: true, Duration: time.Hour}, 1000)
		return err
	})
	free := pc.Disk.Free
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		r.ok(r.clock.Sleep(ctx, 30*time.Minute, "wait"))
		pc.CutPower()
	})
	r.drive()
	r.Expect(pc.Disk.Registry.Has(device.KeyUninstall)).To(gomega.BeFalse())
	r.Expect(pc.Disk.Free).To(gomega.Equal(free))
}

// Keys are opened once a boot, and their blobs are all that the next one has.
func TestKeysOverBoots(t *testing.T) {
	r := newRig(t)
	o := r.options("PC-1", func(w *device.Windows) error {
		if w.Boot == 1 {
			_, err := w.Key(w.Ctx, "k")
			r.Expect(err).To(gomega.MatchError(device.ErrNoKey))
			made, err := w.NewKey(w.Ctx, "k")
			r.ok(err)
			same, err := w.Key(w.Ctx, "k")
			r.ok(err)
			r.Expect(same).To(gomega.BeIdenticalTo(made))
			return device.ErrReboot
		}
		key, err := w.Key(w.Ctx, "k")
		r.ok(err)
		r.Expect(key.Blob()).To(gomega.Equal(w.Disk.Keys.Get("k")))
		w.Disk.Keys.Put("k", bytes.Repeat([]byte{1}, 20))
		_, err = w.Key(w.Ctx, "k")
		r.Expect(err).To(gomega.HaveOccurred())
		return device.ErrShutdown
	})
	o.Chip = r.chip(2)
	r.run(device.New(o))
}

// A signal that came between the look and the wait is not lost.
func TestSignalsAreNotLost(t *testing.T) {
	r := newRig(t)
	r.once(func(w *device.Windows) error {
		s := w.Signal("esp")
		seen := s.Count()
		s.Broadcast()
		r.ok(s.After(w.Ctx, seen))
		w.Service("other", func(context.Context) { w.Signal("esp").Broadcast() })
		r.ok(s.Wait(w.Ctx))
		r.Expect(s.Count()).To(gomega.Equal(uint64(2)))
		return device.ErrShutdown
	})
}

// The same seed draws the same in every boot of that number, whatever was
// drawn in boots before.
func TestRandomOfABoot(t *testing.T) {
	draw := func(first int) (out []string) {
		r := newRig(t)
		r.once(func(w *device.Windows) error {
			if w.Boot == 1 {
				w.Random(first)
				for range first {
					w.Draw(w.Timing.Device.Boot)
				}
				return device.ErrReboot
			}
			out = []string{w.GUID(), w.Draw(w.Timing.Device.Boot).String()}
			return device.ErrShutdown
		})
		return out
	}
	g := gomega.NewWithT(t)
	g.Expect(draw(1)).To(gomega.Equal(draw(5)))
	g.Expect(draw(1)[0]).To(gomega.MatchRegexp(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`))
}

func TestWallTime(t *testing.T) {
	g := gomega.NewWithT(t)
	r := newRig(t)
	wall := vclock.NewWall()
	net := vnet.New(wall, vnet.Options{Home: vnet.Direct, Seed: seed})
	o := r.options("PC-1", func(w *device.Windows) error {
		for i := range 3 {
			w.Service(strconv.Itoa(i), func(ctx context.Context) { _ = w.Signal("never").Wait(ctx) })
		}
		s := page
		for i := range 20 {
			s.ID = "page " + strconv.Itoa(i)
			if _, err := w.Ask(s); err != nil {
				return err
			}
		}
		return device.ErrShutdown
	})
	o.Clock, o.Journal, o.NIC, o.Faults = wall, nil, net.Attach(vnet.NICOptions{Device: "PC-1"}), nil
	p := timingWith(r, "device.boot", "1ms..1ms")
	g.Expect(p.Override(map[string]any{"device.firmware": "1ms..1ms", "device.shutdown": "1ms..1ms"})).To(gomega.Succeed())
	o.Timing, o.Journal = p, r.log
	pc := device.New(o)
	ctx := context.Background()
	g.Expect(pc.PowerOn(ctx)).To(gomega.Succeed())
	for i := range 20 {
		_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "page "+strconv.Itoa(i) })
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(pc.Press(ctx, "Next", nil)).To(gomega.Succeed())
	}
	g.Expect(pc.AwaitOff(ctx)).To(gomega.Succeed())
}
