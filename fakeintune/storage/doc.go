// Package storage is the blob storage that an app's content is uploaded to, as
// far as Intune's upload needs it: Put Block, Put Block List and Put Blob of
// Azure Storage (learn.microsoft.com/rest/api/storageservices), behind the
// signed address that Microsoft Graph gave out for a content file. What is there
// cannot be read. Requests hold at most 32 MiB, a file 64 MiB.
//
// [LogHandler] is another account: devices put their diagnostics there by one
// signed address, and administrators read them by another.
//
// What is uploaded is kept in [windtunnel.test/fakeintune/tenant], where the
// commit looks at it.
package storage
