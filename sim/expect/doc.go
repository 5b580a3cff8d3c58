// Package expect has Gomega matchers that read like what people say of a PC:
//
//	Expect(pc).To(expect.ReachDesktop())
//	Expect(pc).To(expect.FailWith(hresult.TPMMaxRetry))
//	Expect(pc).NotTo(expect.HaveInstalled("Notes"))
//	expect.Eventually(w, pc).Within(time.Hour).Should(expect.BeCompliant())
//
// The actual value is a *device.PC. What has happened to it is in its journal, and
// a matcher that fails prints that: the last of the PC's own story, and beside it
// what the services wrote about it. Nothing here lets time pass but Eventually and
// Consistently, which do so in virtual time.
//
// Events are remembered as far back as the PC's world keeps them.
package expect
