package tcglog_test

import "windtunnel.test/sim/wire/tcglog"

// sample is a log with an event of each kind that is written here.
func sample() *tcglog.Log {
	l := &tcglog.Log{Errata: 105, Algorithms: []tcglog.Algorithm{tcglog.SHA1, tcglog.SHA256, tcglog.SHA384}}
	l.Add(0, tcglog.CRTMVersion, tcglog.UTF16("Contoso 1.14.2"))
	l.AddMeasured(0, tcglog.EFIPlatformFirmwareBlob2, tcglog.FirmwareBlob("POST CODE", 0xff000000, 0x1000000), []byte("the image"))
	for _, v := range []tcglog.Variable{
		{Owner: tcglog.GlobalVariable, Name: "SecureBoot", Data: []byte{1}},
		{Owner: tcglog.GlobalVariable, Name: "PK", Data: tcglog.SignatureList(tcglog.CertX509, tcglog.GlobalVariable, []byte("a certificate"))},
		{Owner: tcglog.ImageSecurityDatabase, Name: "dbx", Data: tcglog.SignatureList(tcglog.CertSHA256, tcglog.GlobalVariable, make([]byte, 32), make([]byte, 32))},
	} {
		l.Add(7, tcglog.EFIVariableDriverConfig, v.Marshal())
	}
	for pcr := range 8 {
		l.Add(pcr, tcglog.Separator, make([]byte, 4))
	}
	l.Add(4, tcglog.EFIAction, []byte("Calling EFI Application from Boot Option"))
	l.AddMeasured(4, tcglog.EFIBootServicesApplication, tcglog.ImageLoad(0x10000000, 1<<20, `\EFI\Microsoft\Boot\bootmgfw.efi`), []byte("bootmgfw"))
	l.Add(12, tcglog.EventTag, tcglog.Tagged{Tag: tcglog.TrustBoundary, Inside: []tcglog.Tagged{
		tcglog.Bool(tcglog.BootDebugging, false), tcglog.Bool(tcglog.CodeIntegrity, true), tcglog.Number(tcglog.BitLockerUnlock, tcglog.UnlockTPM),
		{Tag: tcglog.LoadedModule, Inside: []tcglog.Tagged{{Tag: tcglog.FilePath, Data: tcglog.UTF16(`\Windows\system32\ntoskrnl.exe`)}, tcglog.Bool(tcglog.ImageValidated, true)}},
	}}.Marshal())
	return l
}
