//! Archives from nobody in particular, and the drivers against servers: our own, and those of
//! others, which the tests start.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod archives;
mod behaviour;
mod cloud;
mod credentials;
mod encryption;
mod faults;
mod git;
mod oss;
mod programs;
mod s3;
mod stand_in;
mod versity;
mod web;
