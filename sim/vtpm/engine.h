// The C half of the in-process engine: it swaps the state of the Microsoft
// TPM 2.0 reference code (as go-tpm-tools v0.4.11 compiles it) in and out.

#ifndef WINDTUNNEL_VTPM_ENGINE_H
#define WINDTUNNEL_VTPM_ENGINE_H

#include <stdint.h>

enum vtpm_op { VTPM_COMMAND = 0, VTPM_RESET = 1, VTPM_MANUFACTURE = 2 };

// One variable of the reference code that belongs to a chip.
struct vtpm_variable {
	const char *name;
	unsigned char *at; // NULL when the linked simulator lacks the variable
	uint32_t size;     // bytes
	uint32_t offset;   // in a chip's slot
};

// vtpm_init computes the offsets and checks that every variable is linked.
// It returns the size of a chip's state in bytes, 0 when one is missing.
uint32_t vtpm_init(void);

// vtpm_variable returns the i-th variable, NULL behind the last.
const struct vtpm_variable *vtpm_variable(int i);

// vtpm_random_hook makes RAND_bytes answer from the key of the running
// command; vtpm_random_unhook gives OpenSSL its own generator back.
void vtpm_random_hook(void);
void vtpm_random_unhook(void);

// vtpm_save and vtpm_load copy the reference code's variables out and in.
void vtpm_save(unsigned char *slot);
void vtpm_load(const unsigned char *slot);

// vtpm_run executes one operation on the chip in slot. key (32 bytes) is the
// command's entropy, millis the virtual time since the chip got power. The
// answer goes to response (4096 bytes), its length is returned. *nanos is
// the CPU time that this took.
uint32_t vtpm_run(int op, unsigned char *slot, const unsigned char *command,
		  uint32_t length, const unsigned char *key, uint64_t millis,
		  unsigned char *response, uint64_t *nanos);

#endif
