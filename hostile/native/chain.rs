// run limit.stack: a list of a million links is dropped, each of which drops the next
struct Link(#[allow(dead_code)] Option<Box<Link>>);

fn run() {
    let mut first = Link(None);
    for _ in 0..1_000_000 {
        first = Link(Some(Box::new(first)));
    }
    drop(std::hint::black_box(first));
}

world::driver!(run, world::allocate);
