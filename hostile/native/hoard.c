// run limit.memory: an allocator that never gives up, and writes to all that it got
#include "world.h"
const void *run(void) {
  for (;;) {
    u32 page = __builtin_wasm_memory_grow(0, 1);
    if (page == (u32)-1) __builtin_trap();
    for (u32 i = 0; i < 65536; i += 4096) ((volatile u8 *)(page * 65536))[i] = 1;
  }
}
