package report

import "windtunnel.test/sim/journal"

// Levels of detail of a timeline.
const (
	// Story is what a person tells who watched the PC.
	Story = 0
	// Everything is each event: TPM commands, requests, event log and log
	// lines, and the services' side of what the PC tells as well.
	Everything = 1
)

// Whose doing an event is.
const (
	pc        = "PC"
	screen    = "Screen"
	hands     = "Person"
	tpm       = "TPM"
	autopilot = "Autopilot"
	account   = "Account" // Microsoft account of the device
	entra     = "Entra"
	intune    = "Intune"
	esp       = "ESP"
	apps      = "Apps"
	network   = "Network"
	logs      = "Log"
	refusal   = "REFUSED"
	broken    = "FAULT"
	domain    = "Domain"
)

// kinds are the words for the events that the rooms record.
var kinds = map[string]wording{
	"device.made":       {who: "Maker", text: "{model}, serial number {serial}[, TPM {tpm}]"},
	"story.again":       {who: "AGAIN", text: "It is deployed once more"},
	"story.ended":       {who: "END", text: "{outcome}[: {code}][ in \"{phase}\"][, decided by {check}]"},
	"device.power.on":   {who: pc, text: "Power on, boot {boot}"},
	"device.power.off":  {who: pc, text: "Power off[: {why}]"},
	"device.reboot":     {who: pc, text: "Restarts"},
	"device.stopped":    {who: pc, text: "Stops with an error: {error}"},
	"device.resealed":   {who: pc, text: "Resealed: what the next user must not find is removed"},
	"device.reset":      {who: pc, text: "Reset: the disk is as it left the factory"},
	"device.restart":    {who: pc, text: "Is restarted by {why}"},
	"device.shutdown":   {who: pc, text: "Is shut down by {why}"},
	"restart.needed":    {who: pc, text: "Wants a restart: {source}"},
	"reset.begun":       {who: pc, text: "Resets itself: {kind}"},
	"device.reset.kept": {who: pc, text: "Reset: join and enrolment are as they were"},
	"device.retired":    {who: pc, text: "Retired: what its organization left is removed"},
	"logon":             {who: pc, text: "{name} is signed in"},
	"logoff":            {who: pc, text: "{name} is signed out"},
	"logon.failed":      {who: pc, text: "{name} is not signed in: {why}"},
	"user.continued":    {who: hands, text: "Goes on without what failed"},
	"updates.begun":     {who: pc, text: "Installs quality updates"},
	"updates.installed": {who: pc, text: "Quality updates are installed"},
	"desktop.reached":   {who: pc, text: "The desktop is ready[ for {user}]"},

	"screen.shown":   {who: screen, say: screenShown},
	"person.pressed": {who: hands, text: "Presses \"{button}\""},
	"person.struck":  {who: hands, say: struck},

	"autopilot.profile": {who: autopilot, say: profile},
	"autopilot.failed":  {who: autopilot, text: "Failed with {code}[ in \"{phase}\"][: {error}]"},
	"diagnostics.saved": {who: autopilot, text: "Diagnostics saved to {file}"},

	"diagnostics.uploaded": {who: intune, text: "Diagnostics collected and uploaded: {outcome}"},
	"intune.logs.received": {who: intune, detail: Everything, text: "Diagnostics {id} have come[, asked for by {by}]"},
	"disk.wiped":           {who: pc, detail: Everything, text: "The disk is emptied, with all logs on it"},
	"device.zone":          {who: pc, text: "The time zone is {zone} now"},

	"ztd.profile": {who: autopilot, detail: Everything, text: "The deployment service answers[ with profile {profile}][, registration {ztdid}]"},

	"msa.device.added":  {who: account, text: "The device has a Microsoft account, {gdid}"},
	"msa.ticket":        {who: account, say: ticket},
	"msa.ticket.issued": {who: account, detail: Everything, text: "login.live.com issues a device ticket to {gdid}[, TPM-validated: {tpm}]"},

	"tpm.attest.start":       {who: tpm, text: "Attestation begins: is this a genuine TPM?"},
	"tpm.attest.failed":      {who: tpm, text: "Attestation attempt {attempt} failed with {code}[: {error}]"},
	"tpm.attest.done":        {who: tpm, text: "Attestation done"},
	"aik.challenge":          {who: tpm, text: "{host} sends a challenge that only this TPM can answer"},
	"aik.certificate":        {who: tpm, text: "The attestation key has its certificate, serial {serial}"},
	"aik.certificate.issued": {who: tpm, detail: Everything, text: "{authority} issues AIK certificate {serial}"},
	"aik.key.certified":      {who: tpm, detail: Everything, text: "{authority} certifies another key of the TPM, serial {serial}"},
	"mdm.attest.failed":      {who: tpm, text: "The MDM key cannot be attested: {code}[, the policy says {behaviour}][: {error}]"},
	"aik.task.failed":        {who: tpm, text: "The attestation key got no certificate: {code}[, {error}]"},
	"tpm.measure.failed":     {who: tpm, text: "Does not measure this start: {error}"},
	"bitlocker.on":           {who: pc, text: "The drive's key is sealed to the TPM from the next start on"},
	"health.attested":        {who: pc, text: "Attestation of this start ended with {code}[: {message}]"},
	"health.report":          {who: account, detail: Everything, text: "The attestation service reports: Secure Boot {secureBoot}, BitLocker {bitLocker}, code integrity {codeIntegrity}"},
	"tpm.command":            {who: tpm, say: tpmCommand},

	"entra.join":            {who: entra, text: "Joined as device {deviceId}[, by {as}]"},
	"entra.left":            {who: entra, text: "Left the tenant, device {deviceId}"},
	"entra.device.joined":   {who: entra, detail: Everything, text: "Device registration service: device {deviceId} joined[ ({trust})][, TPM attested: {attested}]"},
	"entra.device.left":     {who: entra, detail: Everything, text: "Device registration service: device {deviceId} left"},
	"entra.device.signedIn": {who: entra, detail: Everything, text: "Device {deviceId} signed in to {audience}"},
	"entra.user.signedIn":   {who: entra, detail: Everything, text: "{upn} signed in to {audience}"},
	"entra.prt.issued":      {who: entra, detail: Everything, text: "Primary refresh token issued to {upn} on device {deviceId}"},
	"entra.device.deleted":  {who: entra, text: "Device {deviceId} was deleted"},
	"entra.device.compliance": {who: entra, state: "deviceId", say: func(e journal.Event) (string, int) {
		return yes(e, "compliant", "The device counts as compliant", "The device does not count as compliant"), Story
	}},
	"token.acquired":   {who: entra, detail: Everything, text: "Token for {resource}, as {kind}"},
	"user.signedIn":    {who: entra, text: "{user} signed in"},
	"prt.acquired":     {who: entra, text: "Primary refresh token for {user}, bound to the TPM"},
	"user.wrongTenant": {who: entra, text: "{user} is not of {tenant}, to whom this PC belongs"},
	"user.failed":      {who: entra, text: "Failed with {code}[ in \"{phase}\"][: {error}]"},

	"odj.requested":          {who: intune, text: "Asks the connectors of {domain} for a computer account[ in {ou}]"},
	"odj.ended":              {who: intune, text: "The request for a computer account is {state}[: {computer}][, by {connector}]"},
	"domain.wait":            {who: domain, detail: Everything, text: "Setup waits: blob there {blob}, controller asked for {controller}"},
	"device.domain.staged":   {who: domain, text: "Joins {domain} offline as {computer}, from the next start on"},
	"device.domain.joined":   {who: domain, text: "Is a member of {domain} as {computer}"},
	"domain.controller":      {who: domain, text: "Controller {controller} of {domain} answers[, site {site}]"},
	"domain.noController":    {who: domain, detail: Everything, text: "No controller of {domain}: {error}"},
	"domain.timeout":         {who: domain, text: "Gives up with {code}: {error}"},
	"domain.restart":         {who: domain, text: "Restarts as a member of the domain"},
	"domain.failed":          {who: domain, text: "The domain {domain} could not be prepared: {error}"},
	"logon.kerberos":         {who: domain, text: "{name} is known to {controller}"},
	"logon.cached":           {who: domain, text: "No controller: {name} is known from an earlier logon"},
	"administrator.granted":  {who: pc, text: "{name} is an administrator of this PC"},
	"administrator.refused":  {who: pc, text: "{name} is no administrator of this PC: {why}"},
	"setup.done":             {who: esp, text: "The account of {user} is set up"},
	"setup.again":            {who: esp, text: "The account of {user} is set up once more"},
	"prt.failed":             {who: entra, text: "No primary refresh token for {user}: {code}[: {error}]"},
	"policy.failed":          {who: intune, text: "Policy {uri} failed with {code}[: {error}]"},
	"password.changed":       {who: domain, text: "{name} has another password now"},
	"password.refused":       {who: domain, text: "The new password of {name} is refused: {error}"},
	"account.work.added":     {who: entra, text: "{user} is added as work account"},
	"account.work.failed":    {who: entra, text: "{user} is not added as work account: {code}[: {error}]"},
	"account.work.cancelled": {who: hands, text: "Adds no work account"},
	"vpn.connected":          {who: network, text: "VPN \"{vpn}\" stands, gateway {gateway}"},
	"vpn.failed":             {who: network, text: "VPN \"{vpn}\" does not connect: {why}"},

	"autopilot.imported":         {who: intune, text: "Imported into the tenant[, registration {ztdId}]"},
	"autopilot.profile.assigned": {who: intune, text: "Profile \"{profile}\" is assigned"},
	"registration.failed":        {who: intune, text: "The registration of all PCs failed: {error}"},
	"autopilot.sync.started":     {who: intune, detail: Everything, text: "Sync of Autopilot devices begins"},
	"autopilot.sync.ended":       {who: intune, detail: Everything, text: "Sync of Autopilot devices is done[: {error}]"},

	"mdm.device.added":    {who: intune, detail: Everything, text: "Device record {id} ({kind})"},
	"mdm.device.deleted":  {who: intune, text: "Device record {id} was deleted"},
	"mdm.enrolled.server": {who: intune, detail: Everything, text: "Enrolment accepted as {kind}[, TPM attested: {attested}]"},
	"mdm.session.server":  {who: intune, detail: Everything, text: "Session of {user}[, licensed: {licensed}]"},
	"mdm.session.ended":   {who: intune, detail: Everything, text: "Session over[, of {user}][, all has been sent: {complete}]"},

	"mdm.compliance.evaluated": {who: intune, say: compliance},
	"mdm.compliance.lost":      {who: intune, text: "Compliance could not be told to Entra: {error}"},
	"mdm.health":               {who: intune, text: "Health of the start: {status}[, Secure Boot {secureBoot}][, BitLocker {bitLocker}][, code integrity {codeIntegrity}]"},

	"mdm.enrolled":          {who: intune, say: enrolled},
	"mdm.session":           {who: intune, say: session},
	"policy.applied":        {who: intune, text: "Policy {uri} = {value}[ for {scope}]"},
	"certificate.installed": {who: intune, text: "Certificate {name}[, {subject}]"},
	"msi.status":            {who: intune, say: msi},
	"product.installed":     {who: apps, text: "{product}[ {version}] is installed"},

	"esp.category": {who: esp, say: category},
	"esp.row":      {who: esp, say: row},

	"ime.certificate": {who: apps, text: "The management extension has its certificate[, valid until {notAfter}]"},
	"app.install":     {who: apps, state: "app", say: app},

	"ime.certificate.issued": {who: apps, detail: Everything, text: "The gateway issues a certificate[, valid until {notAfter}]"},
	"ime.apps.selected":      {who: apps, detail: Everything, text: "The gateway names {apps} app(s) to install[ for phase {phase}]"},
	"ime.content.located":    {who: apps, detail: Everything, text: "The gateway tells where {app} is"},
	"ime.app.reported":       {who: apps, detail: Everything, text: "The gateway has the report on {app}[: {state}]"},

	"ek.certificate":      {who: tpm, text: "The endorsement key's certificate comes from {host}"},
	"tpm.provisioned":     {who: tpm, text: "Windows takes ownership of the TPM"},
	"tpm.shutdown.failed": {who: tpm, detail: Everything, text: "Could not be told that the PC goes off: {error}"},

	"mdm.job":                    {who: intune, say: job},
	"mdm.reset":                  {who: intune, text: "Orders a reset: {kind}"},
	"mdm.restart":                {who: intune, text: "Orders a restart[: {why}]"},
	"mdm.renewed":                {who: intune, text: "The MDM certificate is renewed"},
	"mdm.renewed.server":         {who: intune, detail: Everything, text: "A certificate is renewed"},
	"mdm.renewal.failed":         {who: intune, text: "The MDM certificate could not be renewed: {code}[: {error}]"},
	"mdm.unenrolled":             {who: intune, text: "The enrolment is ended[: {outcome}]"},
	"mdm.action.queued":          {who: intune, text: "An administrator asks for {action}"},
	"mdm.action.ended":           {who: intune, text: "What an administrator asked for, {action}, has ended[: {state}]"},
	"mdm.profile.withheld":       {who: intune, detail: Everything, text: "{uri} waits for its certificate"},
	"policy.removed":             {who: intune, text: "Policy {uri} is taken back[ for {scope}]"},
	"certificate.removed":        {who: intune, text: "Certificate {name} is removed"},
	"profile.installed":          {who: intune, text: "{kind} profile \"{name}\"[ for {scope}]"},
	"profile.removed":            {who: intune, text: "{kind} profile \"{name}\" is removed"},
	"scep.issued":                {who: intune, detail: Everything, text: "The SCEP server issues a certificate to {subject}[, valid until {notAfter}]"},
	"scep.pending":               {who: intune, text: "The SCEP server puts request {transaction} aside"},
	"scep.failed":                {who: intune, text: "Certificate request {name} failed with {code}[: {error}]"},
	"scep.finished":              {who: intune, detail: Everything, text: "Certificate request {name}: {status}[, {code}]"},
	"node.set":                   {who: intune, detail: Everything, text: "{uri} is set"},
	"node.deleted":               {who: intune, detail: Everything, text: "{uri} is deleted"},
	"update.approved":            {who: intune, detail: Everything, text: "Update {update} is approved"},
	"laps.rotated":               {who: pc, text: "The local administrator has a new password"},
	"bitlocker.recovery.rotated": {who: pc, text: "The drive has a new recovery password"},
	"package.applied":            {who: pc, text: "Provisioning package \"{name}\" is applied: {settings} setting(s), {failed} failed"},
	"package.failed":             {who: pc, text: "Provisioning package {file} cannot be applied: {error}"},
	"product.uninstalled":        {who: apps, text: "{product}[ {version}] is uninstalled"},
	"script.run":                 {who: apps, text: "Script {script}: {state}, exit code {exit}"},
	"ime.scripts.selected":       {who: apps, detail: Everything, text: "The gateway names {scripts} script(s) to run"},
	"ime.script.reported":        {who: apps, detail: Everything, text: "The gateway has the report on script {script}: {state}"},
	"device.board.replaced":      {who: pc, text: "Has another board, serial number {serial}"},
	"technician.continued":       {who: hands, text: "Goes on without what failed"},
	"diagnostics.failed":         {who: autopilot, text: "Diagnostics could not be collected: {error}"},

	"http.request":  {who: network, say: request},
	"http.transfer": {who: network, say: transfer},
	"eventlog":      {who: logs, detail: Everything, text: "{channel} {id} {level}: {message}"},
	"log.line":      {who: logs, detail: Everything, text: "{file}: {message}"},

	"refused":     {who: refusal, text: "{service} refuses {operation}[: {check}][, answers {code}]"},
	"fault.fired": {who: broken, text: "Rule {rule}: {action}[ at {operation}]"},
}
