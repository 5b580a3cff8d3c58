package oauth_test

import (
	"fmt"

	"windtunnel.test/sim/wire/oauth"
)

func Example() {
	form := oauth.TokenRequest{GrantType: oauth.GrantChallenge}.Form()
	fmt.Println(form.Encode())

	key, _ := oauth.DeriveKey(oauth.KDF1, make([]byte, oauth.SessionKeySize), make([]byte, oauth.ContextSize), nil)
	fmt.Println(len(key), "bytes sign one request")
	// Output:
	// grant_type=srv_challenge
	// 32 bytes sign one request
}
