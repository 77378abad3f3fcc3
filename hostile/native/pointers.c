// run trap.table-bounds: a function pointer that a number of the device's was written over
#include "world.h"
typedef u32 (*function)(u32, u32, u32);
static u32 sound(u32 a, u32 b, u32 c) { return a + b + c; }
static volatile union {
  function call;
  u32 number;
} target = {sound};
const void *run(void) {
  target.number = 0xdeadbeef;
  place[0] = (u8)target.call(1, 2, 3);
  return done;
}
