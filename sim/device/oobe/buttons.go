package oobe

// Buttons and fields, as people read them.
const (
	ButtonNext        = "Next"
	ButtonYes         = "Yes"
	ButtonConnect     = "Connect"
	ButtonContinue    = "Continue"
	ButtonCancel      = "Cancel"
	ButtonRefresh     = "Refresh"
	ButtonProvision   = "Provision"
	ButtonReseal      = "Reseal"
	ButtonDiagnostics = "View diagnostics"
	ButtonRetry       = "Retry"
	ButtonReset       = "Reset"
	ButtonTryAgain    = "Try again"
	ButtonAccept      = "Accept"
	ButtonShutDown    = "Shut down"
	ButtonRestart     = "Restart"
	ButtonOK          = "OK"
	ButtonNo          = "No"
	ButtonSignIn      = "Sign in"
	ButtonSignOut     = "Sign out"
	ButtonAnyway      = "Continue anyway"
	ButtonLogs        = "Collect logs"
	ButtonExport      = "Export logs"
	ButtonClose       = "Close"
	ButtonForWork     = "Set up for work or school"

	FieldLanguage = "Language"
	FieldRegion   = "Region"
	FieldKeyboard = "Keyboard"
	FieldOption   = "Option"
	FieldEmail    = "Email"
	FieldPassword = "Password"
	FieldUserName = "User name"
	FieldNew      = "New password"
	FieldConfirm  = "Confirm password"

	OptionProvision    = "Windows Autopilot provisioning"       // Windows 10
	OptionPreProvision = "Pre-provision with Windows Autopilot" // Windows 11
	OptionPackage      = "Install provisioning package"

	// KeyWindows is struck five times on a first screen to open the options.
	KeyWindows = "Windows"
	// KeyLogs opens the diagnostics page on a page that says what failed.
	KeyLogs = "Ctrl+Shift+D"
)

// Identifiers of the screens.
const (
	ScreenLanguage = "oobe.language"
	ScreenRegion   = "oobe.region"
	ScreenKeyboard = "oobe.keyboard"
	ScreenNetwork  = "oobe.network"
	ScreenSignIn   = "oobe.signin"
	ScreenWrongOrg = "oobe.wrongorganization"
	ScreenWrong    = "oobe.somethingwentwrong"
	ScreenEULA     = "oobe.eula"
	ScreenLocal    = "oobe.localaccount"
	ScreenCombined = "oobe.combined" // the first pages in one, after too many starts
	ScreenOptions  = "autopilot.options"
	ScreenLanding  = "autopilot.landing"
	ScreenESP      = "esp"
	ScreenSuccess  = "autopilot.success"
	ScreenFailure  = "autopilot.failure"
	ScreenExport   = "autopilot.diagnostics"
	ScreenDesktop  = "desktop"
	ScreenLogon    = "logon.signin"
	ScreenLock     = "logon.lock"
	ScreenNotice   = "logon.notice"
	ScreenConsent  = "logon.consent"
	ScreenUpdates  = "oobe.updates"
	ScreenRecovery = "recovery"

	ScreenStop      = "recovery.stop" // blue; Windows does not start
	ScreenResealing = "autopilot.resealing"

	ScreenDomain         = "oobe.domain"          // waits for the domain join and a controller
	ScreenChangePassword = "logon.changepassword" // of the domain's account
	ScreenWorkAccount    = "account.work"         // Entra credentials in a domain's session
	ScreenSignOut        = "esp.signout"          // end of a domain user's account setup
)
