//! The data folder: one platform at a time, its address, what a restart keeps, and a file that cannot be used.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::kubectl;
use crate::machine::{Machine, wait_for};

#[test]
fn the_folder_belongs_to_one_process_and_to_its_owner() {
    let mut machine = Machine::new();
    machine.start();
    for name in ["state.db", "platform.json", "kubeconfig"] {
        let mode = std::fs::metadata(machine.data().join(name))
            .expect(name)
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let data = machine.data();
    let second = machine.run(&["standalone", "--data", data.to_str().expect("text")]);
    assert_eq!(second.code, Some(1));
    let pid = format!("in use by another platform (process {})", machine.pid());
    assert!(second.stderr.contains(&pid), "{}", second.stderr);
    assert!(
        second.stderr.contains("hint: use it with --kubeconfig"),
        "{}",
        second.stderr
    );
    assert_eq!(machine.stop().code, Some(0));
}

#[test]
fn a_taken_address_is_said_with_a_way_out() {
    let mut machine = Machine::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    machine.spawn(&["--listen", &address]);
    let ended = machine.ended();
    assert_eq!(ended.code, Some(1));
    let said = format!("listening on {address}");
    assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("port 0 takes any free one"),
        "{}",
        ended.stderr
    );
    drop(taken);
    // The address of the last start is taken: pods may know it, so another one must be asked for.
    machine.start();
    let address = machine.address();
    machine.stop();
    let taken = TcpListener::bind(&address).expect("the platform's address is free again");
    machine.spawn(&[]);
    let ended = machine.ended();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("the platform had this address before"),
        "{}",
        ended.stderr
    );
    machine.start_with(&["--listen", "127.0.0.1:0"]);
    assert_ne!(machine.address(), address);
    drop(taken);
    machine.stop();
}

#[test]
fn a_restart_keeps_address_keys_and_objects() {
    let mut machine = Machine::new();
    machine.start();
    let (said, kubeconfig) = (machine.read("stdout"), kubeconfig(&machine));
    let file = machine.folder().join("w.yaml");
    std::fs::write(&file, SUSPENDED).expect("the folder can be written");
    let submitted = machine.run(&["submit", "w.yaml"]);
    assert_eq!(submitted.code, Some(0), "{}", submitted.stderr);
    let listed = || machine_says(&machine, &["list", "-o", "name"]);
    assert_eq!(listed(), "held\n");
    let ended = machine.stop();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), "stopping; once more leaves at once\n")
    );
    assert!(
        !machine.data().join("state.db-wal").exists(),
        "everything is in one file after a stop"
    );
    machine.start();
    assert_eq!(
        (machine.read("stdout"), self::kubeconfig(&machine)),
        (said.clone(), kubeconfig.clone())
    );
    machine.kill();
    machine.start();
    assert_eq!(
        (machine.read("stdout"), self::kubeconfig(&machine)),
        (said, kubeconfig)
    );
    assert_eq!(machine_says(&machine, &["list", "-o", "name"]), "held\n");
    let resumed = machine.run(&["resume", "held"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    wait_for("the workflow ends", || {
        machine_says(&machine, &["get", "held", "-o", "json"])
            .contains("\"phase\": \"Succeeded\"")
            .then_some(())
    });
    machine.stop();
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let mut machine = Machine::new();
    machine.start();
    machine.stop();
    let file = machine.data().join("state.db");
    let mut bytes = std::fs::read(&file).expect("the file is there");
    bytes[..64].fill(0x5a);
    std::fs::write(&file, &bytes).expect("the file can be written");
    machine.spawn(&[]);
    let ended = machine.ended();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("is damaged"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("hint: nothing was changed"),
        "{}",
        ended.stderr
    );
    assert_eq!(std::fs::read(&file).expect("the file is there"), bytes);
}

#[test]
fn damage_in_the_middle_of_the_file_is_found() {
    let mut machine = Machine::new();
    machine.start();
    machine.stop();
    let file = machine.data().join("state.db");
    let mut bytes = std::fs::read(&file).expect("the file is there");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&file, &bytes).expect("the file can be written");
    machine.spawn(&[]);
    let ended = machine.ended();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("is damaged"), "{}", ended.stderr);
    assert_eq!(std::fs::read(&file).expect("the file is there"), bytes);
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_space() {
    let mut machine = Machine::with_disk(16 * 1024);
    machine.start();
    let filler = machine.inside("data/filler");
    fill(&filler);
    // Small writes still find room in what the file has already.
    std::fs::write(machine.folder().join("big"), "x".repeat(500_000)).expect("the folder can be written");
    let create =
        |name: &str| kubectl::says(&machine, &format!("create configmap {name} --from-file=big"), "");
    let mut names = (0..).map(|number| format!("c{number}"));
    let mut taken = Vec::new();
    let refused = wait_for("the disk is full", || {
        let name = names.next()?;
        let said = create(&name);
        if said.contains("exit code") {
            return Some(said);
        }
        taken.push(name);
        None
    });
    assert!(refused.contains("is the disk full?"), "{refused}");
    std::fs::write(machine.folder().join("held.yaml"), SUSPENDED).expect("the folder can be written");
    let submitted = machine.run(&["submit", "held.yaml"]);
    assert_eq!(submitted.code, Some(1), "{}", submitted.stdout);
    assert!(
        submitted.stderr.contains("is the disk full?"),
        "{}",
        submitted.stderr
    );
    std::fs::remove_file(&filler).expect("the filler can be removed");
    wait_for("writes are taken again", || {
        let name = names.next()?;
        let said = create(&name);
        said.ends_with(" created\n").then(|| taken.push(name))
    });
    taken.retain(|name| {
        let found = kubectl::says(&machine, &format!("get configmap {name} -o name"), "");
        found != format!("configmap/{name}\n")
    });
    assert!(taken.is_empty(), "taken, and not there: {taken:?}");
    assert_eq!(machine.stop().code, Some(0));
}

#[test]
fn a_disk_without_space_is_said_at_the_start() {
    let mut machine = Machine::with_disk(100);
    machine.spawn(&[]);
    let ended = machine.ended();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("space"), "{}", ended.stderr);
}

/// Takes all the space that is left on a disk.
fn fill(path: &std::path::Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("the disk can be written");
    for size in [64 * 1024, 512] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

const SUSPENDED: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: held}
spec:
  entrypoint: main
  templates: [{name: main, suspend: {}}]
";

fn kubeconfig(machine: &Machine) -> String {
    std::fs::read_to_string(machine.data().join("kubeconfig")).expect("a kubeconfig")
}

fn machine_says(machine: &Machine, args: &[&str]) -> String {
    let ended = machine.run(args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    ended.stdout
}
