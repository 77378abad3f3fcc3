// run trap.memory-bounds: a buffer overflow that goes on to the end of the memory
#include "world.h"
static volatile u8 buffer[16];
const void *run(void) {
  for (u32 i = 0;; i++) buffer[i] = (u8)i;
  return done;
}
