//! Watches, asks the engine, performs its effects, persists; never branches on what a workflow means.

pub mod api;
mod queue;
mod watch;
