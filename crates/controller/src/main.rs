//! The program `argosy-controller`: arguments in, exit code out.

use argosy_controller::program::{self, Args};
use clap::Parser;

fn main() -> std::process::ExitCode {
    program::main(Args::parse())
}
