//! Vectors of Sprig functions: the same layout and rules as those of expressions.

pub use super::expr::check;
