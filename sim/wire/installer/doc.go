// Package installer is the inside of a simulated installer: what running it
// does to a PC. Real packages weigh megabytes and hold programs; ours hold
// this description, as JSON, and their weight is modelled separately.
//
// The format is our own. It is used for MSI packages that the MDM client
// installs and, inside the encrypted archive, for Win32 apps.
package installer
