// Package serve puts the cloud of a scenario on real ports of this machine, for
// clients that are not ours: Microsoft's SDKs, an administrator's scripts, a
// tool under test.
//
// [New] makes a [Server] with the scenario's tenant, in wall time, and binds its
// listeners, all on loopback: one for TLS, which routes by the name that a
// client asks for; one for plain HTTP; a proxy, which a client is pointed at
// (HTTPS_PROXY) and which knows the modelled names and no others; and, where it
// is asked for, one for management. [Server.Ready] says where they are, whom to
// trust, and who can sign in. [Server.Run] serves until its context ends.
//
// The web certificates' authority is new in every process and its key is never
// written: a client trusts it for as long as the process lives. What TLS checks
// is real time; what the services go by is business time, which the management
// listener can move forward.
//
// With a state folder the tenant outlives the process: a change that a client
// was told of is there after a kill at any moment. Without one it is in memory.
//
// The management listener takes JSON and answers JSON: the journal, fault rules,
// the clock, reset, export and import. It has no accounts, since it is for
// whoever started the process, and refuses browsers (a foreign Host, an Origin).
//
// Everything here is for tests. Keys, tokens and passwords are as good as
// public, and nothing keeps anybody on this machine out.
package serve
