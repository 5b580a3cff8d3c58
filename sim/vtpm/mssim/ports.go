package mssim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/sim/vtpm"
)

// commands serves a connection of the command port.
func (s *Server) commands(ctx context.Context, c *conn) error {
	for {
		q, err := readRequest(c.in)
		if err != nil {
			return err
		}
		switch q.signal {
		case signalCommand:
			response, err := s.command(ctx, q)
			if err != nil {
				return err
			}
			if err := c.answer(done(sized(nil, response))); err != nil {
				return err
			}
		case signalHandshake:
			b := binary.BigEndian.AppendUint32(nil, serverVersion)
			if err := c.answer(done(binary.BigEndian.AppendUint32(b, endpoint))); err != nil {
				return err
			}
		case signalSessionEnd:
			return io.EOF
		case signalStop:
			return errStopped
		default:
			return fmt.Errorf("%w %d on the command port", errSignal, q.signal)
		}
	}
}

// command runs one command. A chip without power does not answer: the response
// is empty, as the reference simulator's.
func (s *Server) command(ctx context.Context, q request) ([]byte, error) {
	name := "a command without a code"
	if len(q.command) >= 10 {
		name = vtpm.CommandName(tpm2.TPMCC(binary.BigEndian.Uint32(q.command[6:])))
	}
	if q.locality != 0 {
		s.log("%s: refused at locality %d", name, q.locality)
		return elsewhere(), nil
	}
	ctx, end := s.cable.until(ctx)
	defer end()
	response, err := s.Chip.Exchange(ctx, q.command)
	switch {
	case errors.Is(err, vtpm.ErrPowerOff), err != nil && errors.Is(context.Cause(ctx), vtpm.ErrPowerOff):
		s.log("%s: no power", name)
		return nil, nil
	case err != nil:
		s.log("%s: %v", name, err)
		return nil, err
	}
	s.largest.note(q.command, response)
	s.log("%s: %v", name, outcome(response))
	return response, nil
}

// elsewhere is TPM_RC_LOCALITY and nothing else.
func elsewhere() []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(tpm2.TPMSTNoSessions))
	b = binary.BigEndian.AppendUint32(b, 10)
	return binary.BigEndian.AppendUint32(b, uint32(tpm2.TPMRCLocality))
}

func outcome(response []byte) any {
	if rc := vtpm.ResponseCode(response); rc != tpm2.TPMRCSuccess {
		return rc
	}
	return "ok"
}

// platform serves a connection of the platform port.
func (s *Server) platform(ctx context.Context, c *conn) error {
	for {
		q, err := readRequest(c.in)
		if errors.Is(err, errSignal) {
			return errors.Join(err, c.answer(refused(nil)))
		}
		if err != nil {
			return err
		}
		var data []byte
		switch q.signal {
		case signalPowerOn:
			err = s.powerOn(ctx)
		case signalPowerOff:
			s.powerOff()
		case signalReset, signalRestart:
			s.powerOff()
			err = s.powerOn(ctx)
		case signalResponseSizes:
			data = sized(nil, s.largest.take())
		case signalSessionEnd:
			return io.EOF
		case signalStop:
			return errStopped
		case signalCommand, signalHandshake:
			err = fmt.Errorf("%w %d on the platform port", errSignal, q.signal)
		}
		if err != nil {
			return errors.Join(err, c.answer(refused(nil)))
		}
		if err := c.answer(done(data)); err != nil {
			return err
		}
	}
}

// powerOff is a power cut: it ends a command that hangs, too.
func (s *Server) powerOff() {
	s.Chip.PowerOff()
	s.cable.cut()
	s.log("power off")
}

// powerOn leaves a chip with power alone. Of two clients that find it without,
// one comes too late, which is as good.
func (s *Server) powerOn(ctx context.Context) error {
	if s.Chip.On() {
		return nil
	}
	if err := s.Chip.PowerOn(ctx); err != nil && !s.Chip.On() {
		return err
	}
	s.log("power on")
	return nil
}
