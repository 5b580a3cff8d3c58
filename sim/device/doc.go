// Package device is one PC: the machine (hardware, TPM chip, firmware clock,
// disk, power button, screen and keyboard) and, for as long as it is powered,
// the Windows that runs on it.
//
// A [PC] is what can be carried from the bench to a depot and into somebody's
// home. It owns what survives the loss of power: the disk, the TPM's NV memory
// and the firmware clock. A [Windows] is one boot: it dies with the power, and
// whatever it knew and had not written to the disk is gone. The PC's life is a
// loop around boot: it calls the [Program] it was given (the Windows setup and
// logon experience is package oobe, one floor up) and looks at how that ended,
// with a reboot, a shutdown or a lost power supply.
//
// A PC with a TPM 2.0 measures each boot into it, as its [Protection] and its
// firmware and Windows are, and can show the log of that: [PC.TCGLog].
//
// People meet a PC through its screen and keys and through nothing else: see
// [PC.AwaitScreen], [PC.Press], [PC.Fill] and [PC.WindowsKey].
//
// What is not here: nothing in this package knows Autopilot, Intune or Entra
// ID. There is no user-mode process model and no file system semantics beyond
// named byte strings; registry values keep their Go type (string, uint32 or
// []string) rather than the binary forms of Windows.
package device
