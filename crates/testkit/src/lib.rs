//! Runs decisions in virtual time, without a cluster: a world of workflows, pods and locks that tests move by hand, and
//! a simulator of whole runs with faults. Only tests and repository chores may use it.

mod run;
pub mod sim;
mod world;

pub use run::run;
pub use world::{Life, Passed, World};
