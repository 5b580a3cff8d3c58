package graph

// ContentVersion is mobileAppContent: a version of an app's content.
type ContentVersion struct {
	ODataType string `json:"@odata.type,omitempty"`
	ID        string `json:"id"`
}

// ContentFile is mobileAppContentFile: the encrypted file of a version.
type ContentFile struct {
	ODataType                 string      `json:"@odata.type,omitempty"`
	ID                        string      `json:"id"`
	Name                      string      `json:"name"`
	Size                      int64       `json:"size"`          // before encryption
	SizeEncrypted             int64       `json:"sizeEncrypted"` // of what is uploaded
	Manifest                  []byte      `json:"manifest"`
	IsDependency              bool        `json:"isDependency"`
	IsCommitted               bool        `json:"isCommitted"`
	CreatedDateTime           Time        `json:"createdDateTime"`
	AzureStorageURI           *string     `json:"azureStorageUri"`
	AzureStorageURIExpiration *Time       `json:"azureStorageUriExpirationDateTime"`
	UploadState               UploadState `json:"uploadState"`
}

// UploadState is mobileAppContentFileUploadState.
type UploadState string

// Upload states.
const (
	UploadURIPending    UploadState = "azureStorageUriRequestPending"
	UploadURISuccess    UploadState = "azureStorageUriRequestSuccess"
	UploadURIFailed     UploadState = "azureStorageUriRequestFailed"
	UploadRenewPending  UploadState = "azureStorageUriRenewalPending"
	UploadRenewSuccess  UploadState = "azureStorageUriRenewalSuccess"
	UploadCommitPending UploadState = "commitFilePending"
	UploadCommitSuccess UploadState = "commitFileSuccess"
	UploadCommitFailed  UploadState = "commitFileFailed"
)

// CommitRequest is the body of files/{id}/commit.
type CommitRequest struct {
	Encryption FileEncryption `json:"fileEncryptionInfo"`
}

// FileEncryption is fileEncryptionInfo. The uploaded file is HMAC-SHA256, initialisation vector, AES-256-CBC ciphertext;
// the HMAC is over the vector and the ciphertext.
type FileEncryption struct {
	EncryptionKey        []byte `json:"encryptionKey"`
	InitializationVector []byte `json:"initializationVector"`
	MAC                  []byte `json:"mac"`
	MACKey               []byte `json:"macKey"`
	ProfileIdentifier    string `json:"profileIdentifier"` // ProfileVersion1
	FileDigest           []byte `json:"fileDigest"`        // SHA-256 of the file before encryption
	FileDigestAlgorithm  string `json:"fileDigestAlgorithm"`
}
