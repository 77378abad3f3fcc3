// The guest of the round trips in C, over the untouched output of the official wit-bindgen: each export answers what the
// import of the same name answers. Imports borrow their parameters; exports own theirs and free them.
#include <stdlib.h>
#include <string.h>

#include "roundtrip.h"

#define SCALAR(type, name) \
  type exports_drover_roundtrip_echo_##name(type v) { return drover_roundtrip_mirror_##name(v); }

SCALAR(bool, truth)
SCALAR(uint8_t, u_eight)
SCALAR(int8_t, s_eight)
SCALAR(uint16_t, u_sixteen)
SCALAR(int16_t, s_sixteen)
SCALAR(uint32_t, u_thirty_two)
SCALAR(int32_t, s_thirty_two)
SCALAR(uint64_t, u_sixty_four)
SCALAR(int64_t, s_sixty_four)
SCALAR(float, f_thirty_two)
SCALAR(double, f_sixty_four)
SCALAR(drover_roundtrip_types_color_t, hue)
SCALAR(drover_roundtrip_types_big_t, large)

#define COMPOUND(type, name, release)                                    \
  void exports_drover_roundtrip_echo_##name(type *v, type *ret) {        \
    drover_roundtrip_mirror_##name((void *)v, (void *)ret);              \
    release((void *)v);                                                  \
  }

static void keep(void *v) { (void)v; }

COMPOUND(drover_roundtrip_types_scalars_t, all_scalars, keep)
COMPOUND(roundtrip_string_t, text, roundtrip_string_free)
COMPOUND(roundtrip_list_u8_t, bytes, roundtrip_list_u8_free)
COMPOUND(roundtrip_list_f64_t, doubles, roundtrip_list_f64_free)
COMPOUND(drover_roundtrip_types_shape_t, one_shape, exports_drover_roundtrip_echo_shape_free)
COMPOUND(exports_drover_roundtrip_echo_list_shape_t, shapes, exports_drover_roundtrip_echo_list_shape_free)
COMPOUND(drover_roundtrip_types_lists_t, all_lists, exports_drover_roundtrip_echo_lists_free)
COMPOUND(drover_roundtrip_types_maybes_t, all_maybes, exports_drover_roundtrip_echo_maybes_free)

bool exports_drover_roundtrip_echo_maybe_bytes(roundtrip_list_u8_t *maybe_v, roundtrip_list_u8_t *ret) {
  bool some = drover_roundtrip_mirror_maybe_bytes(maybe_v, ret);
  if (maybe_v) roundtrip_list_u8_free(maybe_v);
  return some;
}

bool exports_drover_roundtrip_echo_tried_bytes(
    exports_drover_roundtrip_echo_result_list_u8_color_t *v, roundtrip_list_u8_t *ret,
    drover_roundtrip_types_color_t *err) {
  bool ok = drover_roundtrip_mirror_tried_bytes((void *)v, ret, err);
  exports_drover_roundtrip_echo_result_list_u8_color_free(v);
  return ok;
}

bool exports_drover_roundtrip_echo_nested(
    exports_drover_roundtrip_echo_result_option_shape_tuple2_string_u8_t *v,
    exports_drover_roundtrip_echo_option_shape_t *ret, roundtrip_tuple2_string_u8_t *err) {
  bool ok = drover_roundtrip_mirror_nested((void *)v, (void *)ret, err);
  exports_drover_roundtrip_echo_result_option_shape_tuple2_string_u8_free(v);
  return ok;
}

void exports_drover_roundtrip_echo_many(
    uint8_t a, roundtrip_string_t *b, roundtrip_list_u8_t *c, exports_drover_roundtrip_echo_list_point_t *d,
    drover_roundtrip_types_shape_t *e, uint64_t f, roundtrip_string_t *g, double h,
    drover_roundtrip_types_lists_t *ret) {
  drover_roundtrip_mirror_many(a, b, c, (void *)d, e, f, g, h, ret);
  roundtrip_string_free(b);
  roundtrip_list_u8_free(c);
  exports_drover_roundtrip_echo_list_point_free(d);
  exports_drover_roundtrip_echo_shape_free(e);
  roundtrip_string_free(g);
}

void exports_drover_roundtrip_echo_nothing(void) { drover_roundtrip_mirror_nothing(); }

static drover_roundtrip_mirror_own_thing_t open_thing(size_t i, roundtrip_string_t *name) {
  if (i % 2 == 0) return drover_roundtrip_mirror_open(name);
  drover_roundtrip_mirror_tuple2_own_thing_string_t answer;
  drover_roundtrip_mirror_color_t err;
  if (!drover_roundtrip_mirror_try_open(name, &answer, &err)) abort();
  if (answer.f1.len != name->len || memcmp(answer.f1.ptr, name->ptr, name->len) != 0) abort();
  roundtrip_string_free(&answer.f1);
  return answer.f0;
}

void exports_drover_roundtrip_echo_things(roundtrip_list_string_t *names, roundtrip_list_string_t *ret) {
  size_t n = names->len;
  drover_roundtrip_mirror_own_thing_t *things = calloc(n, sizeof *things);
  drover_roundtrip_mirror_borrow_thing_t *lent = calloc(n, sizeof *lent);
  ret->ptr = calloc(3 * n, sizeof *ret->ptr);
  ret->len = 0;
  for (size_t i = 0; i < n; i++) {
    things[i] = open_thing(i, &names->ptr[i]);
    lent[i] = drover_roundtrip_mirror_borrow_thing(things[i]);
    drover_roundtrip_mirror_method_thing_name(lent[i], &ret->ptr[ret->len++]);
  }
  drover_roundtrip_mirror_list_borrow_thing_t list = {lent, n};
  roundtrip_list_string_t all;
  drover_roundtrip_mirror_names(&list, &all);
  for (size_t i = 0; i < all.len; i++) ret->ptr[ret->len++] = all.ptr[i];
  free(all.ptr);
  for (size_t i = 0; i < n; i++) {
    if (i % 2 == 0) {
      drover_roundtrip_mirror_consume(things[i], &ret->ptr[ret->len++]);
    } else {
      drover_roundtrip_mirror_thing_drop_own(things[i]);
    }
  }
  free(things);
  free(lent);
  roundtrip_list_string_free(names);
}

uint32_t exports_drover_roundtrip_echo_leave_open(roundtrip_string_t *name) {
  drover_roundtrip_mirror_own_thing_t thing = drover_roundtrip_mirror_open(name);
  roundtrip_string_t letters[6];
  const char *text[] = {"a", "b", "c", "d", "e", "f"};
  for (int i = 0; i < 6; i++) roundtrip_string_set(&letters[i], text[i]);
  uint16_t numbers[] = {1, 2, 65535};
  roundtrip_list_u16_t list = {numbers, 3};
  if (drover_roundtrip_mirror_method_thing_many(
          drover_roundtrip_mirror_borrow_thing(thing), &letters[0], &letters[1], &letters[2], &letters[3], &letters[4],
          &letters[5], name, &list) != 65538) {
    abort();
  }
  roundtrip_string_free(name);
  return (uint32_t)thing.__handle;
}
