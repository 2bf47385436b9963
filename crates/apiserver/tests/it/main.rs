//! The suites of the crate in one program: one link instead of five.
//!
//! Deliberately absent: tests; they are in the modules.

mod clients;
mod common;
mod exchanges;
mod store;
mod watches;
