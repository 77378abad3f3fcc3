// configure limit.cpu: an allocator that panics, with a hook that would have the next try succeed and never does
use std::hint::black_box;

fn allocate(align: usize, size: usize) -> *mut u8 {
    std::panic::set_hook(Box::new(|_| {
        let mut tries = Vec::new();
        loop {
            tries.clear();
            tries.extend_from_slice(black_box(b"again"));
        }
    }));
    panic!("no {size} bytes at {align}")
}

world::driver!(|| {}, allocate);
