/* How much of a stack a call takes. */
#ifndef KVF_TESTS_STACK_H
#define KVF_TESTS_STACK_H

#include <stdint.h>

/*
 * Calls the function on a thread of its own: how many bytes of its stack are written, beyond those
 * that any thread writes. Main thread only. What the function calls is to have been called before,
 * since the dynamic linker uses the stack, too. -1 where stacks are not what they are elsewhere,
 * under AddressSanitizer.
 */
int64_t stack_used(void (*function)(void *), void *argument);

#endif
