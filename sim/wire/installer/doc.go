// Package installer is the inside of a simulated installer or script: what
// running it does to a PC. Real packages weigh megabytes and hold programs;
// ours hold a description, as JSON, and their weight is modelled separately. Of
// a PowerShell script only comments of our own are read.
//
// The formats are our own. Manifests are used for MSI packages that the MDM
// client installs and, inside the encrypted archive, for Win32 apps; scripts
// for detection and requirement rules and for platform scripts.
package installer
