// Package odj is the codec of offline domain join: the data with which a
// computer becomes a member of a domain that it has never talked to. It is
// what NetProvisionComputerAccount and djoin.exe write and what a PC receives
// by the OfflineDomainJoin CSP.
//
// The outer structure is ODJ_PROVISION_DATA, a list of blobs: an ODJ_WIN7BLOB,
// which has everything that a join needs, and an OP_PACKAGE, which since
// Windows 8 has the same and more as parts. All are NDR, type serialisation
// version 1 ([MS-RPCE] 2.2.6), little endian, each inside the bytes of the one
// around it. The IDL is public (learn.microsoft.com, "Offline Domain Join IDL
// Definitions").
//
// [Encode] and [Decode] are for who wants the join; [ProvisionData] and
// [Package] for who wants the structure. A blob travels as base64 of these bytes
// in OMA-DM ([Text]) and, in a file, as base64 in UTF-16 ([File]).
//
// Certificates and policies of a package are kept as bytes and not understood;
// an encrypted package is an error. A string that is present and empty and one
// that is absent are the same here.
package odj
