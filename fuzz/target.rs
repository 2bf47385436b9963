//! The program of every target of `cargo fuzz`: the one that has the program's name.
#![no_main]

#[allow(dead_code, reason = "seeds are for the other runner")]
#[path = "targets/mod.rs"]
mod targets;

use std::sync::LazyLock;

static TARGET: LazyLock<&targets::Target> = LazyLock::new(|| {
    targets::all()
        .into_iter()
        .find(|target| target.name == env!("CARGO_BIN_NAME"))
        .expect("each program has the name of a target")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (TARGET.enter)(bytes));
