/* What multiplies tiles of bf16 on the CPU. */
#ifndef KVFORGE_CPU_MATRIX_H
#define KVFORGE_CPU_MATRIX_H

enum {
  KVF_NO_MATRIX = 0,
  KVF_MATRIX = 1 /* its matrix unit */,
  KVF_MATRIX_IN_C = 2 /* for tests */
};

/* Beside one of these: whatever has so few rows that it is slower. */
enum { KVF_MATRIX_ALWAYS = 4 };

/* Beside these: the rows of a unit of work. */
#define KVF_MATRIX_OF_ROWS(rows) ((rows) << 8)
#define KVF_MATRIX_ROWS_OF(matrix) ((matrix) >> 8)

#endif
