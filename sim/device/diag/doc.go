// Package diag makes the package that Windows' MDMDiagnosticsTool collects: a
// zip with what technicians and support engineers read after a failed
// deployment.
//
// In it are a dump of the registry (MdmDiagReport_RegistryDump.reg), the event
// logs of setup and management as .evtx, as XML and as JSON lines, the logs of
// the Intune management extension, the cached Autopilot profile, the hardware
// hash, the MDM report, and what dsregcmd, tpmtool and certreq print.
//
// [Collect] writes it from a [Source], which is what can be known of a PC: its
// disk, its hardware and TPM, and its own events of the journal. [Of] takes the
// source from a living PC; as JSON it can be kept and collected later.
//
// Nothing is made up at this moment: event records and log lines are the
// journal's, with the time that the PC's own clock showed, and the rest is on
// the disk. Logs are on the disk, too: what was before the disk was last
// emptied is gone.
//
// Not in the package are the event traces (.etl), which have no public format
// that could be filled, and the cabinet form of the package.
package diag
