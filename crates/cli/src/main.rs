//! The program `argosy`.

fn main() {}
