package scenario

// Enrolment is how MDM enrolment is set up, beside what Graph's resources say.
type Enrolment struct {
	Authentication AuthPolicy     `yaml:"authentication" doc:"How users authenticate who bring no access token, what discovery answers with; missing: Federated, a page of the service."`
	Document       DocumentLayout `yaml:"document" doc:"How certificates are grouped in provisioning documents: intune, in one CertificateStore; mde2, in two, as the specification's example; missing: intune."`
	SCEPApproval   bool           `yaml:"scepApproval" doc:"Requests to the SCEP server wait for an administrator."`
}

// AuthPolicy is AuthPolicy of [MS-MDE2] 3.1.
type AuthPolicy string

func (AuthPolicy) choices() []string { return []string{"Federated", "OnPremise", "Certificate"} }

// DocumentLayout is how certificates are grouped in a provisioning document.
type DocumentLayout string

// LayoutMDE2 is the specification's layout; any other value is Intune's.
const LayoutMDE2 DocumentLayout = "mde2"

func (DocumentLayout) choices() []string { return []string{"intune", string(LayoutMDE2)} }
