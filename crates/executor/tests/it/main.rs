//! The executor's programs as real processes over a root folder of their own.

mod cluster;
mod emissary;
mod pod;
mod wait;
