//! One pod: what to do next (`next`, pure), what to say about it (`status`, pure), and the task that does it (`worker`).

pub(crate) mod again;
mod ask;
pub(crate) mod handle;
mod hook;
mod image;
pub(crate) mod next;
mod probe;
mod refuse;
pub(crate) mod seen;
pub(crate) mod start;
pub(crate) mod status;
#[cfg(test)]
mod tests;
mod usage;
pub(crate) mod worker;
