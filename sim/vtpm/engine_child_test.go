package vtpm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"
)

// crew is a lab whose engines all run already.
func crew(t testing.TB, engines int, limit time.Duration) *Lab {
	g := NewWithT(t)
	l, err := Open(Options{CacheDir: t.TempDir(), Engines: engines, EngineLimit: limit})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(l.Close()).To(Succeed()) })
	for range engines - 1 {
		l.engine.mu.Lock()
		l.engine.order()
		l.engine.mu.Unlock()
	}
	g.Eventually(l.EnginePIDs, time.Minute).Should(HaveLen(engines - 1))
	return l
}

func children(l *Lab) []worker {
	l.engine.mu.Lock()
	defer l.engine.mu.Unlock()
	return slices.Clone(l.engine.children)
}

// random is a command whose answer tells its entropy.
func random(t interface{ Send([]byte) ([]byte, error) }) ([]byte, error) {
	r, err := newFrame(tpm2.TPMCCGetRandom, nil).u16(20).send(t)
	if err != nil {
		return nil, err
	}
	return r.sized(), r.err
}

// withoutHome has f run while the engine of this process is taken: all that it
// asks for is done by children.
func withoutHome(t *testing.T, l *Lab, f func()) {
	e, err := l.engine.take(t.Context(), false)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(e).To(BeIdenticalTo(l.engine.home))
	f()
	l.engine.give(e, 0)
}

func TestStuckEngineIsReplacedAndItsCommandRunAgain(t *testing.T) {
	g := NewWithT(t)
	l := crew(t, 2, 1500*time.Millisecond)
	want, err := random(newTurns(t, crew(t, 1, 0), 1))
	g.Expect(err).NotTo(HaveOccurred())
	b := &bench{ctx: t.Context(), lab: l, slot: newTurns(t, l, 1).slot}
	b.entropy.key[0], b.entropy.n = 1, 2 // after manufacture and startup
	first := l.EnginePIDs()[0]
	g.Expect(syscall.Kill(first, syscall.SIGSTOP)).To(Succeed())
	withoutHome(t, l, func() {
		got, err := random(b)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got).To(Equal(want))
	})
	g.Expect(l.EnginePIDs()).To(HaveLen(1))
	g.Expect(l.EnginePIDs()).NotTo(ContainElement(first))
	g.Expect(l.Stats().EnginesLost).To(Equal(1))
	g.Expect(l.Stats().Engines).To(Equal(3))
	g.Expect(gone(first)).To(BeTrue(), "it is reaped")
}

func TestKilledEngineLeavesTheChipAsItWas(t *testing.T) {
	g := NewWithT(t)
	l := crew(t, 2, 0)
	chip := newTurns(t, l, 1)
	state, err := l.slots.at(chip.slot)
	g.Expect(err).NotTo(HaveOccurred())
	before := bytes.Clone(state)
	c := children(l)[0].(*child)
	g.Expect(syscall.Kill(c.pid(), syscall.SIGSTOP)).To(Succeed())
	done := make(chan error)
	go func() {
		_, _, err := c.run(&request{op: opReset, slot: chip.slot, state: state})
		done <- err
	}()
	g.Expect(syscall.Kill(c.pid(), syscall.SIGKILL)).To(Succeed())
	var lost *lostError
	g.Expect(errors.As(<-done, &lost)).To(BeTrue())
	g.Expect(lost.Error()).To(ContainSubstring("signal: killed"))
	g.Expect(state).To(Equal(before))
	g.Eventually(func() bool { return slices.Contains(l.EnginePIDs(), c.pid()) }).Should(BeFalse())
	g.Eventually(l.EnginePIDs, time.Minute).Should(HaveLen(1), "and somebody is there for it")
}

func TestCrashNamesItsReason(t *testing.T) {
	g := NewWithT(t)
	l := crew(t, 2, 0)
	c := children(l)[0].(*child)
	g.Expect(syscall.Kill(c.pid(), syscall.SIGABRT)).To(Succeed())
	<-c.over()
	_, _, err := c.run(&request{op: opReset})
	g.Expect(err).To(MatchError(And(ContainSubstring(strconv.Itoa(c.pid())), ContainSubstring("SIGABRT"))))
}

// What comes up as a child has to agree on what a chip's state is.
func TestChildOfAnotherBuildIsRefused(t *testing.T) {
	g := NewWithT(t)
	c := &child{}
	theirs, err := c.connect()
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(c.release()).To(Succeed()) }()
	_, err = theirs[2].Write([]byte{0})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.hello()).To(MatchError(ContainSubstring("another build")))
	for _, f := range theirs {
		g.Expect(f.Close()).To(Succeed())
	}
}

// Ctrl-C goes to the terminal's group of processes, and is the parent's.
func TestChildrenAreInAGroupOfTheirOwn(t *testing.T) {
	g := NewWithT(t)
	l := crew(t, 2, 0)
	group, err := syscall.Getpgid(l.EnginePIDs()[0])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(group).NotTo(Equal(syscall.Getpgrp()))
}

func TestChildEndsWhenItsParentHangsUp(t *testing.T) {
	l := crew(t, 2, 0)
	c := children(l)[0].(*child)
	NewWithT(t).Expect(c.do.Close()).To(Succeed())
	<-c.over()
}

// Somebody may have the variable in the shell, or inherit it, and mean nothing
// by it.
func TestVariableAloneMakesNoEngine(t *testing.T) {
	plain := exec.Command("/proc/self/exe", "-test.run=^$")
	plain.Env = append(os.Environ(), childVariable+"=1")
	out, err := plain.CombinedOutput()
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), string(out))
}

const parentVariable = "WINDTUNNEL_TEST_PARENT"

// A child that does not look at its pipe any more dies with its parent too.
func TestChildDiesWithItsParent(t *testing.T) {
	g := NewWithT(t)
	if os.Getenv(parentVariable) != "" {
		l := crew(t, 2, 0)
		pid := l.EnginePIDs()[0]
		g.Expect(syscall.Kill(pid, syscall.SIGSTOP)).To(Succeed())
		fmt.Println("child:", pid)
		g.Expect(syscall.Kill(os.Getpid(), syscall.SIGKILL)).To(Succeed())
		select {}
	}
	parent := exec.Command("/proc/self/exe", "-test.run=^TestChildDiesWithItsParent$")
	parent.Env = append(os.Environ(), parentVariable+"=1")
	out, err := parent.Output()
	g.Expect(err).To(MatchError("signal: killed"))
	_, text, found := strings.Cut(string(out), "child: ")
	g.Expect(found).To(BeTrue(), string(out))
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() bool { return gone(pid) }, time.Minute).Should(BeTrue())
}

// gone tells whether a process has ended, reaped by its parent or not.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := bytes.Cut(stat, []byte(") "))
	return bytes.HasPrefix(after, []byte("Z"))
}

func TestCloseLeavesNoProcess(t *testing.T) {
	g := NewWithT(t)
	l, err := Open(Options{CacheDir: t.TempDir(), Engines: 3})
	g.Expect(err).NotTo(HaveOccurred())
	l.engine.mu.Lock()
	l.engine.order()
	l.engine.order()
	l.engine.mu.Unlock()
	g.Eventually(l.EnginePIDs, time.Minute).ShouldNot(BeEmpty())
	pids := l.EnginePIDs()
	g.Expect(l.Close()).To(Succeed()) // while the second one starts, maybe
	for _, pid := range pids {
		g.Expect(syscall.Kill(pid, 0)).To(MatchError(syscall.ESRCH))
	}
	_, err = l.Exec(context.Background(), Slot{}, make([]byte, 10))
	g.Expect(err).To(HaveOccurred())
}
