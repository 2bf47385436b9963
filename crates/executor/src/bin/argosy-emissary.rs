//! The small program that init copies into pods: `emissary`, `kill` and `version`.

fn main() {
    std::process::exit(argosy_executor::small::main(std::env::args_os().skip(1)));
}
