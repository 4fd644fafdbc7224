/* Control functions of the emulated CUDA driver, for tests.
 *
 * The driver itself is used through its libcuda names. A test that opened the emulator with dlopen
 * finds these two with dlsym; they take the driver's lock, so any thread may call them. */
#ifndef KVF_EMULATOR_H
#define KVF_EMULATOR_H

#ifdef __cplusplus
extern "C" {
#endif

/* The first fault since the last reset, as one sentence that names kernel, thread, block and the
 * reason; an empty string if there was none. The text belongs to the emulator and is valid until
 * the next reset. */
const char *kvf_emulator_last_fault(void);

/* Makes every context usable again after a fault, which a real device never does: clears the sticky
 * errors, drops the work still queued and forgets the last fault. Memory, streams, events and
 * libraries live on. */
void kvf_emulator_reset(void);

#ifdef __cplusplus
}
#endif

#endif
