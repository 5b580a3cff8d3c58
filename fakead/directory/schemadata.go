package directory

var syntaxNames = map[string]syntax{
	"text": textSyntax, "case": caseSyntax, "int": integerSyntax, "large": largeSyntax, "bool": boolSyntax, "time": timeSyntax,
	"octets": octetSyntax, "sid": sidSyntax, "guid": guidSyntax, "dn": dnSyntax, "dnbin": dnBinarySyntax, "oid": oidSyntax,
}

var flagNames = map[string]attrFlags{
	"single": single, "operational": operational, "constructed": constructed, "system": systemOnly, "secret": secret,
	"create": create,
}

// attributeTable is the part of the schema that clients of a domain read and
// write ([MS-ADA1], [MS-ADA2], [MS-ADA3]): name, syntax, flags.
const attributeTable = `
objectClass oid create
objectCategory dn single create
objectGUID guid single system
objectSid sid single system
name text single system
cn text single create
ou text create
dc text single create
distinguishedName dn single system
instanceType int single create
systemFlags int single create
structuralObjectClass oid constructed operational
whenCreated time single system
whenChanged time single system
uSNCreated large single system
uSNChanged large single system
isDeleted bool single system
lastKnownParent dn single system
isCriticalSystemObject bool single create
showInAdvancedViewOnly bool single
nTSecurityDescriptor octets single system operational
description text
displayName text single
info text single
adminDescription text single
adminDisplayName text single
sAMAccountName text single
sAMAccountType int single system
userPrincipalName text single
servicePrincipalName text
dNSHostName text single
msDS-AdditionalDnsHostName text
userAccountControl int single
unicodePwd octets single secret
userPassword octets single secret
ntPwdHistory octets system secret
windtunnelDelegations case system secret
windtunnelOwner sid single system secret
pwdLastSet large single
lockoutTime large single
badPwdCount int single system
badPasswordTime large single system
lastLogon large single system
lastLogonTimestamp large single system
lastLogoff large single system
logonCount int single system
accountExpires large single
codePage int single
countryCode int single
localPolicyFlags int single
primaryGroupID int single
groupType int single
member dn
memberOf dn constructed
managedBy dn single
userCertificate octets
userParameters text single
userWorkstations text single
adminCount int single
mail text single
givenName text single
sn text single
initials text single
title text single
department text single
company text single
telephoneNumber text single
mobile text single
proxyAddresses text
employeeID text single
street text single
l text single
st text single
c text single
co text single
postalCode text single
location text single
operatingSystem text single
operatingSystemVersion text single
operatingSystemServicePack text single
operatingSystemHotfix text single
networkAddress case
mS-DS-CreatorSID sid single system
ms-DS-MachineAccountQuota int single
ms-DS-ConsistencyGuid octets single
msDS-SupportedEncryptionTypes int single
msDS-KeyVersionNumber int single constructed operational
msDS-PrincipalName text single constructed operational
msDS-User-Account-Control-Computed int single constructed operational
msDS-UserPasswordExpiryTimeComputed large single constructed operational
tokenGroups sid constructed operational
canonicalName text constructed operational
createTimeStamp time single constructed operational
modifyTimeStamp time single constructed operational
primaryGroupToken int single constructed operational
msDS-Behavior-Version int single
msDS-AllUsersTrustQuota int single
msDS-PerUserTrustQuota int single
msDS-PerUserTrustTombstonesQuota int single
msDS-ExpirePasswordsOnSmartCardOnlyAccounts bool single
nTMixedDomain int single
minPwdLength int single
pwdHistoryLength int single
pwdProperties int single
maxPwdAge large single
minPwdAge large single
lockoutThreshold int single
lockoutDuration large single
lockOutObservationWindow large single
forceLogoff large single
modifiedCount large single system
nextRid int single system
serverState int single
uASCompat int single
wellKnownObjects dnbin
otherWellKnownObjects dnbin
fSMORoleOwner dn single
masteredBy dn
msDs-masteredBy dn
rIDManagerReference dn single
subRefs dn
gPLink text single
objectVersion int single
nCName dn single
dnsRoot text
nETBIOSName text single
enabled bool single
trustParent dn single
rootTrust dn
dSHeuristics text single
tombstoneLifetime int single
sPNMappings text
siteObject dn single
siteObjectBL dn
serverReference dn single
serverReferenceBL dn
options int single
invocationId guid single
dMDLocation dn single
hasMasterNCs dn
msDS-hasMasterNCs dn
siteList dn
cost int single
replInterval int single
keywords text
serviceClassName text single
serviceBindingInformation text
serviceDNSName text single
serviceDNSNameType text single
msDS-IsEnabled bool single
msDS-DeviceLocation dn single
mSMQSignCertificates octets single
lDAPDisplayName text single
attributeID case single
attributeSyntax case single
governsID case single
schemaIDGUID guid single
defaultObjectCategory dn single
subClassOf case single
msDS-HostServiceAccount dn
msDS-ManagedPasswordInterval int single
msDS-GroupMSAMembership octets single
rIDAvailablePool large single
rIDSetReferences dn
msDFSR-ComputerReferenceBL dn
`

// classTable: name, class above, naming attribute, object category where it is
// another class's ([MS-ADSC]). A class stands below the one it is made of.
const classTable = `
top top CN abstract
leaf top CN abstract
connectionPoint leaf CN abstract
serviceConnectionPoint connectionPoint CN
person top CN
organizationalPerson person CN Person
user organizationalPerson CN Person
computer user CN
msDS-ManagedServiceAccount computer CN ms-DS-Managed-Service-Account
msDS-GroupManagedServiceAccount computer CN ms-DS-Group-Managed-Service-Account
contact organizationalPerson CN Person
group top CN
container top CN
organizationalUnit top OU Organizational-Unit
domain top DC abstract
domainDNS domain DC Domain-DNS
builtinDomain top CN Builtin-Domain
lostAndFound top CN Lost-And-Found
infrastructureUpdate top CN Infrastructure-Update
rIDManager top CN RID-Manager
configuration top CN
dMD top CN DMD
attributeSchema top CN Attribute-Schema
classSchema top CN Class-Schema
crossRefContainer top CN Cross-Ref-Container
crossRef top CN Cross-Ref
sitesContainer top CN Sites-Container
site top CN
subnetContainer top CN Subnet-Container
subnet top CN
serversContainer top CN Servers-Container
server top CN
applicationSettings top CN abstract
nTDSDSA applicationSettings CN NTDS-DSA
applicationSiteSettings top CN abstract
nTDSSiteSettings applicationSiteSettings CN NTDS-Site-Settings
interSiteTransportContainer top CN Inter-Site-Transport-Container
interSiteTransport top CN Inter-Site-Transport
siteLink top CN Site-Link
nTDSService top CN NTDS-Service
foreignSecurityPrincipal top CN Foreign-Security-Principal
`
