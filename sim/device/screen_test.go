package device_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
)

var page = device.Screen{ID: "page", Title: "Page", Inputs: []string{"Name"}, Buttons: []string{"Next", "Back"}}

func TestPressReachesTheProgram(t *testing.T) {
	r := newRig(t)
	var got device.Input
	pc := r.pc("PC-1", func(w *device.Windows) error {
		var err error
		got, err = w.Ask(page)
		r.ok(err)
		return device.ErrShutdown
	})
	r.actor("hand", func(ctx context.Context) {
		r.Expect(pc.Press(ctx, "Next", nil)).To(gomega.MatchError(device.ErrOff))
		r.Expect(pc.Strike(ctx, "Windows", 5)).To(gomega.MatchError(device.ErrOff))
		r.ok(pc.PowerOn(ctx))
		_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "page" })
		r.ok(err)
		r.Expect(pc.Press(ctx, "Reset", nil)).To(gomega.MatchError(device.ErrNoSuchButton))
		r.ok(pc.Strike(ctx, "Windows", 5)) // this screen has no keys
		r.ok(pc.Press(ctx, "Next", map[string]string{"Name": "Ada"}))
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
	r.Expect(got.Button).To(gomega.Equal("Next"))
	r.Expect(got.Values).To(gomega.Equal(map[string]string{"Name": "Ada"}))
	r.Expect(r.kinds("PC-1", "person.")).To(gomega.Equal([]string{"person.struck", "person.pressed"}))
}

func TestKeysOfAScreen(t *testing.T) {
	r := newRig(t)
	s := page
	s.Keys = []string{"Windows"}
	var got device.Input
	pc := r.pc("PC-1", func(w *device.Windows) error {
		var err error
		got, err = w.Ask(s)
		r.ok(err)
		return device.ErrShutdown
	})
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "firmware" })
		r.ok(err)
		r.ok(pc.Strike(ctx, "Windows", 5)) // nothing listens at the firmware's screen
		_, err = pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "page" })
		r.ok(err)
		r.ok(pc.Strike(ctx, "Escape", 1))
		r.ok(pc.Strike(ctx, "Windows", 3))
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
	r.Expect(got.Key).To(gomega.Equal("Windows"))
	r.Expect(got.Times).To(gomega.Equal(3))
}

func TestInputsOfAnEarlierScreenAreDropped(t *testing.T) {
	r := newRig(t)
	second := device.Screen{ID: "second", Buttons: []string{"Next", "Done"}}
	var got []string
	pc := r.pc("PC-1", func(w *device.Windows) error {
		for _, s := range []device.Screen{page, second} {
			in, err := w.Ask(s)
			r.ok(err)
			got = append(got, in.Button)
			r.ok(w.Sleep(time.Second, "load"))
		}
		return device.ErrShutdown
	})
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "page" })
		r.ok(err)
		for range 100 { // an impatient person, whose keyboard has an end
			r.ok(pc.Press(ctx, "Next", nil))
		}
		_, err = pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "second" })
		r.ok(err)
		r.ok(pc.Press(ctx, "Done", nil))
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
	r.Expect(got).To(gomega.Equal([]string{"Next", "Done"}))
}

func TestPatience(t *testing.T) {
	r := newRig(t)
	bored := errors.New("out of patience")
	pc := r.pc("PC-1", func(w *device.Windows) error {
		w.Show(page)
		return w.Sleep(time.Hour, "working")
	})
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		began := r.clock.Now()
		wait, cancel := r.clock.WithTimeout(ctx, 10*time.Minute, bored)
		defer cancel()
		s, err := pc.AwaitScreen(wait, func(s device.Screen) bool { return s.ID == "never" })
		r.Expect(err).To(gomega.MatchError(bored))
		r.Expect(s.ID).To(gomega.Equal("page"), "the last look is given back")
		r.Expect(r.clock.Now().Sub(began)).To(gomega.Equal(10 * time.Minute))
		pc.CutPower()
	})
	r.drive()
}

func TestScreenText(t *testing.T) {
	g := gomega.NewWithT(t)
	s := device.Screen{
		ID: "esp", Title: "Setting up", Lines: []device.Line{{Label: "Tenant", Value: "contoso.com"}},
		Rows: []device.Row{{Name: "Apps", Status: "1 of 2"}}, Inputs: []string{"Email"}, Buttons: []string{"A", "B"},
	}
	g.Expect(s.Line("Tenant")).To(gomega.Equal("contoso.com"))
	g.Expect(s.Line("tenant")).To(gomega.BeEmpty())
	g.Expect(s.String()).To(gomega.And(gomega.HavePrefix("┌ Setting up  [esp]\n"), gomega.ContainSubstring("1 of 2"), gomega.HaveSuffix("└ A  |  B\n")))
}
