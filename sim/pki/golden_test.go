package pki_test

// rsaKey0 is the beginning of the SHA-256 of the first pool key's modulus.
const rsaKey0 = "e7243f8f252c73fb"
