#include "xxh3.h"

#include <stdio.h>

static const char secret_digits[] =
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e";

/* Eight bytes, the lowest first. */
static uint64_t word(const uint8_t *from) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) {
    value = value * 256 + from[i];
  }
  return value;
}

static uint64_t secret(int byte) {
  uint8_t eight[8];
  for (int i = 0; i < 8; ++i) {
    unsigned value = 0;
    (void)sscanf(secret_digits + 2 * (byte + i), "%2x", &value);
    eight[i] = (uint8_t)value;
  }
  return word(eight);
}

static const uint64_t P32[] = {0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D};
static const uint64_t P64[] = {0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                               0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5};

static void stripe(uint64_t *acc, const uint8_t *from, const uint64_t *keys) {
  for (int i = 0; i < 8; ++i) {
    const uint64_t v = word(from + 8 * i);
    const uint64_t x = v ^ keys[i];
    acc[i ^ 1] += v;
    acc[i] += x % 0x100000000 * (x / 0x100000000);
  }
}

static uint64_t fold(uint64_t a, uint64_t b) {
  const unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t oracle_xxh3(const uint8_t *from, int64_t bytes) {
  uint64_t acc[8] = {P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]};
  uint64_t keys[24];
  uint64_t last[8];
  for (int i = 0; i < 24; ++i) {
    keys[i] = secret(8 * i);
  }
  for (int i = 0; i < 8; ++i) {
    last[i] = secret(121 + 8 * i);
  }
  for (int64_t block = 0; block < bytes / 1024; ++block) {
    const int64_t at = 1024 * block;
    const int ends = at + 1024 == bytes;
    for (int s = 0; s < 16 - ends; ++s) {
      stripe(acc, from + at + 64 * s, keys + s);
    }
    for (int i = 0; i < 8 && !ends; ++i) {
      acc[i] = (acc[i] ^ acc[i] >> 47 ^ keys[16 + i]) * P32[0];
    }
  }
  stripe(acc, from + bytes - 64, last);
  uint64_t result = (uint64_t)bytes * P64[0];
  for (int i = 0; i < 4; ++i) {
    result += fold(acc[2 * i] ^ secret(11 + 16 * i), acc[2 * i + 1] ^ secret(19 + 16 * i));
  }
  result = (result ^ result >> 37) * 0x165667919E3779F9;
  return result ^ result >> 32;
}
