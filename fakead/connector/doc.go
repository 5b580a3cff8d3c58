// Package connector is the Intune Connector for Active Directory: the service
// on a server of the domain that makes the computer accounts of devices that
// join the domain offline (learn.microsoft.com, "Deploy Microsoft Entra hybrid
// joined devices by using Intune and Windows Autopilot").
//
// A [Connector] is one actor. Its setup enrols it with Intune and makes sure of
// its account; then it leaves a poll with Intune until there is
// something to do, and for each request creates the computer
// object by LDAP with the rights of its own account, which it proves by
// Kerberos, and uploads the blob of the offline domain join. Nothing in it knows
// whose directory it talks to: a fake one and a real domain controller look
// alike.
//
// What it tells an administrator are the events of the channel
// Microsoft-Intune-ODJConnectorService, kind "connector.event" in the journal.
//
// Not here: the user interface of setup, its creation of the managed service
// account (the account is in the directory beforehand), and updates of the
// connector.
package connector
