//! `argosy standalone` as a process: its folder, its stop and its end, and real clients that talk to it.
//!
//! Needs the programs that go into pods beside `argosy` (`cargo xtask build --profile dev`), and kubectl
//! (`cargo xtask parts kubectl`).
#![cfg(feature = "local")]

mod collect;
mod folder;
mod initless;
mod kills;
mod kubectl;
mod logs;
mod machine;
mod reach;
mod resource;
mod runs;
mod schedule;
mod strict;
