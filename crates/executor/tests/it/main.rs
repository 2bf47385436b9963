//! The executor's programs as real processes over a root folder of their own.

mod emissary;
mod pod;
