// The same in C, without a library: a sieve, a sort by a function that is called by its address, and text.
typedef unsigned int u32;
typedef unsigned char u8;

static u32 values[4096];
static u8 text[65536];

static u32 checksum(const u8 *bytes, u32 n) {
  u32 h = 0x811c9dc5;
  for (u32 i = 0; i < n; i++) h = (h ^ bytes[i]) * 0x01000193;
  return h;
}

static int ascending(u32 a, u32 b) { return a < b; }
static int descending(u32 a, u32 b) { return a > b; }

static void sort(u32 *v, int n, int (*before)(u32, u32)) {
  if (n < 2) return;
  u32 pivot = v[n / 2];
  int i = 0, j = n - 1;
  for (;; i++, j--) {
    while (before(v[i], pivot)) i++;
    while (before(pivot, v[j])) j--;
    if (i >= j) break;
    u32 t = v[i];
    v[i] = v[j];
    v[j] = t;
  }
  sort(v, i, before);
  sort(v + i, n - i, before);
}

__attribute__((export_name("compute"))) u32 compute(u32 n) {
  int (*volatile orders[2])(u32, u32) = {ascending, descending};
  if (n > 4096) n = 4096;
  u32 seed = 1;
  for (u32 i = 0; i < n; i++) values[i] = (seed = seed * 1664525 + 1013904223) >> 8;
  sort(values, (int)n, orders[n & 1]);
  u8 *p = text;
  for (u32 i = 0; i < n; i++)
    for (u32 v = values[i]; v && p < text + sizeof text; v /= 10) *p++ = (u8)('0' + v % 10);
  __builtin_memset(p, '.', (u32)(text + sizeof text - p));
  return checksum(text, sizeof text);
}

__attribute__((noinline)) static u32 deeper(u32 n) { return n ? (deeper(n - 1) >> 1) ^ n : 1; }

__attribute__((export_name("recurse"))) u32 recurse(u32 n) { return deeper(n); }

__attribute__((export_name("spin"))) u32 spin(u32 n) {
  for (volatile u32 x = n;; x++) {
  }
}
