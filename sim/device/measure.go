package device

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/tcglog"
)

// Protection is how a PC is protected while it starts. The zero value is a PC
// as makers ship them: Secure Boot on, and a Windows that encrypts its drive.
// A change is in force from the next boot on.
type Protection struct {
	SecureBootOff bool `json:"secureBootOff,omitempty"` // switched off in firmware setup
	BitLockerOff  bool `json:"bitLockerOff,omitempty"`  // automatic device encryption is prevented
}

// keyBitLocker has BootStatus 1 while the drive's key is sealed to the TPM.
const keyBitLocker = `HKLM\SYSTEM\CurrentControlSet\Control\BitLockerStatus`

// KeyFVE has the policies of drive encryption; EncryptionMethodWithXtsOs is the
// system drive's method: 6 XTS-AES 128, 7 XTS-AES 256.
const KeyFVE = `HKLM\SOFTWARE\Policies\Microsoft\FVE`

// defaultMethod is what Windows encrypts with where no policy says otherwise
// (learn.microsoft.com, "BitLocker overview": XTS-AES 128-bit).
const defaultMethod = 6

// EncryptionMethod is what the drive was encrypted with; 0: it is not.
func (w *Windows) EncryptionMethod() uint32 {
	method, _ := w.Registry().DWORD(keyBitLocker, "EncryptionMethod")
	return method
}

// EncryptDevice is Windows' automatic device encryption: once somebody can keep
// the recovery key, the drive's key is sealed to the TPM. It needs a TPM and
// Secure Boot (learn.microsoft.com, "BitLocker overview", device encryption);
// that joining Entra ID is enough, whoever joins, is our model. The boot that
// it happens in was measured without it, so its evidence comes with the next
// one.
func (w *Windows) EncryptDevice() {
	if w.Chip == nil || w.Protection.BitLockerOff || w.Protection.SecureBootOff || w.DriveEncrypted() {
		return
	}
	method, set := w.Registry().DWORD(KeyFVE, "EncryptionMethodWithXtsOs")
	if !set || w.Has(defects.EncryptsByDefault) {
		method = defaultMethod
	}
	w.Registry().SetDWORD(keyBitLocker, "EncryptionMethod", method) // a later policy does not encrypt again
	w.Registry().SetDWORD(keyBitLocker, "BootStatus", 1)
	w.Registry().SetDWORD(keyBitLocker, "Since", uint32(w.Boots()))
	w.Event("bitlocker.on")
}

// SettleEncryption has a policy's method count for a drive whose encryption has
// only begun: where Autopilot sets the PC up, Windows encrypts nothing by its
// default before the policies of device setup are there
// (learn.microsoft.com/autopilot/bitlocker). That it holds up to the next start
// of Windows is our model.
func (w *Windows) SettleEncryption(method uint32) {
	_, autopilot := w.Disk.Files.Read(FileProfile)
	begun, _ := w.Registry().DWORD(keyBitLocker, "Since")
	if !autopilot || !w.DriveEncrypted() || int(begun) != w.Boots() || w.Has(defects.EncryptsByDefault) {
		return
	}
	w.Registry().SetDWORD(keyBitLocker, "EncryptionMethod", method)
}

// DriveEncrypted tells whether the drive's key is sealed to the TPM.
func (w *Windows) DriveEncrypted() bool { return w.PC.driveEncrypted() }

func (pc *PC) driveEncrypted() bool {
	on, _ := pc.Disk.Registry.DWORD(keyBitLocker, "BootStatus")
	return on == 1
}

// TCGLog is the event log of this boot, as TPM Base Services hand it out
// (Tbsi_Get_TCG_Log_Ex, TBS_TCGLOG_SRTM_BOOT); nil on a PC that measures
// nothing. See package tcglog.
func (pc *PC) TCGLog() []byte {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if pc.measured == nil {
		return nil
	}
	return pc.measured.log.Marshal()
}

// measure is firmware, boot loader and kernel loader extending the TPM's
// registers with what they start. A TPM that does not take it keeps no PC from
// starting: who asks for the health of this start will see.
func (pc *PC) measure(ctx context.Context) error {
	var boot *measuredBoot
	if pc.Chip != nil && pc.Chip.Model().Family != "1.2" { // what a TPM 1.2 is told is not modelled
		boot = measurementsOf(bootFacts{
			maker: pc.Hardware.Manufacturer, firmware: pc.Hardware.Firmware, build: pc.Installation.Build,
			secureBoot: !pc.Protection.SecureBootOff, bitLocker: pc.driveEncrypted(),
		})
	}
	pc.mu.Lock()
	pc.measured = boot
	pc.mu.Unlock()
	if boot == nil {
		return nil
	}
	err := pc.Chip.Measure(ctx, boot.list)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, vclock.ErrStopped) {
		return err
	}
	if err != nil {
		pc.Event("tpm.measure.failed", field("error", err.Error()))
	}
	return nil
}

// bootFacts is all that the measurements of a boot follow from.
type bootFacts struct {
	maker, firmware, build string
	secureBoot, bitLocker  bool
}

// measuredBoot is a boot's log and what it extends. Boots of the same facts
// share one: a fleet has a few.
type measuredBoot struct {
	log  *tcglog.Log
	list []vtpm.Measurement
}

var measuredBoots sync.Map // of bootFacts to *measuredBoot; contents follow from the key

func measurementsOf(f bootFacts) *measuredBoot {
	if b, ok := measuredBoots.Load(f); ok {
		return b.(*measuredBoot)
	}
	b := &measuredBoot{log: f.log()}
	for _, e := range b.log.Events {
		b.list = append(b.list, vtpm.Measurement{PCR: e.PCR, Digests: e.Digests})
	}
	shared, _ := measuredBoots.LoadOrStore(f, b)
	return shared.(*measuredBoot)
}

// separator marks in each register where firmware's part ends, and Windows' own
// where the kernel takes over (Platform Firmware Profile 10.4.5).
var separator = make([]byte, 4)

// log is the boot as its log tells it. The order is a PC's; images are hashed
// as the names of what they are, since there are no others.
func (f bootFacts) log() *tcglog.Log {
	l := &tcglog.Log{Errata: 105, Algorithms: vtpm.Banks}
	l.Add(0, tcglog.CRTMVersion, tcglog.UTF16(f.firmware))
	l.AddMeasured(0, tcglog.EFIPlatformFirmwareBlob2, tcglog.FirmwareBlob("POST CODE", 0xff000000, 16<<20), []byte("firmware of "+f.maker+" "+f.firmware))
	keys := keysOf(f.maker)
	secure := tcglog.Variable{Owner: tcglog.GlobalVariable, Name: "SecureBoot", Data: []byte{0}}
	if f.secureBoot {
		secure.Data = []byte{1}
	}
	for _, v := range append([]tcglog.Variable{secure}, keys.variables...) {
		l.Add(7, tcglog.EFIVariableDriverConfig, v.Marshal())
	}
	l.Add(4, tcglog.EFIAction, []byte("Calling EFI Application from Boot Option"))
	for pcr := range 8 {
		l.Add(pcr, tcglog.Separator, separator)
	}
	if f.secureBoot {
		l.Add(7, tcglog.EFIVariableAuthority, keys.authority.Marshal())
	}
	l.AddMeasured(4, tcglog.EFIBootServicesApplication, tcglog.ImageLoad(0x78000000, 1<<21, `\EFI\Microsoft\Boot\bootmgfw.efi`), []byte("bootmgfw.efi of "+f.build))
	f.windows(l)
	for pcr := 11; pcr <= 14; pcr++ {
		l.Add(pcr, tcglog.Separator, separator)
	}
	return l
}

// windows is what boot manager and kernel loader write: how they were told to
// start Windows (register 12), and what they loaded (13).
func (f bootFacts) windows(l *tcglog.Log) {
	unlock := tcglog.UnlockNone
	if f.bitLocker {
		unlock = tcglog.UnlockTPM
	}
	vbs := f.secureBoot && windows11(f.build) // on by default where the PC can do it
	hvci := uint32(0)
	if vbs {
		hvci = 1
	}
	l.Add(12, tcglog.EventTag, tcglog.Tagged{Tag: tcglog.TrustBoundary, Inside: []tcglog.Tagged{
		tcglog.Bool(tcglog.BootDebugging, false), tcglog.Number(tcglog.BitLockerUnlock, unlock),
		tcglog.Bool(tcglog.OSKernelDebug, false), tcglog.Bool(tcglog.CodeIntegrity, true), tcglog.Bool(tcglog.TestSigning, false),
		tcglog.Wide(tcglog.DataExecution, 0), tcglog.Bool(tcglog.SafeMode, false), tcglog.Bool(tcglog.WinPE, false),
		tcglog.Bool(tcglog.FlightSigning, false), tcglog.Bool(tcglog.VSMRequired, vbs), tcglog.Bool(tcglog.IOMMURequired, vbs),
		tcglog.Number(tcglog.HVCIPolicy, hvci),
	}}.Marshal())
	boundary := tcglog.Tagged{Tag: tcglog.TrustBoundary}
	for _, path := range []string{`\Windows\system32\winload.efi`, `\Windows\system32\ntoskrnl.exe`, `\Windows\system32\drivers\wd\WdBoot.sys`} {
		sum := sha256.Sum256([]byte(path + " of " + f.build))
		boundary.Inside = append(boundary.Inside, tcglog.Tagged{Tag: tcglog.LoadedModule, Inside: []tcglog.Tagged{
			{Tag: tcglog.FilePath, Data: tcglog.UTF16(path)}, {Tag: tcglog.AuthenticodeHash, Data: sum[:]}, tcglog.Bool(tcglog.ImageValidated, true)}})
	}
	l.Add(13, tcglog.EventTag, boundary.Marshal())
}

// firstWindows11 is the build that Windows 11 began with.
const firstWindows11 = 22000

func windows11(build string) bool {
	major, _, _ := strings.Cut(build, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= firstWindows11
}

// secureKeys are the contents of Secure Boot's databases: the maker's platform
// key, and who may change the databases and sign boot loaders.
type secureKeys struct {
	variables []tcglog.Variable
	authority tcglog.Variable // the entry of db that the boot loader was signed under
}

var secureKeysOf sync.Map // of maker to *secureKeys; contents follow from the key

// keysMade is when the certificates in firmware begin.
var keysMade = time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)

func keysOf(maker string) *secureKeys {
	if k, ok := secureKeysOf.Load(maker); ok {
		return k.(*secureKeys)
	}
	list := func(name string) []byte {
		ca, err := pki.NewRoot(keysMade, 0, name, pki.Options{})
		if err != nil {
			panic("device: certificate " + name + ": " + err.Error()) // fixed input: cannot fail
		}
		return tcglog.SignatureList(tcglog.CertX509, tcglog.GlobalVariable, ca.Cert.Raw)
	}
	revoked := sha256.Sum256([]byte("a boot loader that was revoked"))
	signer := list("Windtunnel UEFI boot loader authority")
	k := &secureKeys{
		variables: []tcglog.Variable{
			{Owner: tcglog.GlobalVariable, Name: "PK", Data: list(maker + " platform key")},
			{Owner: tcglog.GlobalVariable, Name: "KEK", Data: list("Windtunnel key exchange key")},
			{Owner: tcglog.ImageSecurityDatabase, Name: "db", Data: signer},
			{Owner: tcglog.ImageSecurityDatabase, Name: "dbx", Data: tcglog.SignatureList(tcglog.CertSHA256, tcglog.GlobalVariable, revoked[:])},
		},
		authority: tcglog.Variable{Owner: tcglog.ImageSecurityDatabase, Name: "db", Data: signer[28:]}, // EFI_SIGNATURE_DATA: without the list's header
	}
	shared, _ := secureKeysOf.LoadOrStore(maker, k)
	return shared.(*secureKeys)
}
