// run abi.encoding: a text that says it is longer than the memory is, behind one that does not
use std::hint::black_box;
use world::{publish, Place, Sample};

fn run() {
    let mut samples = vec![Sample::of(2, "a text"); 2];
    samples[1].text.1 = usize::MAX / 2;
    let samples = black_box(&samples);
    unsafe { publish(samples.as_ptr(), samples.len(), &mut Place([0; 64])) }
}

world::driver!(run, world::allocate);
