//! The program `argosy-controller`: arguments in, exit code out.

use argosy_controller::program::{self, Args};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    program::main(Args::parse())
}
