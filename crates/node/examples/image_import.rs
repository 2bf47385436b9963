//! Imports an image archive and says how long it took: `cargo run -p argosy-node --example image_import ARCHIVE DATA_DIR`.
#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::path::PathBuf;
use std::time::Instant;

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [archive, data_dir] = arguments.as_slice() else {
        println!("usage: image_import ARCHIVE DATA_DIR");
        std::process::exit(2);
    };
    let begin = Instant::now();
    let store = argosy_node::images::Store::open(data_dir, &[]).expect("store");
    let names = store.import(archive).expect("import");
    println!("{} references in {:?}", names.len(), begin.elapsed());
    for image in store.list().expect("list") {
        println!("{} {} {}", image.reference, image.id, image.size_bytes);
    }
}
