package ntp

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 2_000_000_000).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC()
		got, err := Time(Answer(Question(), now))
		if d := now.Sub(got); err != nil || d < 0 || d > time.Nanosecond {
			t.Fatalf("%v, %v for %v", got, err, now)
		}
	})
}

func TestRefuses(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, bad := range [][]byte{nil, Question(), make([]byte, Size-1)} {
		_, err := Time(bad)
		g.Expect(err).To(gomega.MatchError(ErrPacket))
	}
	g.Expect(Answer(Answer(Question(), time.Now()), time.Now())).To(gomega.BeNil())
}

func FuzzTime(f *testing.F) {
	f.Add(Question())
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Time(b); _ = Answer(b, epoch) })
}
