/* Reading the fixture: NumPy's .npy files, version 1.0, little-endian f32, C order, four
 * dimensions. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

/* The dictionary between the magic and the data, as a string. */
static void read_header(FILE *file, const char *path, char *header, size_t size) {
  unsigned char start[10];
  if (fread(start, 1, sizeof start, file) != sizeof start || memcmp(start, "\x93NUMPY", 6) != 0) {
    fail("%s: not a .npy file", path);
  }
  if (start[6] != 1 || start[7] != 0) {
    fail("%s: .npy version is %d.%d, want 1.0", path, start[6], start[7]);
  }
  const size_t length = start[8] + 256u * start[9];
  if (length >= size || fread(header, 1, length, file) != length) {
    fail("%s: the header of %zu bytes is cut off or longer than %zu", path, length, size - 1);
  }
  header[length] = '\0';
}

static extent parse_header(const char *header, const char *path) {
  if (strstr(header, "'descr': '<f4'") == NULL) {
    fail("%s: want little-endian f32 ('<f4'), the header is %s", path, header);
  }
  if (strstr(header, "'fortran_order': False") == NULL) {
    fail("%s: want C order, the header is %s", path, header);
  }
  extent size = {0};
  const char *const shape = strstr(header, "'shape': (");
  char end = '\0';
  if (shape == NULL ||
      sscanf(shape, "'shape': (%" SCNd64 ", %" SCNd64 ", %" SCNd64 ", %" SCNd64 "%c", &size.layers,
             &size.tokens, &size.heads, &size.head_size, &end) != 5 ||
      end != ')') {
    fail("%s: want 4 dimensions, the header is %s", path, header);
  }
  const int64_t sizes[] = {size.layers, size.tokens, size.heads, size.head_size};
  for (int i = 0; i < 4; i++) {
    if (sizes[i] < 1 || sizes[i] > 4096) {
      fail("%s: dimension %d is %" PRId64 ", want 1 to 4096", path, i, sizes[i]);
    }
  }
  return size;
}

static float *load(const char *folder, const char *name, extent *size) {
  char path[4096];
  char header[4096];
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
    fail("%s: the path is too long", folder);
  }
  FILE *const file = fopen(path, "rb");
  if (file == NULL) {
    fail("%s: cannot be opened", path);
  }
  read_header(file, path, header, sizeof header);
  *size = parse_header(header, path);
  const size_t elements = (size_t)extent_elements(size);
  float *const numbers = allocate(elements, sizeof *numbers);
  if (fread(numbers, sizeof *numbers, elements, file) != elements || fgetc(file) != EOF) {
    fail("%s: want %zu numbers after the header, found fewer or more", path, elements);
  }
  (void)fclose(file);
  return numbers;
}

fixture fixture_load(const char *folder) {
  const uint16_t one = 1;
  if (*(const unsigned char *)&one != 1) {
    fail("this machine is big-endian; the demo reads and writes little-endian numbers");
  }
  fixture data = {0};
  extent sizes[2];
  data.query = load(folder, "query.npy", &data.size);
  data.key = load(folder, "key.npy", &sizes[0]);
  data.value = load(folder, "value.npy", &sizes[1]);
  for (int i = 0; i < 2; i++) {
    if (memcmp(&sizes[i], &data.size, sizeof data.size) != 0) {
      fail("%s: query.npy, key.npy and value.npy have different shapes", folder);
    }
  }
  return data;
}

void fixture_free(fixture *data) {
  free(data->query);
  free(data->key);
  free(data->value);
}
