package csp

// PFX is a certificate with its key that is delivered by ClientCertificateInstall/PFXCertInstall (ClientCertificateInstall
// CSP).
type PFX struct {
	Scope Scope
	ID    string // unique id of the instance
}

// Names of nodes below PFXCertInstall/{id}. The comment gives the format.
const (
	PFXKeyLocation            = "KeyLocation"   // int, a [KeyLocation]
	PFXContainerName          = "ContainerName" // chr
	PFXCertBlob               = "PFXCertBlob"   // chr, base64 of the PKCS#12 file; setting it installs
	PFXCertPassword           = "PFXCertPassword"
	PFXPasswordEncryptionType = "PFXCertPasswordEncryptionType" // int: 0 plain, 1 with the MDM certificate, 2 with a store's
	PFXKeyExportable          = "PFXKeyExportable"              // bool
	PFXThumbprint             = "Thumbprint"                    // chr, to be read
	PFXStatus                 = "Status"                        // int, to be read; 0 is success
)

// KeyLocation says where the key goes.
type KeyLocation int

// Its values.
const (
	KeyInTPM              KeyLocation = 1 // fails where there is no TPM
	KeyInTPMIfPresent     KeyLocation = 2
	KeyInSoftware         KeyLocation = 3
	KeyInHelloForBusiness KeyLocation = 4
)

// Node is one of the nodes; no name gives the interior node.
func (p PFX) Node(names ...string) string {
	return Join(Join(p.Scope.vendor(), "ClientCertificateInstall", "PFXCertInstall", p.ID), names...)
}

// Nodes are the values that deliver a certificate, PFXCertBlob last because setting it installs. The password goes plain
// (encryption type 0), under the protection of the session's TLS.
func (p PFX) Nodes(location KeyLocation, blob, password string, exportable bool) []Node {
	return []Node{
		Interior(p.Node()),
		Int(p.Node(PFXKeyLocation), int(location)),
		Chr(p.Node(PFXCertPassword), password),
		Int(p.Node(PFXPasswordEncryptionType), 0),
		Bool(p.Node(PFXKeyExportable), exportable),
		Chr(p.Node(PFXCertBlob), blob),
	}
}

// ParsePFX recognises a node below PFXCertInstall/{id}; name is "" for the interior node.
func ParsePFX(uri string) (p PFX, name string, ok bool) {
	path, err := Parse(uri)
	if err != nil {
		return PFX{}, "", false
	}
	root := Path{Scope: path.Scope, Segments: []string{"Vendor", "MSFT", "ClientCertificateInstall", "PFXCertInstall"}}
	rest, below := path.Below(root)
	switch {
	case !below || len(rest) == 0 || len(rest) > 2:
		return PFX{}, "", false
	case len(rest) == 2:
		name = rest[1]
	}
	return PFX{Scope: path.Scope, ID: rest[0]}, name, true
}

// String names the location.
func (l KeyLocation) String() string {
	return stateName(int(l), "TPM", "TPM with fallback", "software", "Windows Hello for Business")
}
