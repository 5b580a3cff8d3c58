// The C half of an engine: it swaps the state of the Microsoft
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
// command, in the thread that runs it; vtpm_random_unhook ends that.
void vtpm_random_hook(void);
void vtpm_random_unhook(void);

// vtpm_digest is a SHA-256 over the layout of slots and mailboxes: two engines
// with the same one understand each other.
void vtpm_digest(unsigned char *digest);

// vtpm_save and vtpm_load copy the reference code's variables out and in. In a
// slot no address of this process is left.
void vtpm_save(unsigned char *slot);
void vtpm_load(const unsigned char *slot);

// vtpm_run executes one operation on the chip in slot. key (32 bytes) is the
// command's entropy, millis the virtual time since the chip got power. The
// answer goes to response (4096 bytes), its length is returned. *nanos is
// the CPU time that this took.
uint32_t vtpm_run(int op, unsigned char *slot, const unsigned char *command,
		  uint32_t length, const unsigned char *key, uint64_t millis,
		  unsigned char *response, uint64_t *nanos);

// A mailbox is the memory that a child process shares with its parent: one
// operation, its answer, and the chip's new state. The chip's slot itself is
// only read by the child.
struct vtpm_mailbox {
	unsigned char digest[32]; // the child's, at its start
	uint64_t slot;            // offset in the file of slots
	uint64_t millis;
	uint64_t nanos;
	uint32_t op;
	uint32_t length; // of the command
	uint32_t size;   // of the response
	uint32_t state_size;
	unsigned char key[32];
	unsigned char command[4096];
	unsigned char response[4096];
	unsigned char state[32768];
};

// What a child finds open: the file of slots, its mailbox, and two pipes. A byte
// on the one means "do it", a byte on the other "done".
enum vtpm_descriptor { VTPM_SLOTS = 3, VTPM_MAILBOX = 4, VTPM_DO = 5, VTPM_DONE = 6 };

// vtpm_serve is the life of a child process. It ends the process.
void vtpm_serve(uint32_t state_size);

#endif
