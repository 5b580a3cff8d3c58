package vtpm_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"os"
	"time"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// A PC has its TPM make a key and sign with it.
func Example() {
	cache, err := os.MkdirTemp("", "tpm")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(cache)
	lab, err := vtpm.Open(vtpm.Options{CacheDir: cache})
	if err != nil {
		panic(err)
	}
	defer lab.Close()

	clock := vclock.NewVirtual(vclock.Options{Seed: 1})
	defer clock.Stop()
	chip, err := lab.Deal(clock, vtpm.ChipID{Model: "infineon-slb9670", N: 1}, 1)
	if err != nil {
		panic(err)
	}
	clock.Go(context.Background(), "pc", func(ctx context.Context) {
		defer chip.PowerOff()
		if err := chip.PowerOn(ctx); err != nil {
			panic(err)
		}
		begin := clock.Now()
		key, err := chip.NewKey(ctx, "device key")
		if err != nil {
			panic(err)
		}
		fmt.Println("made in", clock.Now().Sub(begin))
		digest := sha256.Sum256([]byte("certificate request"))
		signature, err := key.In(ctx).Sign(nil, digest[:], crypto.SHA256)
		if err != nil {
			panic(err)
		}
		public := key.Public().(*rsa.PublicKey)
		fmt.Println("verifies:", rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil)
	})
	if err := clock.Run(context.Background(), time.Time{}); err != nil {
		panic(err)
	}
	// Output:
	// made in 5.5s
	// verifies: true
}
