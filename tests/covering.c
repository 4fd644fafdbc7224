#include "covering.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* The pairs that have occurred. */
typedef struct pairs {
  bool seen[COVERING_AXES][COVERING_VALUES][COVERING_AXES][COVERING_VALUES];
} pairs;

/* How many pairs of `value` on `axis` with the axes chosen so far are new. */
static int gain(const covering *plan, const pairs *done, const covering_row *row,
                const bool *chosen, int axis, int value) {
  int news = 0;
  for (int other = 0; other < plan->num_axes; ++other) {
    news += other != axis && chosen[other] && !done->seen[axis][value][other][row->value[other]];
  }
  return news;
}

/* Fills the axes that are not chosen yet, in random order, each with the value that gains most. */
static void complete(const covering *plan, const pairs *done, covering_row *row, bool *chosen,
                     uint64_t *state) {
  int order[COVERING_AXES];
  for (int i = 0; i < plan->num_axes; ++i) {
    const int j = (int)random_below(state, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  for (int i = 0; i < plan->num_axes; ++i) {
    const int axis = order[i];
    if (chosen[axis]) {
      continue;
    }
    const int first = (int)random_below(state, plan->sizes[axis]);
    int best = -1;
    for (int k = 0; k < plan->sizes[axis]; ++k) {
      const int value = (first + k) % plan->sizes[axis];
      const int news = gain(plan, done, row, chosen, axis, value);
      if (news > best) {
        best = news;
        row->value[axis] = value;
      }
    }
    chosen[axis] = true;
  }
}

static int new_pairs(const covering *plan, const pairs *done, const covering_row *row) {
  int news = 0;
  for (int a = 0; a < plan->num_axes; ++a) {
    for (int b = a + 1; b < plan->num_axes; ++b) {
      news += !done->seen[a][row->value[a]][b][row->value[b]];
    }
  }
  return news;
}

/* The best of some random rows that hold the given pair. */
static covering_row best_row(const covering *plan, const pairs *done, const int pair[4],
                             uint64_t *state) {
  enum { TRIES = 12, MORE_TRIES = 200 };
  covering_row best = {{0}};
  int best_news = -1;
  double best_cost = 0;
  for (int i = 0; i < TRIES || (best_cost > plan->limit && i < MORE_TRIES); ++i) {
    covering_row row = {{0}};
    bool chosen[COVERING_AXES] = {false};
    row.value[pair[0]] = pair[1];
    row.value[pair[2]] = pair[3];
    chosen[pair[0]] = chosen[pair[2]] = true;
    complete(plan, done, &row, chosen, state);
    if (i >= TRIES) { /* greed keeps running into the limit: try without it */
      for (int axis = 0; axis < plan->num_axes; ++axis) {
        if (axis != pair[0] && axis != pair[2]) {
          row.value[axis] = (int)random_below(state, plan->sizes[axis]);
        }
      }
    }
    const int news = new_pairs(plan, done, &row);
    const double cost = plan->cost ? plan->cost(&row, plan->context) : 0;
    const bool over = cost > plan->limit;
    const bool best_over = best_cost > plan->limit;
    if (best_news < 0 || (over != best_over ? best_over
                          : over            ? cost < best_cost
                                            : news > best_news)) {
      best = row;
      best_news = news;
      best_cost = cost;
    }
  }
  return best;
}

covering_row *covering_all(const covering *plan, uint64_t seed, int *num_rows) {
  pairs *done = calloc(1, sizeof *done);
  covering_row *rows = NULL;
  int count = 0;
  uint64_t state = seed;
  for (int a = 0; a < plan->num_axes; ++a) {
    for (int b = a + 1; b < plan->num_axes; ++b) {
      for (int cell = 0; cell < plan->sizes[a] * plan->sizes[b]; ++cell) {
        const int pair[4] = {a, cell / plan->sizes[b], b, cell % plan->sizes[b]};
        if (done->seen[pair[0]][pair[1]][pair[2]][pair[3]]) {
          continue;
        }
        const covering_row row = best_row(plan, done, pair, &state);
        if (plan->cost && plan->ceiling > 0 && plan->cost(&row, plan->context) > plan->ceiling) {
          continue;
        }
        rows = realloc(rows, (size_t)(count + 1) * sizeof *rows);
        if (rows == NULL || done == NULL) {
          abort();
        }
        rows[count++] = row;
        for (int i = 0; i < plan->num_axes; ++i) {
          for (int j = 0; j < plan->num_axes; ++j) {
            done->seen[i][row.value[i]][j][row.value[j]] = true;
          }
        }
      }
    }
  }
  free(done);
  *num_rows = count;
  return rows;
}

covering_row *covering_make(const covering *plan, uint64_t seed, int *num_rows) {
  int count = 0;
  covering_row *rows = covering_all(plan, seed, &count);
  const int sample = count < options.sample ? count : options.sample;
  int kept = 0;
  for (int i = sample > 1 ? (int)(seed % (uint64_t)sample) : 0; i < count; i += sample) {
    rows[kept++] = rows[i];
  }
  *num_rows = kept;
  return rows;
}

bool covering_takes(int v, int i, int forms) {
  return options.sample == 1 || ((uint64_t)v + options.seed) % (uint64_t)forms == (uint64_t)i;
}
