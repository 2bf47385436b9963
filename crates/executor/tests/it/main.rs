//! The executor's programs as real processes over a root folder of their own.

mod artifacts;
mod cluster;
mod emissary;
mod pod;
mod resource;
mod wait;
