//! Options, start order and shutdown of the platform on one machine.
