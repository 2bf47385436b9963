//! What is fuzzed: every target with its name, its seeds, and what is called. One list for the two runners, `cargo xtask
//! fuzz` and `cargo fuzz`. A new target is an entry in the list of one of the files here, and a `[[bin]]` of its name in
//! `Cargo.toml`.

mod languages;
mod pods;

/// One way in which bytes from outside reach our code. Nothing may panic or run without bound, whatever the bytes.
pub struct Target {
    /// Name on the command line of both runners.
    pub name: &'static str,
    /// What is changed at random.
    pub seeds: Seeds,
    /// What is called; that it comes back is what is tested, so its results are dropped.
    pub enter: fn(&[u8]),
}

/// Where the seeds of a target come from.
pub enum Seeds {
    /// Texts in the vectors of a kind, under these keys.
    Vectors(&'static str, &'static [&'static str]),
    /// Made by a function.
    Made(fn() -> Vec<Vec<u8>>),
}

/// All targets, in the order of the list.
pub fn all() -> Vec<&'static Target> {
    [languages::TARGETS, pods::TARGETS]
        .into_iter()
        .flatten()
        .collect()
}
