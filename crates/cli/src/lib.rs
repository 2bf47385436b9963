//! Commands and printing.
