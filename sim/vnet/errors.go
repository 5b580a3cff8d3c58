package vnet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"windtunnel.test/sim/hresult"
)

// addrText is a net.Addr that is only text.
type addrText struct{ network, text string }

func (a addrText) Network() string { return a.network }
func (a addrText) String() string  { return a.text }

func opError(op, network, address string, err error) *net.OpError {
	e := &net.OpError{Op: op, Net: network, Err: err}
	if address != "" {
		e.Addr = addrText{network, address}
	}
	return e
}

func noSuchName(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// noNameServer is a name that cannot be asked for, because the card has no link. Windows reports it like an unknown one.
func noNameServer(name string) error {
	return &net.DNSError{Err: "network is unreachable", Name: name, IsTemporary: true}
}

func refused(address string) error {
	return opError("dial", "tcp", address, os.NewSyscallError("connect", syscall.ECONNREFUSED))
}

func connectionTimedOut(op, address string) error {
	return opError(op, "tcp", address, os.NewSyscallError("connect", syscall.ETIMEDOUT))
}

func unreachable(network, address string) error {
	return opError("dial", network, address, os.NewSyscallError("connect", syscall.ENETUNREACH))
}

func reset(op string, c *conn) error {
	return opError(op, "tcp", c.remote, os.NewSyscallError(op, syscall.ECONNRESET))
}

// remoteError is the operation that package tls names in the error of a peer's alert.
const remoteError = "remote error"

func remoteAlert(a tls.AlertError) error { return &net.OpError{Op: remoteError, Err: a} }

// errLinkLost is what transfers and streams end with when the link goes down under them.
var errLinkLost error = opError("read", "tcp", "", os.NewSyscallError("read", syscall.ECONNRESET))

// timeoutError is the end of a client's patience, worded like net/http's.
type timeoutError struct{}

func (timeoutError) Error() string {
	return "request canceled (Client.Timeout exceeded while awaiting headers)"
}
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

var errClientTimeout error = timeoutError{}

// ErrorCode is what Windows' HTTP stack reports for a failed exchange: the one place where Go's network errors become
// HRESULTs (learn.microsoft.com/windows/win32/winhttp/error-messages and .../wininet/wininet-errors, as facility 7). An
// error of another kind gives 0.
func ErrorCode(err error) hresult.Code {
	if err == nil {
		return hresult.OK
	}
	var (
		dns  *net.DNSError
		op   *net.OpError
		wait interface{ Timeout() bool }
	)
	switch {
	case isTLS(err):
		return hresult.InternetSecureFailure
	case errors.As(err, &dns):
		return hresult.InternetNameUnknown
	case errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return hresult.InternetTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return hresult.InternetCannotConnect
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNABORTED), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return hresult.InternetAborted
	case errors.As(err, &wait) && wait.Timeout():
		return hresult.InternetTimeout
	case errors.As(err, &op) && op.Op == "dial":
		return hresult.InternetCannotConnect
	case errors.As(err, &op):
		return hresult.InternetAborted
	}
	return hresult.OK
}

// isTLS tells whether a handshake failed: a certificate that is not trusted, outside its dates or for another name, an
// alert of either side, or something that is no TLS at all.
func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		unknown      x509.UnknownAuthorityError
		invalid      x509.CertificateInvalidError
		hostname     x509.HostnameError
		record       tls.RecordHeaderError
		alert        tls.AlertError
		op           *net.OpError
	)
	return errors.As(err, &verification) || errors.As(err, &unknown) || errors.As(err, &invalid) ||
		errors.As(err, &hostname) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &op) && (op.Op == remoteError || op.Op == "local error")
}
