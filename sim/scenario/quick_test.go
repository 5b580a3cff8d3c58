package scenario

import (
	"testing"

	"windtunnel.test/scenarios/quickstart"
)

func TestX(t *testing.T) {
	s, l := Load(quickstart.Name, quickstart.YAML, Options{})
	if len(l) > 0 {
		t.Fatal(l)
	}
	b, err := Marshal(s, "x")
	t.Log(string(b), err, s.NotModelled)
	s2, l := Load("again", b, Options{})
	if len(l) > 0 {
		t.Fatal(l)
	}
	_ = s2
}
