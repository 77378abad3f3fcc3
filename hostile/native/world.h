// The world drover:driver by hand, for attacks in C: what they do not replace does nothing and ends well.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(name)))
#define LIFECYCLE "drover:driver/lifecycle@0.1.0#"
#define IMPORT(room, name) __attribute__((import_module("drover:driver/" room "@0.1.0"), import_name(name)))

IMPORT("data", "publish") void publish(const void *samples, u32 length, void *result);
IMPORT("control", "wait") void wait_for(const void *streams, u32 length, u64 timeout, void *event);

static u8 place[1 << 16] __attribute__((aligned(8)));  // for everything that the host writes
static const u8 done[64] __attribute__((aligned(8)));   // a result that is ok
static const struct { const char *text; u32 length; } metadata[7] = {{"hostile", 7}, {"1.0.0", 5}};

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 had, u32 align, u32 size) { return place; }
EXPORT(LIFECYCLE "describe") const void *describe(void) { return metadata; }
EXPORT(LIFECYCLE "configure") const void *configure(u32 a, u32 b, u32 c, u32 d, u32 e, u32 f, u32 g, u32 h) { return done; }
EXPORT(LIFECYCLE "connect") const void *connect(u64 attempt, u64 generation, u32 takeover) { return done; }
EXPORT(LIFECYCLE "init") const void *init(u64 attempt, u64 generation, u32 takeover) { return done; }

const void *run(void);
EXPORT(LIFECYCLE "run") const void *run_(u64 attempt, u64 generation, u32 takeover) { return run(); }
