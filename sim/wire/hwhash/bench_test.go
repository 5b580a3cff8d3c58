package hwhash_test

import (
	"testing"

	"windtunnel.test/sim/wire/hwhash"
)

func BenchmarkRoundTrip(b *testing.B) {
	h := sample()
	for b.Loop() {
		raw, err := hwhash.Encode(h)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := hwhash.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}
