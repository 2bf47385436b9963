//! The suites of the crate in one program: one link instead of five.
//!
//! Deliberately absent: tests; they are in the modules.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod applies;
mod clients;
mod clock;
mod common;
mod disk;
mod exchanges;
mod real;
mod roles;
mod store;
mod watches;
