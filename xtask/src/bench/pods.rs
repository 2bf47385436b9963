//! Rows about the programs in pods: what they cost beside a container, and how fast and with how much memory artifacts
//! and logs go to a real S3 server (versitygw, started here) and back. The Kubernetes API is a stand-in that takes all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::{LIMIT, Row};
use crate::parts;

const MIB: usize = 1024 * 1024;
/// Sizes that the budget is about.
const FILE_BYTES: usize = 2048 * MIB;
const LOG_BYTES: usize = 200_000_000;
const FILES: usize = 10_000;
/// How often a container is wrapped: a millisecond shows only in many runs.
const WRAPPED: usize = 51;

/// All rows.
///
/// # Errors
/// When a program is missing, fails, or takes too long.
pub fn rows(executor: PathBuf, emissary: PathBuf) -> anyhow::Result<Vec<Row>> {
    let programs = Programs { emissary, executor };
    let mut rows = vec![programs.overhead()?, programs.idle_memory()?];
    rows.extend(programs.transfers()?);
    Ok(rows)
}

struct Programs {
    emissary: PathBuf,
    executor: PathBuf,
}

impl Programs {
    /// `emissary -- COMMAND` for main of a pod below a folder.
    fn wrap(&self, root: &Path, command: &[&str]) -> Command {
        let mut emissary = Command::new(&self.emissary);
        emissary
            .args(["emissary", "--loglevel", "error", "--"])
            .args(command);
        emissary
            .env("ARGOSY_ROOT", root)
            .env("ARGO_CONTAINER_NAME", "main");
        emissary
            .env("ARGO_TEMPLATE", "{}")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        emissary
    }

    fn overhead(&self) -> anyhow::Result<Row> {
        let root = pod()?;
        let median = |mut command: Box<dyn FnMut() -> Command>| -> anyhow::Result<f64> {
            let mut all = Vec::new();
            for _ in 0..WRAPPED {
                let started = Instant::now();
                ensure!(command().status()?.success(), "a measured container failed");
                all.push(started.elapsed().as_secs_f64() * 1000.0);
            }
            all.sort_by(f64::total_cmp);
            Ok(all[all.len() / 2])
        };
        let bare = median(Box::new(|| Command::new("/bin/true")))?;
        let wrapped = median(Box::new(|| self.wrap(root.path(), &["/bin/true"])))?;
        Ok(Row {
            what: "wrapping a container, over the bare command",
            value: format!("{:.2} ms ({bare:.2} bare)", wrapped - bare),
            budget: "≤ 5 ms",
        })
    }

    fn idle_memory(&self) -> anyhow::Result<Row> {
        let root = pod()?;
        let mut child = Ending(self.wrap(root.path(), &["sleep", "60"]).spawn()?);
        let id = child.0.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let has_child = || std::fs::read_to_string(&path).is_ok_and(|text| !text.is_empty());
        until("the wrapped command", has_child)?;
        let kib = memory(&child.0, "VmRSS:").context("reading the memory of the emissary")?;
        child.0.kill()?;
        Ok(Row {
            what: "memory of the emissary while its command runs",
            value: format!("{:.2} MB", megabytes(kib)),
            budget: "≤ 2 MB",
        })
    }

    fn transfers(&self) -> anyhow::Result<Vec<Row>> {
        let store = Store::start()?;
        let api = stand_in_api()?;
        let mut rows = Vec::new();
        for transfer in TRANSFERS {
            let from = pod()?;
            (transfer.make)(&from.path().join("mainctrfs/v/thing"))?;
            write(&from.path().join("var/run/argo/ctr/main/exitcode"), b"0")?;
            let mut template = transfer.template(&store, transfer.name);
            if transfer.is_log {
                let log = from.path().join("var/run/argo/ctr/main/combined");
                std::fs::rename(from.path().join("mainctrfs/v/thing"), log)?;
                template["archiveLocation"]["archiveLogs"] = json!(true);
                template["outputs"] = json!({});
            }
            write(
                &from.path().join("var/run/argo/template"),
                template.to_string().as_bytes(),
            )?;
            let kubeconfig = from.path().join("kubeconfig");
            write(&kubeconfig, api.as_bytes())?;
            let mut wait = self.executor(from.path(), "wait");
            wait.env("KUBECONFIG", kubeconfig);
            rows.push(transfer.row(transfer.to, &mut wait)?);
            drop(from);
            let to = pod()?;
            let mut init = self.executor(to.path(), "init");
            init.env("ARGO_TEMPLATE", template["next"].to_string());
            rows.push(transfer.row(transfer.back, &mut init)?);
        }
        Ok(rows)
    }

    fn executor(&self, root: &Path, command: &str) -> Command {
        let mut executor = Command::new(&self.executor);
        executor
            .args([command, "--loglevel", "error"])
            .env("ARGOSY_ROOT", root);
        executor.envs([
            ("ARGO_POD_NAME", "p"),
            ("ARGO_NODE_ID", "n"),
            ("ARGO_WORKFLOW_NAME", "w"),
        ]);
        executor.stdin(Stdio::null());
        executor
    }
}

/// One thing that goes into the store and comes out of it.
struct Transfer {
    to: &'static str,
    back: &'static str,
    name: &'static str,
    bytes: usize,
    archive: &'static str,
    is_log: bool,
    make: fn(&Path) -> anyhow::Result<()>,
}

const TRANSFERS: &[Transfer] = &[
    Transfer {
        to: "wait: a file of 2 GiB to S3",
        back: "init: the same from S3",
        name: "file",
        bytes: FILE_BYTES,
        archive: "none",
        is_log: false,
        make: |path| file(path, FILE_BYTES),
    },
    Transfer {
        to: "wait: a folder of 10,000 files to S3, as objects",
        back: "init: the same from S3",
        name: "folder",
        bytes: FILES * 1000,
        archive: "none",
        is_log: false,
        make: folder,
    },
    Transfer {
        to: "wait: a folder of 10,000 files to S3, as one archive",
        back: "init: the same from S3",
        name: "packed",
        bytes: FILES * 1000,
        archive: "tar",
        is_log: false,
        make: folder,
    },
    Transfer {
        to: "wait: a log of 200 MB to S3",
        back: "init: the same from S3",
        name: "log",
        bytes: LOG_BYTES,
        archive: "none",
        is_log: true,
        make: |path| file(path, LOG_BYTES),
    },
];

impl Transfer {
    /// The template of the step that makes it; under `next` that of the one that reads it.
    fn template(&self, store: &Store, key: &str) -> Value {
        let mount = json!([{"name": "v", "mountPath": "/v"}]);
        let place = |key: &str| json!({"s3": store.place(key)});
        let read = if self.is_log {
            format!("{key}/main.log")
        } else {
            key.to_owned()
        };
        let mut artifact = place(key);
        artifact["name"] = json!("a");
        artifact["path"] = json!("/v/thing");
        artifact["archive"] = json!({self.archive: {}});
        let mut input = place(&read);
        input["name"] = json!("a");
        input["path"] = json!("/in");
        json!({
            "name": "t", "container": {"image": "i", "volumeMounts": mount}, "archiveLocation": place(key),
            "outputs": {"artifacts": [artifact]},
            "next": {"name": "n", "container": {"image": "i"}, "inputs": {"artifacts": [input]}},
        })
    }

    fn row(&self, what: &'static str, command: &mut Command) -> anyhow::Result<Row> {
        let (time, kib) = measured(command).with_context(|| what.to_owned())?;
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
        let rate = self.bytes as f64 / 1e6 / time.as_secs_f64();
        let megabytes = megabytes(kib);
        Ok(Row {
            what,
            value: format!(
                "{:.1} s, {rate:.0} MB/s, {megabytes:.0} MB at most",
                time.as_secs_f64()
            ),
            budget: "≤ 64 MB",
        })
    }
}

fn megabytes(kib: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    let bytes = kib as f64 * 1024.0;
    bytes / 1e6
}

/// Runs a program to its end: its time, and the most memory it had, in KiB.
fn measured(command: &mut Command) -> anyhow::Result<(Duration, u64)> {
    let started = Instant::now();
    let mut child = Ending(command.spawn()?);
    let mut most = 0;
    loop {
        // What the kernel keeps is already the most so far.
        most = memory(&child.0, "VmHWM:").unwrap_or(most);
        if let Some(status) = child.0.try_wait()? {
            ensure!(status.success(), "a measured program failed: {status}");
            return Ok((started.elapsed(), most));
        }
        ensure!(started.elapsed() < LIMIT * 5, "a measured program takes too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn memory(child: &Child, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// A program that ends with the measurement, however that ends.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, is_there: impl Fn() -> bool) -> anyhow::Result<()> {
    let started = Instant::now();
    while !is_there() {
        ensure!(started.elapsed() < LIMIT, "{what} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The files of a pod without any, but for the store's keys.
fn pod() -> anyhow::Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    for (key, value) in [("access", "user"), ("secret", "password")] {
        write(&root.path().join("argo/secret/s3").join(key), value.as_bytes())?;
    }
    std::fs::create_dir_all(root.path().join("dev"))?;
    std::fs::create_dir_all(root.path().join("var/run/argo"))?;
    Ok(root)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let parent = path.parent().context("a file below a folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// A file of bytes that do not shrink much.
fn file(path: &Path, bytes: usize) -> anyhow::Result<()> {
    write(path, b"")?;
    let mut file = std::fs::File::create(path)?;
    let mut number = 0x9e37_79b9_7f4a_7c15_u64;
    let mut block = Vec::with_capacity(MIB);
    while block.len() < MIB {
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        block.extend(number.to_le_bytes());
    }
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(MIB);
        file.write_all(&block[..piece])?;
        left -= piece;
    }
    Ok(())
}

fn folder(path: &Path) -> anyhow::Result<()> {
    for number in 0..FILES {
        let line = format!("line of file {number}\n");
        let text = line.repeat(1000 / line.len() + 1);
        write(
            &path.join(format!("{}/{number}", number % 100)),
            &text.as_bytes()[..1000],
        )?;
    }
    Ok(())
}

/// A running S3 server.
struct Store {
    port: u16,
    _program: Ending,
    _root: tempfile::TempDir,
}

impl Store {
    fn start() -> anyhow::Result<Self> {
        parts::ensure(&["versitygw"])?;
        let root = tempfile::tempdir()?;
        for folder in ["data/bucket", "meta"] {
            std::fs::create_dir_all(root.path().join(folder))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = Command::new(parts::folder()?.join("bin/versitygw"));
        server.args(["--access", "user", "--secret", "password", "--quiet"]);
        server.args(["--port", &format!("127.0.0.1:{port}"), "posix", "--sidecar"]);
        server.arg(root.path().join("meta")).arg(root.path().join("data"));
        let server = server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let program = Ending(server.spawn().context("starting versitygw")?);
        until("the S3 server", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self {
            port,
            _program: program,
            _root: root,
        })
    }

    fn place(&self, key: &str) -> Value {
        let secret = |key: &str| json!({"name": "s3", "key": key});
        json!({
            "endpoint": format!("127.0.0.1:{}", self.port), "bucket": "bucket", "insecure": true, "key": key,
            "region": "us-east-1", "accessKeySecret": secret("access"), "secretKeySecret": secret("secret"),
        })
    }
}

/// Starts an API that says yes to everything, and gives the configuration of its clients.
fn stand_in_api() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        // Who breaks off gets no answer, and fails by itself.
        for connection in listener.incoming().flatten() {
            let _ = say_yes(&connection);
        }
    });
    Ok(json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "default"}}],
    })
    .to_string())
}

fn say_yes(mut connection: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(number) = lower.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap_or(0);
        }
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    connection.write_all(head.as_bytes())
}
