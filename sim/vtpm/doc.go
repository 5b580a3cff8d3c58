// Package vtpm gives every virtual PC a TPM 2.0 of its own: real commands and
// real keys of the Microsoft reference code, in virtual time, for thousands of
// chips in one process.
//
// A [Lab] holds the engine, the memory of the chips that have power, and the
// cache of images. A [Chip] is (model, n): its keys and its endorsement key
// certificate are the same in every run; what it draws at random after power-on
// follows from the run's seed. [Lab.Build] makes the images that are missing
// ahead of time, about 0.2 s each, and [Lab.Deal] hands out chips.
//
// All work on a chip is a job of [Chip.Do]: it runs beside the calling actor
// and takes, in virtual time, what the vendor's part would take (models.yaml).
// [AIK], [Key] and the other methods of Chip are such jobs.
//
// # How one engine serves all
//
// The reference code keeps a TPM in global variables. A chip is those variables
// as bytes, in a slot of 32 KiB; the engine copies them in, runs one command and
// copies them out (2 to 3 µs). Entropy comes from a RAND_METHOD that is keyed
// anew for each command, time from the caller. So a response is a function of
// state, command, entropy and time, whatever ran before. Without power a chip
// is its NV memory only, packed. The engine is the only one in the process and
// holds go-tpm-tools' simulator.Get as long as a Lab is open.
//
// # What it is not
//
// Not a TPM that keeps secrets: who knows a chip's name can make its keys.
// RSA-3072 is compiled out of the reference code. The capabilities that a chip
// reports are the reference code's own ("MSFT"), not the vendor's. Locality is
// always 0. It needs linux/amd64, cgo and OpenSSL's headers; elsewhere [Open]
// says so.
package vtpm
