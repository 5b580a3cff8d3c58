package mssim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// signal is the word that a request begins with (TpmTcpProtocol.h).
type signal uint32

const (
	signalPowerOn       signal = 1
	signalPowerOff      signal = 2
	signalPresenceOn    signal = 3
	signalPresenceOff   signal = 4
	signalCommand       signal = 8 // locality, size, command
	signalCancelOn      signal = 9
	signalCancelOff     signal = 10
	signalNVOn          signal = 11
	signalNVOff         signal = 12
	signalKeyCacheOn    signal = 13
	signalKeyCacheOff   signal = 14
	signalHandshake     signal = 15 // version of the client
	signalReset         signal = 17
	signalRestart       signal = 18
	signalSessionEnd    signal = 20
	signalStop          signal = 21
	signalResponseSizes signal = 25
)

// maxCommand is the reference code's buffer size (TpmProfile.h).
const maxCommand = 4096

// serverVersion is the answer to a handshake, and endpoint says what is behind
// this socket: a TPM with a platform port, whose clients see the TPM itself and
// no operating system's service (TpmEndPointInfo).
const (
	serverVersion uint32 = 1
	endpoint      uint32 = 1 | 4
)

// errSignal is returned for a request that this server does not know.
var errSignal = errors.New("unknown request")

// request is one request of either port.
type request struct {
	signal   signal
	locality byte   // of a command
	command  []byte // of a command
	version  uint32 // of a handshake
}

// readRequest reads a request whole. io.EOF is the end between two requests.
func readRequest(r io.Reader) (request, error) {
	var word [4]byte
	if _, err := io.ReadFull(r, word[:]); err != nil {
		return request{}, err
	}
	q := request{signal: signal(binary.BigEndian.Uint32(word[:]))}
	switch q.signal {
	case signalCommand:
		return readCommand(r, q)
	case signalHandshake:
		if _, err := io.ReadFull(r, word[:]); err != nil {
			return q, cut(err)
		}
		q.version = binary.BigEndian.Uint32(word[:])
		return q, nil
	case signalPowerOn, signalPowerOff, signalPresenceOn, signalPresenceOff, signalCancelOn, signalCancelOff, signalNVOn,
		signalNVOff, signalKeyCacheOn, signalKeyCacheOff, signalReset, signalRestart, signalSessionEnd, signalStop,
		signalResponseSizes:
		return q, nil
	}
	return q, fmt.Errorf("%w %d", errSignal, q.signal)
}

func readCommand(r io.Reader, q request) (request, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return q, cut(err)
	}
	q.locality = head[0]
	size := binary.BigEndian.Uint32(head[1:])
	if size > maxCommand {
		return q, fmt.Errorf("command of %d bytes, at most %d", size, maxCommand)
	}
	q.command = make([]byte, size)
	if _, err := io.ReadFull(r, q.command); err != nil {
		return q, cut(err)
	}
	return q, nil
}

// cut is the end of the stream inside a request.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// append writes the request as a client sends it.
func (q request) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(q.signal))
	switch q.signal {
	case signalCommand:
		b = append(b, q.locality)
		b = sized(b, q.command)
	case signalHandshake:
		b = binary.BigEndian.AppendUint32(b, q.version)
	}
	return b
}

// sized appends a length and so many bytes.
func sized(b, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
}

// done and refused end an answer.
func done(b []byte) []byte    { return append(b, 0, 0, 0, 0) }
func refused(b []byte) []byte { return append(b, 0, 0, 0, 1) }
