// Package syncml holds the messages of an OMA-DM session in SyncML 1.2: header, commands in the order in which they stand,
// encoder and decoder, status codes, alert types, and package 1 of a session.
//
// It is not a session: it keeps no state, answers nothing by itself and knows no node. A device's DM client and an MDM
// server's gateway use the same types. [Message.EncodeWBXML] and [DecodeWBXML] are the same document in WBXML.
//
// What does not fit into a message of the other end's size is cut by [Cut] and put together by [Partial].
//
// Use it like this: fill a [Message], call [Message.Number] so that each command has its CmdID, and [Message.Encode] it. The
// other end calls [Decode], walks Commands in order and answers each with [StatusFor]; the first answer is [HeaderStatus].
// The sender finds what became of its commands with [Message.Answers].
//
// Sources: OMA SyncML Representation Protocol 1.2.2 and its Device Management usage, OMA Meta Information 1.2.2 ("metinf"),
// OMA-TS-DM_Protocol 1.2.1, [MS-MDM].
package syncml
