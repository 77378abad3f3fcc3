// run trap.memory-bounds: a recursion that takes its frames from the guest's own stack, and runs below the memory's begin
#include "world.h"
static u32 down(volatile u8 *before) {
  volatile u8 frame[4096];
  frame[0] = before[0];
  return down(frame) + frame[0];
}
const void *run(void) {
  volatile u8 first[1] = {1};
  place[0] = (u8)down(first);
  return done;
}
