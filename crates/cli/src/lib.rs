//! Commands and printing: the library behind the program `argosy`. No rule about workflows is decided here.

pub mod failure;
pub mod images;
pub mod manifest;
pub mod overrides;
pub mod print;

#[cfg(feature = "connect")]
pub mod api;
#[cfg(feature = "connect")]
pub mod archived;
#[cfg(feature = "connect")]
pub mod commands;
#[cfg(feature = "connect")]
pub mod connection;
#[cfg(feature = "connect")]
pub mod follow;
#[cfg(feature = "connect")]
pub mod input;
#[cfg(feature = "connect")]
pub mod kinds;
#[cfg(feature = "connect")]
pub mod logs;
#[cfg(feature = "connect")]
pub mod view;
