/*
 * A part of the library that counts its lines, see configuration/guards.py: gcov writes what was
 * counted at exit(), but children of fork() leave by quick_exit(), which runs no handlers of their
 * parent's. The dump is hidden in each shared object, so only the library itself can ask for it.
 */
#include <stdlib.h>

void __gcov_dump(void);

__attribute__((constructor)) static void count_children(void) { (void)at_quick_exit(__gcov_dump); }
