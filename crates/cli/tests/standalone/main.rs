//! `argosy standalone` as a process: its folder, its stop and its end, and real clients that talk to it.
//!
//! Needs the programs that go into pods beside `argosy` (`cargo xtask build --profile dev`), and kubectl
//! (`cargo xtask parts kubectl`).
#![cfg(feature = "local")]

mod folder;
mod kills;
mod kubectl;
mod machine;
mod reach;
mod runs;
mod schedule;
