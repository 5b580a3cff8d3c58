package hresult

// FromWin32 is HRESULT_FROM_WIN32 of winerror.h: the Win32 error in facility 7.
// 0 and what is an HRESULT already stay as they are.
func FromWin32(code int) Code {
	if code <= 0 || code > 0xFFFF {
		return Code(uint32(code))
	}
	return Code(uint32(code) | 0x80070000)
}
