// Package hybrid has PCs join an Active Directory domain: with a technician's
// help and without, against the built-in forest and against Samba's domain
// controller.
//
// Samba wants a network and root's rights of its own, so that the whole suite
// has them: it needs root or user namespaces, and Debian's samba, winbind,
// ldap-utils and libfaketime.
package hybrid_test

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/domain/namespace"
	"windtunnel.test/sim/spec"
)

func TestMain(m *testing.M) { namespace.Main(m) }

func TestHybrid(t *testing.T) { spec.Run(t, "hybrid join") }

// place is the suite's directory.
var place string

var _ = BeforeSuite(func() {
	var err error
	place, err = os.MkdirTemp("", "hybrid")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, place)
})
