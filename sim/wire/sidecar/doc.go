// Package sidecar holds the wire forms of the Intune Management Extension's gateway, "SideCar": service discovery, the session
// envelope, app policies, content and decryption information, the content file, and status reports.
//
// It is not the agent and not the gateway: nothing is downloaded, detected or installed here. The API is private and moves;
// what stands here is the subset that open-source clients use against the service, with version strings in the
// caller's hands. Each type says where its shape comes from; status reports are our model.
//
// Use it like this: the agent finds the gateway in [ServiceAddresses], PUTs a [Session] with a request of one of the content
// types to [SessionPath], and reads ResponsePayload with [DecodeApps] or [DecodeContent]; [OpenDecryptInfo] and
// [DecryptContent] open what it downloads. The gateway uses the counterparts.
package sidecar
