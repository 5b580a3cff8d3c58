//go:build linux && amd64 && cgo

#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void give_up(const char *what)
{
	fprintf(stderr, "TPM engine: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void tell_parent(void)
{
	ssize_t n;
	do
		n = write(VTPM_DONE, "", 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(0); // it is gone
}

static void await_parent(void)
{
	char b;
	ssize_t n;
	do
		n = read(VTPM_DO, &b, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(0);
}

static void fetch_state(unsigned char *state, uint32_t size, uint64_t at)
{
	uint32_t have = 0;
	while (have < size) {
		ssize_t n = pread(VTPM_SLOTS, state + have, size - have, (off_t)(at + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			give_up("read a chip");
		have += (uint32_t)n;
	}
}

void vtpm_serve(uint32_t state_size)
{
	struct vtpm_mailbox *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, VTPM_MAILBOX, 0);
	if (m == MAP_FAILED)
		give_up("map the mailbox");
	// Go's own pipes never block.
	if (fcntl(VTPM_DO, F_SETFL, 0) || fcntl(VTPM_DONE, F_SETFL, 0))
		give_up("open the pipes");
	vtpm_digest(m->digest);
	m->state_size = state_size;
	for (;;) {
		tell_parent();
		await_parent();
		fetch_state(m->state, state_size, m->slot);
		m->size = vtpm_run((int)m->op, m->state, m->command, m->length, m->key, m->millis, m->response, &m->nanos);
	}
}
