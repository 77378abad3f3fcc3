use std::collections::BTreeMap;
use std::fmt::Write;

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c9dc5, |h, b| (h ^ *b as u32).wrapping_mul(0x01000193))
}

/// A map of n readings in text, checksummed: allocation, formatting, calls by reference.
#[no_mangle]
pub extern "C" fn compute(n: u32) -> u32 {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for i in 0..n {
        all.entry(format!("boiler {}", i % 17)).or_default().push(i as f64 / 7.0);
    }
    let mut text = String::new();
    let writers: [fn(&mut String, &[f64]); 2] = [
        |t, v| write!(t, "{v:?}").unwrap(),
        |t, v| write!(t, "{:.3}", v.iter().sum::<f64>()).unwrap(),
    ];
    for (i, (name, values)) in all.iter().enumerate() {
        write!(text, "{name}: ").unwrap();
        writers[i % 2](&mut text, values);
    }
    checksum(text.as_bytes())
}

fn deeper(n: u32) -> u32 {
    if n == 0 {
        return 1;
    }
    (deeper(n - 1) >> 1) ^ n
}

/// Recurses n times.
#[no_mangle]
pub extern "C" fn recurse(n: u32) -> u32 {
    deeper(n)
}

/// Loops without end.
#[no_mangle]
pub extern "C" fn spin(n: u32) -> u32 {
    let mut x = n;
    loop {
        x = std::hint::black_box(x.wrapping_mul(5).wrapping_add(1));
    }
}
