//! One target for all languages of `argosy-template`: the first byte chooses the entry point, the rest is its text.
#![no_main]

#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((first, rest)) = data.split_first() {
        let (_, entry) = entries::ALL[usize::from(*first) % entries::ALL.len()];
        entry(&String::from_utf8_lossy(rest));
    }
});
