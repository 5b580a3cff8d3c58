// Package vtpm gives every virtual PC a TPM 2.0 of its own: real commands and
// real keys of the Microsoft reference code, in virtual time, for thousands of
// chips in one process.
//
// A [Lab] holds the engines, the memory of the chips that have power, and the
// cache of images. A [Chip] is (model, n): its keys and its endorsement key
// certificate are the same in every run; what it draws at random after power-on
// follows from the run's seed. [Lab.Build] makes the images that are missing
// ahead of time, about 0.2 s each, and [Lab.Deal] hands out chips.
//
// Images are files in a [Cache], in a folder for each model that is named by a
// digest of the recipe: 10 to 11 KB each, checked when they are read, and made
// again when they are damaged. Any number of processes may use one cache; what
// one is making the others wait for.
//
// All work on a chip is a job of [Chip.Do]: it runs beside the calling actor
// and takes, in virtual time, what the vendor's part would take (models.yaml).
// [AIK], [Key] and the other methods of Chip are such jobs. [Chip.Exchange] runs
// a command of somebody else's making; package mssim offers a chip over TCP.
//
// # Parts and their conditions
//
// models.yaml has the parts: who made them, their firmware, which EKs they have
// and where the certificates of those are, the oddities of the certificates, how
// long commands take, and which firmware has which fault. [UsualModels] are those
// that PCs have where nobody says which. A chip may come in another condition
// than the factory's ([InState]), which commands have brought about. What the
// vendor of a firmware TPM has on its host for a chip is [Chip.Published].
//
// # How one engine serves all
//
// The reference code keeps a TPM in global variables. A chip is those variables
// as bytes, in a slot of 32 KiB; the engine copies them in, runs one command and
// copies them out (2 to 3 µs). Entropy comes from a RAND_METHOD that is keyed
// anew for each command and means the thread that runs it, time from the caller.
// So a response is a function of state, command, entropy and time, whatever ran
// before. Without power a chip is its NV memory only, packed. The first engine
// is in this process, once, and holds go-tpm-tools' simulator.Get as long as a
// Lab is open.
//
// # How many engines serve all
//
// Further engines are processes: this same binary again, whichever it is, told
// by its environment and its name to be one (engine_child.go). They start when
// callers have waited for engines as long as a process costs to start, up to
// Options.Engines, and end with the Lab, or with their parent however that ends.
// Any engine serves any chip. A child reads the chip's slot from the shared
// memory file, works in its own mailbox, and the slot changes when the whole
// answer is there; pointers are left out of slots. So a child may be killed or
// hang at any moment: it is replaced, and its command is run again by another
// process, with the same bytes in and out. A command that costs three engines
// which nobody has killed is an error. What runs in this process cannot be lost
// without it: a command that has cost an engine does not come here as long as
// there is another.
//
// In a position-independent build (-buildmode=pie) a saved context of a hash or
// HMAC sequence, and only that, differs with the engine that saved it; any
// engine loads it.
//
// # What it is not
//
// Not a TPM that keeps secrets: who knows a chip's name can make its keys.
// RSA-3072 is compiled out of the reference code: a part with such an EK shows
// it in certificate and hardware hash, and answers its template with
// TPM_RC_VALUE. The reference code's maker is compiled in ("MSFT"): answers to
// TPM2_GetCapability have the vendor's name put in where no session covers them.
// Of a TPM 1.2 there is no more than that it is none of 2.0. Locality is always
// 0. It needs linux/amd64, cgo and OpenSSL's headers; elsewhere [Open]
// says so.
package vtpm
