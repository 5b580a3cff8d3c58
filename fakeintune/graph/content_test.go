package graph_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/storage"
	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// encrypt is what the tools do that prepare content for Intune.
func encrypt(plain []byte) ([]byte, wire.FileEncryption) {
	key, macKey, iv := slices.Repeat([]byte{1}, 32), slices.Repeat([]byte{2}, 32), slices.Repeat([]byte{3}, 16)
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(slices.Clone(plain), slices.Repeat([]byte{byte(pad)}, pad)...)
	block, _ := aes.NewCipher(key) // the key has a length that AES has
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	mac := hmac.New(sha256.New, macKey)
	mac.Write(append(slices.Clone(iv), padded...))
	digest := sha256.Sum256(plain)
	return slices.Concat(mac.Sum(nil), iv, padded), wire.FileEncryption{EncryptionKey: key, MACKey: macKey, InitializationVector: iv, MAC: mac.Sum(nil),
		ProfileIdentifier: "ProfileVersion1", FileDigest: digest[:], FileDigestAlgorithm: "SHA256"}
}

// What Intune's sample scripts do with an .intunewin file.
func TestUploadOfContent(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	blobs := storage.New(a.Service)
	const appsPath = "/beta/deviceAppManagement/mobileApps"
	var app wire.MobileApp
	a.call(201, "POST", appsPath, map[string]any{"@odata.type": wire.TypeWin32LobApp, "displayName": "7-Zip", "rules": detection}, &app)
	plain := []byte("what is installed")
	file, info := encrypt(plain)

	versions := appsPath + "/" + app.ID + "/microsoft.graph.win32LobApp/contentVersions"
	var v wire.ContentVersion
	a.call(201, "POST", versions, map[string]any{}, &v)
	var f wire.ContentFile
	a.call(201, "POST", versions+"/"+v.ID+"/files", wire.ContentFile{Name: "x.intunewin", Size: int64(len(plain)), SizeEncrypted: int64(len(file))}, &f)
	g.Expect(f.UploadState).To(Equal(wire.UploadURIPending))
	path := versions + "/" + v.ID + "/files/" + f.ID
	a.call(409, "POST", path+"/commit", wire.CommitRequest{Encryption: info}, nil)
	a.Pass(5 * time.Second)
	a.call(200, "GET", path, nil, &f)
	g.Expect(f.UploadState).To(Equal(wire.UploadURISuccess))

	put := func(body []byte) {
		rec := a.Call(blobs, "PUT", *f.AzureStorageURI, http.Header{"X-Ms-Blob-Type": {"BlockBlob"}}, body, nil)
		g.Expect(rec.Code).To(Equal(201), rec.Body.String())
	}
	put(append(slices.Clone(file[:len(file)-1]), file[len(file)-1]^1))
	a.call(204, "POST", path+"/commit", wire.CommitRequest{Encryption: info}, nil)
	a.call(200, "GET", path, nil, &f)
	g.Expect(f.UploadState).To(Equal(wire.UploadCommitPending))
	a.Pass(5 * time.Second)
	a.call(200, "GET", path, nil, &f)
	g.Expect(f.UploadState).To(Equal(wire.UploadCommitFailed), "one bit is wrong")
	a.call(400, "PATCH", appsPath+"/"+app.ID, map[string]any{"committedContentVersion": v.ID}, nil)

	a.call(204, "POST", path+"/renewUpload", nil, nil)
	a.Pass(5 * time.Second)
	a.call(200, "GET", path, nil, &f)
	g.Expect(f.UploadState).To(Equal(wire.UploadRenewSuccess))
	put(file)
	a.call(204, "POST", path+"/commit", wire.CommitRequest{Encryption: info}, nil)
	a.Pass(5 * time.Second)
	a.call(200, "GET", path, nil, &f)
	g.Expect(f.UploadState).To(Equal(wire.UploadCommitSuccess))
	g.Expect(f.IsCommitted).To(BeTrue())
	a.call(400, "PATCH", appsPath+"/"+app.ID, map[string]any{"committedContentVersion": v.ID, "displayName": ""}, nil)
	_, err := a.Tenant.Content(app.ID)
	g.Expect(err).To(HaveOccurred(), "a PATCH is done whole or not at all")
	a.call(200, "PATCH", appsPath+"/"+app.ID, map[string]any{"@odata.type": wire.TypeWin32LobApp, "committedContentVersion": v.ID}, &app)
	g.Expect(app.CommittedContentVersion + app.PublishingState).To(Equal("1published"))
	c, err := a.Tenant.Content(app.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Plain).To(Equal(plain))

	var files wire.Collection[wire.ContentFile]
	a.call(200, "GET", versions+"/1/files", nil, &files)
	g.Expect(files.Value).To(HaveLen(1))
	var all wire.Collection[wire.ContentVersion]
	a.call(200, "GET", versions, nil, &all)
	g.Expect(all.Value).To(HaveLen(1))
	a.call(409, "POST", versions+"/1/files", wire.ContentFile{Name: "y", Size: 1, SizeEncrypted: 64}, nil)
	a.call(409, "POST", path+"/renewUpload", nil, nil)
	a.call(404, "GET", versions+"/7/files", nil, nil)
	a.call(404, "GET", versions+"/x/files/"+f.ID, nil, nil)
	a.call(404, "POST", appsPath+"/none/microsoft.graph.win32LobApp/contentVersions", map[string]any{}, nil)
	a.call(201, "POST", versions, map[string]any{}, &v)
	a.call(400, "POST", versions+"/2/files", wire.ContentFile{Name: "y", Size: 64 << 20, SizeEncrypted: 65 << 20}, nil)
}

func TestOfficeApps(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/v1.0/deviceAppManagement/mobileApps"
	var app wire.MobileApp
	a.call(201, "POST", path, map[string]any{"@odata.type": wire.TypeOfficeSuite, "displayName": "Microsoft 365 Apps", "productIds": []string{"o365ProPlusRetail"}, "officePlatformArchitecture": "x64"}, &app)
	g.Expect(app.ProductIDs).To(Equal([]string{"o365ProPlusRetail"}))
	a.call(200, "POST", path+"/"+app.ID+"/assign", map[string]any{"mobileAppAssignments": []any{map[string]any{"intent": "required", "target": map[string]any{"@odata.type": wire.TargetAllDevices}}}}, nil)
	a.Do(func(context.Context) {
		g.Expect(a.Tenant.Targets(tenant.Audience{Device: &tenant.DirectoryDevice{}}).Apps).To(HaveLen(1))
	})
	a.call(400, "POST", path+"/"+app.ID+"/microsoft.graph.win32LobApp/contentVersions", map[string]any{}, nil)
}
