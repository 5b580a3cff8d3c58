package vtpm

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
)

// whole is a frame with its size set, as Exchange takes it.
func whole(f *frame) []byte {
	binary.BigEndian.PutUint32(f.b[2:], uint32(len(f.b)))
	return f.b
}

func TestExchangeRunsOneCommandInItsTime(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal(infineon, 1)
	kept := journal.NewMemory(0)
	c.Fit(Board{Device: "pc", Journal: journal.New(w.clock, kept)})
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		before := w.clock.Now()
		response, err := c.Exchange(ctx, whole(newFrame(tpm2.TPMCCReadPublic, handles{ekHandle})))
		w.ok(err)
		w.Expect(ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
		w.Expect(w.clock.Now().Sub(before)).To(Equal(c.Model().Latency.Light.Value))

		before = w.clock.Now()
		response, err = c.Exchange(ctx, whole(newFrame(tpm2.TPMCCPCRExtend, handles{7}, empty).u32(0)))
		w.ok(err)
		w.Expect(ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
		w.Expect(w.clock.Now().Sub(before)).To(Equal(c.Model().Latency.Extend.Value))

		response, err = c.Exchange(ctx, whole(newFrame(tpm2.TPMCCReadPublic, handles{0x81FFFFFF})))
		w.ok(err)
		w.Expect(ResponseCode(response)).To(MatchError(tpm2.TPMRCHandle), "what the TPM refuses is a response")
		c.PowerOff()
		_, err = c.Exchange(ctx, whole(newFrame(tpm2.TPMCCReadPublic, handles{ekHandle})))
		w.Expect(err).To(MatchError(ErrPowerOff))
	})
	w.drive()
	var seen []string
	for _, e := range kept.Timeline("pc") {
		seen = append(seen, e.Text("operation")+" "+e.Text("result"))
	}
	w.Expect(seen).To(Equal([]string{
		"TPM2_Startup ok", "TPM2_ReadPublic ok", "TPM2_PCR_Extend ok", "TPM2_ReadPublic 0x18B", "TPM2_ReadPublic error",
	}))
}

func TestExchangeOfWhatIsNoCommand(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		good := whole(newFrame(tpm2.TPMCCReadPublic, handles{ekHandle}))
		for name, command := range map[string][]byte{
			"nothing": nil, "short": good[:9], "cut": good[:len(good)-1],
			"followed":  append(append([]byte(nil), good...), 0),
			"too large": whole(newFrame(tpm2.TPMCCGetRandom, nil).raw(make([]byte, maxCommand))),
		} {
			response, err := c.Exchange(ctx, command)
			w.ok(err)
			w.Expect(ResponseCode(response)).To(Equal(tpm2.TPMRCCommandSize), name)
			w.Expect(response).To(HaveLen(10), name)
		}
		for name, command := range map[string][]byte{
			"no such code": whole(newFrame(0x20000FFF, nil)),
			"no handle":    whole(newFrame(tpm2.TPMCCReadPublic, nil)),
			"wrong tag":    append([]byte{0xAB, 0xCD}, good[2:]...),
			"full":         whole(newFrame(tpm2.TPMCCGetRandom, nil).raw(make([]byte, maxCommand-10))),
		} {
			response, err := c.Exchange(ctx, command)
			w.ok(err)
			w.Expect(ResponseCode(response)).NotTo(Equal(tpm2.TPMRCSuccess), name)
		}
		w.Expect(ResponseCode(nil)).To(Equal(tpm2.TPMRCFailure))
		response, err := c.Exchange(ctx, good)
		w.ok(err)
		w.Expect(ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess), "the chip is as it was")
	})
}

func TestExchangeHearsFaultRules(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal(infineon, 1)
	c.Fit(Board{Device: "pc", Faults: fault.New(1, journal.New(w.clock), w.clock.Now(), []fault.Rule{{
		Name: "locked", When: fault.When{Layer: fault.TPM, Operation: "TPM2_ReadPublic"},
		Do: fault.Action{TPMResponse: uint32(tpm2.TPMRCLockout)},
	}})})
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		response, err := c.Exchange(ctx, whole(newFrame(tpm2.TPMCCReadPublic, handles{ekHandle})))
		w.ok(err)
		w.Expect(ResponseCode(response)).To(Equal(tpm2.TPMRCLockout))
	})
	w.drive()
}

// A key from before TPM2_Clear is not handed out after it, whoever sent it.
func TestExchangeOfClear(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		response, err := c.Exchange(ctx, whole(newFrame(tpm2.TPMCCClear, handles{tpm2.TPMRHPlatform}, empty)))
		w.ok(err)
		w.Expect(ResponseCode(response)).To(Equal(tpm2.TPMRCSuccess))
		w.ok(c.Provision(ctx))
		key, err := c.NewKey(ctx, "device")
		w.ok(err)
		_, err = c.LoadKey(ctx, key.Blob())
		w.ok(err)
	})
}

func TestCommandNames(t *testing.T) {
	g := NewWithT(t)
	for cc, want := range map[tpm2.TPMCC]string{
		tpm2.TPMCCNVUndefineSpaceSpecial: "NV_UndefineSpaceSpecial", tpm2.TPMCCClear: "Clear",
		tpm2.TPMCCNVDefineSpace: "NV_DefineSpace", tpm2.TPMCCPCRAllocate: "PCR_Allocate",
		tpm2.TPMCCCreatePrimary: "CreatePrimary", tpm2.TPMCCNVWrite: "NV_Write", tpm2.TPMCCPCRReset: "PCR_Reset",
		tpm2.TPMCCSelfTest: "SelfTest", tpm2.TPMCCStartup: "Startup", tpm2.TPMCCActivateCredential: "ActivateCredential",
		tpm2.TPMCCCertifyCreation: "CertifyCreation", tpm2.TPMCCNVRead: "NV_Read", tpm2.TPMCCPolicySecret: "PolicySecret",
		tpm2.TPMCCCreate: "Create", tpm2.TPMCCImport: "Import", tpm2.TPMCCQuote: "Quote", tpm2.TPMCCRSADecrypt: "RSA_Decrypt",
		tpm2.TPMCCUnseal: "Unseal", tpm2.TPMCCContextSave: "ContextSave", tpm2.TPMCCLoadExternal: "LoadExternal",
		tpm2.TPMCCPolicyOR: "PolicyOR", tpm2.TPMCCReadPublic: "ReadPublic", tpm2.TPMCCStartAuthSession: "StartAuthSession",
		tpm2.TPMCCGetCapability: "GetCapability", tpm2.TPMCCPCRRead: "PCR_Read", tpm2.TPMCCPCRExtend: "PCR_Extend",
		tpm2.TPMCCEventSequenceComplete: "EventSequenceComplete", tpm2.TPMCCCommit: "Commit", tpm2.TPMCCCreateLoaded: "CreateLoaded",
		0x123: "0x00000123", 0xFFFFFFFF: "0xFFFFFFFF",
	} {
		g.Expect(CommandName(cc)).To(Equal("TPM2_" + want))
	}
}

// FuzzExchange sends anything to a chip with power. Whatever it is, there is a
// response in good form, and the chip is there for the next command.
func FuzzExchange(f *testing.F) {
	for _, seed := range [][]byte{
		nil, whole(newFrame(tpm2.TPMCCGetRandom, nil).u16(8)), whole(newFrame(tpm2.TPMCCReadPublic, handles{ekHandle})),
		whole(newFrame(tpm2.TPMCCPCRExtend, handles{7}, empty).u32(1).u16(uint16(tpm2.TPMAlgSHA256)).raw(make([]byte, 32))),
		whole(newFrame(tpm2.TPMCCNVRead, handles{tpm2.TPMRHOwner, 0x01C00002}, empty).u16(16).u16(0)),
		whole(newFrame(tpm2.TPMCCSign, handles{aikHandle}, empty).sized(make([]byte, 32))),
	} {
		f.Add(seed)
	}
	chip, err := shared.Deal(vclock.NewWall(), ChipID{infineon, 1}, 1)
	if err != nil {
		f.Fatal(err)
	}
	if err := chip.PowerOn(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(chip.PowerOff)
	f.Fuzz(func(t *testing.T, command []byte) {
		response, err := chip.Exchange(t.Context(), command)
		if err != nil {
			t.Fatal(err)
		}
		if len(response) < commandHeader || int(binary.BigEndian.Uint32(response[2:])) != len(response) {
			t.Fatalf("response %x", response)
		}
		again, err := chip.Exchange(t.Context(), whole(newFrame(tpm2.TPMCCGetRandom, nil).u16(8)))
		if rc := ResponseCode(again); err != nil || rc == tpm2.TPMRCFailure {
			t.Fatalf("after that: %v, %v", rc, err)
		}
	})
}
