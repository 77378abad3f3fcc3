// run limit.memory: a map that keeps all that was ever read
use std::collections::BTreeMap;

fn run() {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for i in 0u64.. {
        all.entry(format!("reading {i}")).or_default().resize(512, i as f64);
    }
}

world::driver!(run, world::allocate);
