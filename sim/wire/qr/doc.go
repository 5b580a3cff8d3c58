// Package qr is the QR code on the pre-provisioning pages of Windows: the JSON text in it and the picture.
//
// The text is what the open-source companion app (microsoft/WindowsAutopilotCompanion) reads: it takes the member ZtdId
// at the top level, the id of Graph's windowsAutopilotDeviceIdentity, and looks the device up by it. The other members
// were seen on real devices. There is no hardware hash in it.
//
// It is not the screen that shows the code.
package qr
