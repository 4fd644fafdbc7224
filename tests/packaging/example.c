/* What each route has to run: one token written to an fp8 cache, and its bytes printed. */
#include <kvforge/kvforge.h>
#include <stdio.h>

enum { HEADS = 2, SIZE = 4, PAGES = 2, PAGE = 4 };

int main(void) {
  float key[HEADS * SIZE], value[HEADS * SIZE], scale = 0.5f;
  static uint8_t key_pages[PAGES * PAGE * HEADS * SIZE], value_pages[sizeof key_pages];
  int64_t slot = 5, one[] = {1}, tokens[] = {1, HEADS, SIZE}, pages[] = {PAGES, PAGE, HEADS, SIZE};
  for (int i = 0; i < HEADS * SIZE; i++) {
    key[i] = (float)i;
    value[i] = -key[i];
  }
  DLDevice cpu = {kDLCPU, 0};
  DLDataType f32 = {kDLFloat, 32, 1}, u8 = {kDLUInt, 8, 1}, i64 = {kDLInt, 64, 1};
  DLTensor k = {key, cpu, 3, f32, tokens, NULL, 0}, v = {value, cpu, 3, f32, tokens, NULL, 0};
  DLTensor kc = {key_pages, cpu, 4, u8, pages, NULL, 0},
           vc = {value_pages, cpu, 4, u8, pages, NULL, 0};
  DLTensor s = {&slot, cpu, 1, i64, one, NULL, 0}, scales = {&scale, cpu, 0, f32, NULL, NULL, 0};
  if (kvf_reshape_and_cache_flash(NULL, &k, &v, &kc, &vc, &s, "fp8", &scales, &scales, NULL) !=
      KVF_OK) {
    puts(kvf_last_error());
    return 1;
  }
  for (int i = 0; i < HEADS * SIZE; i++) {
    printf("%02x%02x ", key_pages[5 * HEADS * SIZE + i], value_pages[5 * HEADS * SIZE + i]);
  }
  int others = 0;
  for (size_t i = 0; i < sizeof key_pages; i++) {
    others += (i < 5 * HEADS * SIZE || i >= 6 * HEADS * SIZE) && (key_pages[i] || value_pages[i]);
  }
  printf("%d\n", others);
  return 0;
}
