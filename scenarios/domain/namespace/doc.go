// Package namespace gives a test binary a machine of its own: a network that
// has nothing but a loopback, so that a domain controller may have ports 53, 88
// and 389 and nobody outside hears of it; mounts, so that /etc/resolv.conf and
// /etc/hosts name that controller and no other; a host name; and process ids,
// so that whatever a spec starts ends with it.
//
//	func TestMain(m *testing.M) { namespace.Main(m) }
//
// The binary starts itself once more inside. That takes root, or a kernel that
// lets users make namespaces of their own; [Main] says what is missing where
// neither is so. Linux only (namespaces(7)).
package namespace
