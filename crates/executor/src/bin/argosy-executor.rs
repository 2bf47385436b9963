//! The executor with every command; answers to the name `argoexec` as well.

fn main() {
    std::process::exit(argosy_executor::full::main(std::env::args_os().skip(1)));
}
