// run limit.cpu: a quadratic algorithm on a million elements
#include "world.h"
static u32 numbers[1 << 20];
const void *run(void) {
  for (u32 i = 0; i < 1 << 20; i++) numbers[i] = i * 2654435761u;
  for (u32 i = 0; i < 1 << 20; i++)
    for (u32 j = 1; j < 1 << 20; j++)
      if (numbers[j - 1] > numbers[j]) {
        u32 n = numbers[j];
        numbers[j] = numbers[j - 1];
        numbers[j - 1] = n;
      }
  return numbers[0] ? done : place;
}
