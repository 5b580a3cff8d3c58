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

#define ROW(name, size) {#name, name, size, 0},
static struct vtpm_variable variables[] = {VARIABLES(ROW)};
#define COUNT ((int)(sizeof(variables) / sizeof(variables[0])))

uint32_t vtpm_init(void)
{
	uint32_t end = 0;
	if (!_plat__Reset || !_plat__RunCommand)
		return 0;
	for (int i = 0; i < COUNT; i++) {
		struct vtpm_variable *v = &variables[i];
		if (!v->at)
			return 0;
		v->offset = end;
		end += (v->size + 7) & ~7u;
	}
	return end;
}

const struct vtpm_variable *vtpm_variable(int i)
{
	return i >= 0 && i < COUNT ? &variables[i] : NULL;
}

void vtpm_save(unsigned char *slot)
{
	for (int i = 0; i < COUNT; i++) {
		struct vtpm_variable *v = &variables[i];
		memcpy(slot + v->offset, v->at, v->size);
	}
}

void vtpm_load(const unsigned char *slot)
{
	for (int i = 0; i < COUNT; i++) {
		struct vtpm_variable *v = &variables[i];
		memcpy(v->at, slot + v->offset, v->size);
	}
}

// Entropy: SHA-256 in counter mode over the command's key. The engine runs one
// command at a time, so plain statics do.

static unsigned char random_key[40];
static uint64_t random_counter;

static void random_start(const unsigned char *key)
{
	memcpy(random_key, key, 32);
	random_counter = 0;
}

static int random_bytes(unsigned char *out, int n)
{
	unsigned char block[SHA256_DIGEST_LENGTH];
	while (n > 0) {
		int take = n < (int)sizeof(block) ? n : (int)sizeof(block);
		memcpy(random_key + 32, &random_counter, sizeof(random_counter));
		random_counter++;
		SHA256(random_key, sizeof(random_key), block);
		memcpy(out, block, take);
		out += take;
		n -= take;
	}
	return 1;
}

static int random_seed(const void *buf, int n)
{
	(void)buf;
	(void)n;
	return 1;
}

static int random_add(const void *buf, int n, double entropy)
{
	(void)buf;
	(void)n;
	(void)entropy;
	return 1;
}

static int random_status(void)
{
	return 1;
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
	vtpm_load(slot);
	random_start(key);
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
	freeze_timer();
	vtpm_save(slot);
	*nanos = cpu_time() - begin;
	return size;
}
