package mssim

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vtpm"
)

// getRandom is TPM2_GetRandom of 8 bytes; startup is TPM2_Startup(CLEAR).
var (
	getRandom = unhex("8001" + "0000000c" + "0000017b" + "0008")
	startup   = unhex("8001" + "0000000c" + "00000144" + "0000")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestClientsOneAfterTheOther(t *testing.T) {
	r := serveReal(t)
	seen := map[string]bool{}
	for range 3 {
		command, platform := r.dial(r.command), r.dial(r.platform)
		for _, s := range []signal{signalPowerOn, signalNVOn} { // as tpm2-tss begins
			r.Expect(platform.signal(s)).To(BeZero())
		}
		response, err := command.run(0, getRandom)
		r.ok(err)
		r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
		r.Expect(response).To(HaveLen(20))
		seen[string(response)] = true
		for _, c := range []*client{command, platform} {
			r.ok(c.send(request{signal: signalSessionEnd}))
			_, err = c.word()
			r.Expect(err).To(MatchError(io.EOF))
		}
	}
	r.Expect(seen).To(HaveLen(3), "power on left a chip with power alone")
}

func TestClientsSideBySide(t *testing.T) {
	r := serveReal(t)
	const clients, each = 8, 25
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range clients {
		c := r.dial(r.command)
		all.Go(func() {
			for range each {
				response, err := c.run(0, getRandom)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[string(response)] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	r.Expect(seen).To(HaveLen(clients * each))
}

func TestPower(t *testing.T) {
	r := serveReal(t)
	command, platform := r.dial(r.command), r.dial(r.platform)
	response, err := command.run(0, startup)
	r.ok(err)
	r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCInitialize), "firmware has started it")

	r.Expect(platform.signal(signalPowerOff)).To(BeZero())
	r.Expect(platform.signal(signalPowerOff)).To(BeZero())
	r.Expect(r.chip.On()).To(BeFalse())
	response, err = command.run(0, getRandom)
	r.ok(err)
	r.Expect(response).To(BeEmpty(), "a chip without power says nothing")

	r.Expect(platform.signal(signalPowerOn)).To(BeZero())
	response, err = command.run(0, getRandom)
	r.ok(err)
	r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
	r.Expect(platform.signal(signalReset)).To(BeZero())
	r.Expect(r.chip.On()).To(BeTrue())
	for _, s := range []signal{
		signalPresenceOn, signalPresenceOff, signalCancelOn, signalCancelOff, signalNVOff, signalKeyCacheOn, signalKeyCacheOff,
	} {
		r.Expect(platform.signal(s)).To(BeZero())
	}
	again, err := command.run(0, getRandom)
	r.ok(err)
	r.Expect(again).NotTo(Equal(response))
}

// A firmware that hangs in a command is one that new power helps.
func TestPowerCutEndsACommandThatHangs(t *testing.T) {
	r := serveModel(t, "infineon-slb9672-fw15.22")
	command, platform := r.dial(r.command), r.dial(r.platform)
	r.ok(command.send(request{signal: signalCommand, command: unhex("8001" + "0000000a" + "00000147")})) // TPM2_ActivateCredential
	r.Expect(platform.signal(signalPowerOff)).To(BeZero())
	r.Expect(command.word()).To(BeZero(), "no response")
	r.Expect(command.word()).To(BeZero())
	r.Expect(platform.signal(signalPowerOn)).To(BeZero())
	response, err := command.run(0, getRandom)
	r.ok(err)
	r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
}

func TestHandshakeAndSizes(t *testing.T) {
	r := serveReal(t)
	command, platform := r.dial(r.command), r.dial(r.platform)
	r.ok(command.send(request{signal: signalHandshake, version: 1}))
	for _, want := range []uint32{1, 5, 0} {
		r.Expect(command.word()).To(Equal(want))
	}
	_, err := command.run(0, getRandom)
	r.ok(err)
	sizes := func() []byte {
		r.ok(platform.send(request{signal: signalResponseSizes}))
		r.Expect(platform.word()).To(BeEquivalentTo(16))
		b := make([]byte, 16)
		_, err := io.ReadFull(platform.in, b)
		r.ok(err)
		r.Expect(platform.word()).To(BeZero())
		return b
	}
	r.Expect(sizes()).To(Equal(unhex("0c0000007b010000140000007b010000")))
	r.Expect(sizes()).To(Equal(make([]byte, 16)))
}

func TestOtherLocalities(t *testing.T) {
	r := serveReal(t)
	c := r.dial(r.command)
	response, err := c.run(4, getRandom)
	r.ok(err)
	r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCLocality))
	response, err = c.run(0, getRandom)
	r.ok(err)
	r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
}

// Whatever comes, the connection ends at worst, and the chip serves the next.
func TestBadInput(t *testing.T) {
	r := serveReal(t)
	word := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	for name, input := range map[string][]byte{
		"unknown":        word(99),
		"text":           []byte("GET / HTTP/1.1\r\n\r\n"),
		"hash start":     word(5),
		"power on":       word(1), // of the other port
		"large":          append(append(word(8), 0), word(maxCommand+1)...),
		"largest number": append(append(word(8), 0), word(1<<32-1)...),
	} {
		c := r.dial(r.command)
		_, err := c.Write(input)
		r.ok(err)
		_, err = io.ReadAll(c)
		r.Expect(err).To(Or(BeNil(), HaveOccurred()), name) // the end, or a reset where input was left unread
	}
	for name, input := range map[string][]byte{"unknown": word(99), "failure mode": word(30), "command": append(append(word(8), 0), word(0)...)} {
		c := r.dial(r.platform)
		_, err := c.Write(input)
		r.ok(err)
		r.Expect(c.word()).To(BeEquivalentTo(1), name)
		_, err = c.word()
		r.Expect(err).To(HaveOccurred(), name)
	}
	c := r.dial(r.command) // cut inside a command
	_, err := c.Write(append(append(word(8), 0), word(12)...))
	r.ok(err)
	r.ok(c.Close())

	c = r.dial(r.command)
	for name, command := range map[string][]byte{"empty": nil, "short": getRandom[:9], "wrong size": getRandom[:11]} {
		response, err := c.run(0, command)
		r.ok(err)
		r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCCommandSize), name)
	}
	response, err := c.run(0, getRandom)
	r.ok(err)
	r.Expect(vtpm.ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
}

func TestStopEndsTheServer(t *testing.T) {
	for _, port := range []string{"command", "platform"} {
		r := serveReal(t)
		bystander := r.dial(r.command)
		_, err := bystander.run(0, getRandom)
		r.ok(err)
		c := r.dial(map[string]net.Listener{"command": r.command, "platform": r.platform}[port])
		r.ok(c.send(request{signal: signalStop}))
		r.Expect(<-r.served).To(Succeed(), port)
		close(r.served)
		_, err = bystander.word()
		r.Expect(err).To(HaveOccurred())
	}
}

// broken is a chip whose machinery fails.
type broken struct{ on bool }

var errBroken = errors.New("no more memory")

func (b *broken) Exchange(context.Context, []byte) ([]byte, error) { return nil, errBroken }
func (b *broken) PowerOn(context.Context) error                    { return errBroken }
func (b *broken) PowerOff()                                        { b.on = false }
func (b *broken) On() bool                                         { return b.on }

func TestMachineryThatFails(t *testing.T) {
	r := serve(t, &broken{})
	_, err := r.dial(r.command).run(0, getRandom)
	r.Expect(err).To(HaveOccurred())
	r.Expect(r.dial(r.platform).signal(signalPowerOn)).To(BeEquivalentTo(1))
}

func TestLoopbackOnly(t *testing.T) {
	g := NewWithT(t)
	everywhere, err := net.Listen("tcp4", "0.0.0.0:0")
	g.Expect(err).NotTo(HaveOccurred())
	command, platform, err := Listen(0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(platform.Addr().(*net.TCPAddr).Port).To(Equal(command.Addr().(*net.TCPAddr).Port + 1))
	err = (&Server{Chip: &broken{}}).Serve(t.Context(), command, everywhere)
	g.Expect(err).To(MatchError(ContainSubstring("is not a loopback address")))

	taken, beside, err := Listen(0)
	g.Expect(err).NotTo(HaveOccurred())
	_, _, err = Listen(taken.Addr().(*net.TCPAddr).Port)
	g.Expect(err).To(MatchError(ContainSubstring("in use")))
	g.Expect(taken.Close()).To(Succeed())
	_, _, err = Listen(taken.Addr().(*net.TCPAddr).Port) // the platform's port is not free
	g.Expect(err).To(MatchError(ContainSubstring("in use")))
	g.Expect(beside.Close()).To(Succeed())
}

// FuzzReadRequest: what is read is what was there, and never much.
func FuzzReadRequest(f *testing.F) {
	for _, q := range []request{
		{signal: signalPowerOn}, {signal: signalHandshake, version: 1}, {signal: signalCommand, command: getRandom},
	} {
		f.Add(q.append(nil))
	}
	f.Add(unhex("0000000800ffffffff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.NewReader(b)
		for {
			before := in.Len()
			q, err := readRequest(in)
			if len(q.command) > maxCommand {
				t.Fatalf("a command of %d bytes", len(q.command))
			}
			if err != nil {
				return
			}
			read := b[len(b)-before : len(b)-in.Len()]
			if again := q.append(nil); !bytes.Equal(again, read) {
				t.Fatalf("read %x, which is %x", read, again)
			}
		}
	})
}
