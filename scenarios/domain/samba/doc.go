// Package samba runs a real domain controller, Samba's, beside a simulation: on
// a loopback of its own and at the simulation's time.
//
//	d, err := samba.Make(dir, "corp.contoso.com", "CORP", since) // provisioned once, some seconds
//	c, err := d.Start()                                          // as new each time
//	defer c.Close()
//	err = d.SetTime(now)
//
// Samba runs under libfaketime with a file that says how far real time is to be
// shifted; whoever writes the file moves the time of every process of Samba's
// at once, forwards by years if need be. Monotonic clocks stay true, so that
// nothing that waits wakes by it. samba.sh does the same for people.
//
// The test binary has to be in a network namespace of its own
// ([windtunnel.test/scenarios/domain/namespace]): the controller has the
// standard ports of [Address].
package samba
