//! Runs the containers of pods; does not know who made the pod.
//!
//! [`Node::start`] takes a `kube::Client` and runs every pod whose `spec.nodeName` is its own. Programs that use it must
//! call [`container_main_if_asked`] first thing in `main`, because sandboxes are the same program started again.
//!
//! What to do about a pod is decided by a pure function (`pod::next`); doing it is left to one task per pod and to a
//! [`runtime::Runtime`].

mod access;
mod cgroups;
mod container;
mod events;
pub mod images;
mod logs;
mod network;
mod node;
mod options;
mod pod;
mod register;
mod report;
pub mod runtime;
mod schedule;
mod spec;
mod terminal;
mod tree;
mod volumes;
mod watched;

pub use access::{AccessError, Process, Streams};
pub use container::{ENTRY, container_main, container_main_if_asked};
pub use logs::{LogOptions, LogStream};
pub use network::{Bridge, Error as NetworkError};
pub use node::{Error, Node};
pub use options::{NetworkChoice, Options, RuntimeChoice};
pub use terminal::{Input, Output, Terminal};
