//! The world drover:driver by hand, for attacks in Rust: what they do not replace does nothing and ends well.

use std::alloc::Layout;

/// What the host is given, or writes.
#[repr(C, align(8))]
pub struct Place(pub [u8; 64]);

/// A result that is ok.
pub static DONE: Place = Place([0; 64]);

/// A text or a list, as the host reads it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Pair(pub *const u8, pub usize);

unsafe impl Sync for Pair {}

const NONE: Pair = Pair(std::ptr::null(), 0);
const NAME: &str = "hostile";
const VERSION: &str = "1.0.0";

pub static METADATA: [Pair; 7] = [
    Pair(NAME.as_ptr(), NAME.len()),
    Pair(VERSION.as_ptr(), VERSION.len()),
    NONE,
    NONE,
    NONE,
    NONE,
    NONE,
];

/// A sample of one point whose value is a text.
#[derive(Clone)]
#[repr(C, align(8))]
pub struct Sample {
    pub point: u32,
    _gap: u32,
    pub valued: u64,
    pub tag: u64,
    pub text: Pair,
    pub quality: u32,
    pub reasoned: u32,
    pub reason: Pair,
    pub time: i64,
}

impl Sample {
    pub fn of(point: u32, text: &str) -> Sample {
        let text = Pair(text.as_ptr(), text.len());
        Sample { point, _gap: 0, valued: 1, tag: 5, text, quality: 0, reasoned: 0, reason: NONE, time: 0 }
    }
}

#[link(wasm_import_module = "drover:driver/data@0.1.0")]
extern "C" {
    /// Publishes samples.
    pub fn publish(samples: *const Sample, length: usize, result: *mut Place);
}

/// An allocator that behaves.
pub fn allocate(align: usize, size: usize) -> *mut u8 {
    match Layout::from_size_align(size.max(1), align) {
        Ok(layout) => unsafe { std::alloc::alloc(layout) },
        Err(_) => std::process::abort(),
    }
}

/// Exports a driver with this run and this allocator.
#[macro_export]
macro_rules! driver {
    ($run:expr, $allocate:expr) => {
        #[export_name = "cabi_realloc"]
        extern "C" fn cabi_realloc(_old: *mut u8, _had: usize, align: usize, size: usize) -> *mut u8 {
            $allocate(align, size)
        }
        #[export_name = "drover:driver/lifecycle@0.1.0#describe"]
        extern "C" fn describe() -> *const $crate::Pair {
            $crate::METADATA.as_ptr()
        }
        #[export_name = "drover:driver/lifecycle@0.1.0#configure"]
        extern "C" fn configure(_: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32) -> *const $crate::Place {
            &$crate::DONE
        }
        #[export_name = "drover:driver/lifecycle@0.1.0#connect"]
        extern "C" fn connect(_attempt: u64, _generation: u64, _takeover: u32) -> *const $crate::Place {
            &$crate::DONE
        }
        #[export_name = "drover:driver/lifecycle@0.1.0#init"]
        extern "C" fn init(_attempt: u64, _generation: u64, _takeover: u32) -> *const $crate::Place {
            &$crate::DONE
        }
        #[export_name = "drover:driver/lifecycle@0.1.0#run"]
        extern "C" fn run_(_attempt: u64, _generation: u64, _takeover: u32) -> *const $crate::Place {
            $run();
            &$crate::DONE
        }
    };
}
