// Package evtx writes records of the Windows event log: as XML text in the
// event schema ([WriteXML]) and as a log file that Event Viewer and the forensic
// tools open ([Encode]).
//
// A file is a header and chunks of 64 KiB, each with checksums, a table of the
// names that are used in it, and its records in binary XML ([MS-EVEN6] 2.2.12,
// and the description of the file format by the libevtx project). A record is a
// template, written once a chunk for each kind of record, and the values that
// fill it.
//
// Records carry their RenderingInfo, as those in the log of forwarded events
// do: the message can be read where the provider is not installed.
//
// The package does not read files.
package evtx
