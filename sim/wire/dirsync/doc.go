// Package dirsync is what Microsoft Entra Connect and Entra ID say to each other
// about the computers and users of an Active Directory.
//
// The real provisioning service speaks a private binary form of SOAP. Host and
// account are Microsoft's (learn.microsoft.com, "Hybrid identity required ports
// and protocols", "Microsoft Entra Connect: accounts and permissions"); paths
// and JSON are our model.
package dirsync
