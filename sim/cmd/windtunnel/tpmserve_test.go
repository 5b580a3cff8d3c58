package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/onsi/gomega"
)

// TestTPMServe talks to the verb as a tool does, and finds what it left in the
// chip when the chip is served again.
func TestTPMServe(t *testing.T) {
	g := gomega.NewWithT(t)
	dir := t.TempDir()
	serve := func(visit func(port int)) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out, in := io.Pipe()
		sh := &shell{ctx: ctx, verb: tpmServeVerb, out: in, err: io.Discard, json: true, args: []string{
			"--model", "infineon-slb9670", "-n", "3", "--port", "0", "--tpm-cache", dir, "--state", filepath.Join(dir, "chip")}}
		ended := make(chan error, 1)
		go func() {
			exit, err := runTPMServe(sh)
			if exit != exitMet && err == nil {
				err = fmt.Errorf("exit code %d", exit)
			}
			in.CloseWithError(err)
			ended <- err
		}()
		var said struct {
			Chip, Model, TCTI, Warning string
			Port, PlatformPort         int
		}
		g.Expect(json.NewDecoder(out).Decode(&said)).To(gomega.Succeed())
		g.Expect(said.Chip).To(gomega.Equal("infineon-slb9670/3"))
		g.Expect(said.TCTI).To(gomega.Equal(fmt.Sprintf("mssim:host=127.0.0.1,port=%d", said.Port)))
		g.Expect(said.PlatformPort).To(gomega.Equal(said.Port + 1))
		g.Expect(said.Warning).To(gomega.Equal(notSecret))
		visit(said.Port)
		cancel()
		_, _ = io.Copy(io.Discard, out)
		g.Expect(<-ended).To(gomega.Succeed())
	}
	// TPM2_NV_DefineSpace of 0x01800001, 8 bytes, by the owner, and a look at it.
	define := unhex(t, "80020000002d"+"0000012a"+"40000001"+"00000009"+"40000009"+"0000"+"00"+"0000"+"0000"+"000e"+"01800001"+"000b"+"00020002"+"0000"+"0008")
	look := unhex(t, "80010000000e"+"00000169"+"01800001")
	const ok, undefined = 0, 0x18B
	serve(func(port int) {
		g.Expect(ask(t, port, look)).To(gomega.BeEquivalentTo(undefined))
		g.Expect(ask(t, port, define)).To(gomega.BeEquivalentTo(ok))
		g.Expect(ask(t, port, look)).To(gomega.BeEquivalentTo(ok))
	})
	serve(func(port int) { g.Expect(ask(t, port, look)).To(gomega.BeEquivalentTo(ok), "it was not kept") })
}

// ask sends one command over a connection of its own and returns the response
// code.
func ask(t *testing.T, port int, command []byte) uint32 {
	t.Helper()
	c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const sendCommand = 8
	b := append(binary.BigEndian.AppendUint32(nil, sendCommand), 0)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(command))), command...)
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 4+10)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	return binary.BigEndian.Uint32(head[10:])
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A port that somebody has is told, with the way out.
func TestTPMServePortTaken(t *testing.T) {
	g := gomega.NewWithT(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	defer l.Close()
	var messages bytes.Buffer
	sh := &shell{ctx: t.Context(), verb: tpmServeVerb, out: io.Discard, err: &messages, args: []string{
		"--model", "infineon-slb9670", "--port", fmt.Sprint(l.Addr().(*net.TCPAddr).Port), "--tpm-cache", t.TempDir()}}
	_, err = runTPMServe(sh)
	g.Expect(sh.fail(err)).To(gomega.Equal(exitInput))
	g.Expect(messages.String()).To(gomega.ContainSubstring("--port 0 picks a free pair"))
}
