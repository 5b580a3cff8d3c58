//go:build !linux

package target

import (
	"syscall"

	"windtunnel.test/sim/load/figure"
)

func dieWithParent(*syscall.SysProcAttr) {}

func onThread(f func() error) error { return f() }

func useOf(int) (figure.Process, bool) { return figure.Process{}, false }
