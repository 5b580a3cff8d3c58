//go:build linux && amd64 && cgo

// A chip is the reference code's global variables as bytes. They have external
// linkage; weak references keep cgo's own test link of this package alone from
// failing. A test compares names and sizes with the compiled simulator.

#include "engine.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// Not among them: s_actionIoBuffer (zero between commands), s_jumpBuffer,
// primeLimit (a constant that is computed once) and LibFailCallback (unused).
#define VARIABLES(X) \
	X(g_DRTMHandle, 4) X(g_DrtmPreStartup, 4) X(g_NvStatus, 4) \
	X(g_StartupLocality3, 4) X(g_clearOrderly, 4) \
	X(g_cryptoSelfTestState, 20) X(g_exclusiveAuditSession, 4) \
	X(g_implementedAlgorithms, 9) X(g_inFailureMode, 4) \
	X(g_initialized, 4) X(g_manufactured, 4) X(g_nvOk, 4) \
	X(g_pcrReConfig, 4) X(g_phEnable, 4) X(g_powerWasLost, 4) \
	X(g_prevOrderlyState, 2) X(g_time, 8) X(g_toTest, 9) \
	X(g_updateNV, 1) X(gc, 2844) X(go, 120) X(gp, 1064) X(gr, 392) \
	X(s_DAPendingOnNV, 4) X(s_NV, 16384) X(s_actionIoAllocation, 4) \
	X(s_adjustRate, 4) X(s_associatedHandles, 12) X(s_attributes, 12) \
	X(s_auditSessionIndex, 4) X(s_cachedNvIndex, 148) \
	X(s_cachedNvRamRef, 8) X(s_cachedNvRef, 4) \
	X(s_cpHashForCommandAudit, 66) X(s_decryptSessionIndex, 4) \
	X(s_encryptSessionIndex, 4) X(s_evictNvEnd, 4) X(s_failCode, 4) \
	X(s_failFunction, 4) X(s_failLine, 4) X(s_freeSessionSlots, 4) \
	X(s_indexOrderlyRam, 512) X(s_inputAuthValues, 198) \
	X(s_lastReportedTime, 8) X(s_lastSystemTime, 8) X(s_maxCounter, 8) \
	X(s_nonceCaller, 198) X(s_objects, 3852) X(s_oldestSavedSession, 4) \
	X(s_pcrs, 3936) X(s_realTimePrevious, 8) X(s_sessionHandles, 12) \
	X(s_sessions, 984) X(s_timerReset, 1) X(s_tpmTime, 8) \
	X(s_usedSessions, 24)

#define DECLARE(name, size) extern unsigned char name[] __attribute__((weak));
VARIABLES(DECLARE)
extern void _plat__Reset(bool manufacture) __attribute__((weak));
extern void _plat__RunCommand(uint32_t size, unsigned char *request,
			      uint32_t *response_size,
			      unsigned char **response) __attribute__((weak));
extern const void *CryptGetHashDef(uint16_t algorithm) __attribute__((weak));
extern void CryptCmacData(void) __attribute__((weak));
extern void CryptCmacEnd(void) __attribute__((weak));

#define ROW(name, size) {#name, name, size, 0},
static struct vtpm_variable variables[] = {VARIABLES(ROW)};
#define COUNT ((int)(sizeof(variables) / sizeof(variables[0])))

static uint32_t objects_at, ram_ref_at; // in a slot

uint32_t vtpm_init(void)
{
	uint32_t end = 0;
	if (!_plat__Reset || !_plat__RunCommand || !CryptGetHashDef || !CryptCmacData || !CryptCmacEnd)
		return 0;
	for (int i = 0; i < COUNT; i++) {
		struct vtpm_variable *v = &variables[i];
		if (!v->at)
			return 0;
		v->offset = end;
		if (v->at == s_objects)
			objects_at = end;
		if (v->at == s_cachedNvRamRef)
			ram_ref_at = end;
		end += (v->size + 7) & ~7u;
	}
	return end;
}

const struct vtpm_variable *vtpm_variable(int i)
{
	return i >= 0 && i < COUNT ? &variables[i] : NULL;
}

void vtpm_digest(unsigned char *digest)
{
	SHA256_CTX c;
	uint64_t box = sizeof(struct vtpm_mailbox);
	SHA256_Init(&c);
	SHA256_Update(&c, &box, sizeof(box));
	for (int i = 0; i < COUNT; i++) {
		struct vtpm_variable *v = &variables[i];
		SHA256_Update(&c, v->name, strlen(v->name) + 1);
		SHA256_Update(&c, &v->size, sizeof(v->size));
		SHA256_Update(&c, &v->offset, sizeof(v->offset));
	}
	SHA256_Final(digest, &c);
}

// Pointers. A running hash, HMAC, CMAC or event sequence is an object whose
// hash states point to the methods of their algorithm (HASH_OBJECT in Global.h,
// HASH_STATE and SMAC_STATE in CryptHash.h), and the last NV index in RAM is
// remembered by its address until the next command. In a slot all of them are
// zero, so that an engine at other addresses can go on; a test looks for more.

#define OBJECT_SIZE 1284
#define OBJECT_COUNT 3
#define HASH_STATES_AT 80
#define HASH_STATE_SIZE 232
#define HASH_STATE_COUNT 4
#define HASH_STATE_SMAC 3
#define SEQUENCE_MAC (1u << 8)
#define SEQUENCE_HASH (1u << 9)
#define SEQUENCE_EVENT (1u << 10)
#define OCCUPIED (1u << 15)

static void put_pointer(unsigned char *at, const void *p)
{
	memcpy(at, &p, sizeof(p));
}

static void point(unsigned char *state, bool on)
{
	uint16_t algorithm;
	if (state[0] == HASH_STATE_SMAC) {
		put_pointer(state + 16, on ? (const void *)CryptCmacData : NULL);
		put_pointer(state + 24, on ? (const void *)CryptCmacEnd : NULL);
	}
	memcpy(&algorithm, state + 2, sizeof(algorithm));
	put_pointer(state + 8, on ? CryptGetHashDef(algorithm) : NULL);
}

static void point_all(unsigned char *objects, bool on)
{
	for (int i = 0; i < OBJECT_COUNT; i++) {
		unsigned char *object = objects + i * OBJECT_SIZE;
		uint32_t attributes;
		int n = 0;
		memcpy(&attributes, object, sizeof(attributes));
		if (!(attributes & OCCUPIED)) {
			// What was there before would shine through in the next
			// object's saved context.
			memset(object, 0, OBJECT_SIZE);
			continue;
		}
		if (attributes & (SEQUENCE_MAC | SEQUENCE_HASH))
			n = 1;
		if (attributes & SEQUENCE_EVENT)
			n = HASH_STATE_COUNT;
		for (int k = 0; k < n; k++)
			point(object + HASH_STATES_AT + k * HASH_STATE_SIZE, on);
	}
}

void vtpm_save(unsigned char *slot)
{
	for (int i = 0; i < COUNT; i++) {
		struct vtpm_variable *v = &variables[i];
		memcpy(slot + v->offset, v->at, v->size);
	}
	point_all(slot + objects_at, false);
	put_pointer(slot + ram_ref_at, NULL);
}

void vtpm_load(const unsigned char *slot)
{
	for (int i = 0; i < COUNT; i++) {
		struct vtpm_variable *v = &variables[i];
		memcpy(v->at, slot + v->offset, v->size);
	}
	point_all(s_objects, true);
}

// Entropy: SHA-256 in counter mode over the command's key, for the thread that
// runs a command. Whoever else in the process asks OpenSSL for random bytes gets
// OpenSSL's own, and cannot disturb a chip.

static __thread struct {
	bool on;
	unsigned char key[40];
	uint64_t counter;
} entropy;

static int random_bytes(unsigned char *out, int n)
{
	unsigned char block[SHA256_DIGEST_LENGTH];
	if (!entropy.on)
		return RAND_OpenSSL()->bytes(out, n);
	while (n > 0) {
		int take = n < (int)sizeof(block) ? n : (int)sizeof(block);
		memcpy(entropy.key + 32, &entropy.counter, sizeof(entropy.counter));
		entropy.counter++;
		SHA256(entropy.key, sizeof(entropy.key), block);
		memcpy(out, block, take);
		out += take;
		n -= take;
	}
	return 1;
}

static int random_seed(const void *buf, int n)
{
	return entropy.on ? 1 : RAND_OpenSSL()->seed(buf, n);
}

static int random_add(const void *buf, int n, double randomness)
{
	return entropy.on ? 1 : RAND_OpenSSL()->add(buf, n, randomness);
}

static int random_status(void)
{
	return entropy.on ? 1 : RAND_OpenSSL()->status();
}

static const RAND_METHOD random_method = {
	random_seed, random_bytes, NULL, random_add, random_bytes, random_status,
};

void vtpm_random_hook(void)
{
	RAND_set_rand_method(&random_method);
}

void vtpm_random_unhook(void)
{
	RAND_set_rand_method(NULL);
}

// Time: the platform layer's timer adds real time to s_tpmTime only while
// s_realTimePrevious is behind s_lastReportedTime (Samples/Google/Clock.c,
// _plat__TimerRead). With both far ahead s_tpmTime stays what it is set to.

#define TIMER_SEEN 1
#define TIMER_REPORTED ((uint64_t)1 << 50)
#define TIMER_PREVIOUS ((uint64_t)1 << 51)

static void put64(unsigned char *at, uint64_t v)
{
	memcpy(at, &v, sizeof(v));
}

static void freeze_timer(void)
{
	put64(s_lastSystemTime, TIMER_SEEN);
	put64(s_lastReportedTime, TIMER_REPORTED);
	put64(s_realTimePrevious, TIMER_PREVIOUS);
}

/* What the thread has computed: waiting for a core is not the engine's work. */
static uint64_t cpu_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint32_t vtpm_run(int op, unsigned char *slot, const unsigned char *command,
		  uint32_t length, const unsigned char *key, uint64_t millis,
		  unsigned char *response, uint64_t *nanos)
{
	uint64_t begin = cpu_time();
	uint32_t size = 0;
	uint32_t failed, fails;
	vtpm_load(slot);
	memcpy(&failed, s_failFunction, sizeof(failed));
	memcpy(entropy.key, key, 32);
	entropy.counter = 0;
	entropy.on = true;
	freeze_timer();
	put64(s_tpmTime, millis);
	if (op == VTPM_COMMAND) {
		// In failure mode the reference code answers from a buffer of
		// its own and moves the pointer there.
		unsigned char *answer = response;
		size = 4096;
		_plat__RunCommand(length, (unsigned char *)command, &size, &answer);
		if (answer != response)
			memcpy(response, answer, size);
	} else {
		_plat__Reset(op == VTPM_MANUFACTURE);
	}
	entropy.on = false;
	// The lower half of a function name's address (TpmFail), which a chip
	// in failure mode tells: relative, it is the same in every process.
	memcpy(&fails, s_failFunction, sizeof(fails));
	if (fails != failed) {
		fails -= (uint32_t)(uintptr_t)_plat__RunCommand;
		memcpy(s_failFunction, &fails, sizeof(fails));
	}
	freeze_timer();
	vtpm_save(slot);
	*nanos = cpu_time() - begin;
	return size;
}
