//! `cargo xtask bench --cluster`: a controller of its own beside a real Kubernetes, workflows on its kubelet and on
//! simulated nodes; what they take in time, processor, memory and requests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::cases::{self, Case};
use crate::cluster::{self, wait};
use crate::programs::{self, Profile};
use crate::shell;

/// Namespace and instance id of what is measured, so that a controller that is there already leaves it alone.
const MINE: &str = "argosy-bench";

/// Longest time of what comes before and after a case.
const LIMIT: Duration = Duration::from_secs(300);

/// How many create workflows at the same time.
const CREATORS: usize = 16;

/// What the controller logs.
const LOG: &str = "controller.log";

/// How long a controller that is at rest sends nothing.
const SETTLING: Duration = Duration::from_secs(5);

const WORKFLOWS: &str = "/apis/argoproj.io/v1alpha1/namespaces/argosy-bench/workflows";
const PODS: &str = "/api/v1/namespaces/argosy-bench/pods";

/// What a part of a case came to.
struct Measured {
    what: String,
    budget: &'static str,
    wall: Duration,
    /// Of the controller.
    cpu: Duration,
    /// The controller's most memory, in KiB.
    peak_kib: u64,
    /// Requests of the controller by verb and resource.
    requests: BTreeMap<String, u64>,
}

/// Starts what is needed, measures every case whose name contains `only`, prints two tables.
///
/// # Errors
/// When there is no cluster, the build fails, or a case does not end.
pub fn main(controller: Option<&Path>, profile: Profile, only: &str) -> anyhow::Result<()> {
    let controller = match controller {
        Some(built) => built.to_owned(),
        None => programs::build_for_images(profile)?.controller,
    };
    let proxy = Proxy::start()?;
    let folder = tempfile::tempdir().context("making a folder for logs")?;
    prepare(&proxy)?;
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    let chosen: Vec<Case> = cases::cases()
        .into_iter()
        .filter(|case| case.what.contains(only))
        .collect();
    ensure!(!chosen.is_empty(), "no case has `{only}` in its name");
    for case in chosen {
        // One that fails says nothing about the others, which may have taken long.
        match measure(&case, &controller, &proxy, folder.path()) {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                let log = std::fs::read_to_string(folder.path().join(LOG)).unwrap_or_default();
                failures.push(format!("{}: {error:#}\n{}", case.what, end_of(&log)));
            }
        }
        eprintln!("done: {}", case.what);
    }
    print(&rows);
    shell::output(cluster::kubectl()?.args(["delete", "namespace", MINE, "--wait=false"]))?;
    ensure!(failures.is_empty(), "not measured:\n{}", failures.join("\n"));
    Ok(())
}

/// The last lines of a log.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn print(rows: &[Measured]) {
    println!("{}\n", super::machine());
    println!("| what | wall | controller CPU | peak memory | budget |\n|---|---|---|---|---|");
    for row in rows {
        println!(
            "| {} | {:.2} s | {:.2} s | {} MiB | {} |",
            row.what,
            row.wall.as_secs_f64(),
            row.cpu.as_secs_f64(),
            row.peak_kib / 1024,
            row.budget
        );
    }
    println!("\n| what | requests of the controller after its start |\n|---|---|");
    for row in rows {
        let all: Vec<String> = row
            .requests
            .iter()
            .map(|(what, count)| format!("{what} {count}"))
            .collect();
        println!("| {} | {} |", row.what, all.join(", "));
    }
}

/// The namespace, what its pods may do, and the controller's configuration.
fn prepare(proxy: &Proxy) -> anyhow::Result<()> {
    wait("the end of an earlier run's namespace", LIMIT, || {
        let there = proxy.call("GET", &format!("/api/v1/namespaces/{MINE}"), None);
        there.map_or(true, |found| found["status"]["phase"] != "Terminating")
    })?;
    let name = json!({"metadata": {"name": MINE}});
    // There already is as good.
    let _ = proxy.call("POST", "/api/v1/namespaces", Some(&name));
    let rights = shell::root().join("manifests/workflow-namespace");
    shell::output(cluster::kubectl()?.args(["apply", "-n", MINE, "-k"]).arg(rights))?;
    let kinds = proxy.call("GET", WORKFLOWS, None);
    kinds.context("the cluster has none of our custom resources: `cargo xtask deploy` first")?;
    let port = free_port()?;
    let config = json!({
        "metadata": {"name": "workflow-controller-configmap"},
        "data": {"instanceID": MINE, "metricsConfig": format!("{{port: {port}, secure: false}}")},
    });
    let maps = format!("/api/v1/namespaces/{MINE}/configmaps");
    let _ = proxy.call("DELETE", &format!("{maps}/workflow-controller-configmap"), None);
    proxy.call("POST", &maps, Some(&config)).map(drop)
}

/// Measures until all workflows are where they shall be and, for those that stay there, while they do.
fn measure(case: &Case, program: &Path, proxy: &Proxy, logs: &Path) -> anyhow::Result<Vec<Measured>> {
    let controller = Controller::start(program, proxy, logs)?;
    let measured = rows(case, &controller, proxy);
    // While the controller runs: pods that have not ended hold its finalizer.
    clean_up(proxy)?;
    measured
}

fn rows(case: &Case, controller: &Controller, proxy: &Proxy) -> anyhow::Result<Vec<Measured>> {
    let begun = Mark::set(controller)?;
    let (label, wanted) = match case.rest {
        None => ("workflows.argoproj.io/completed=true", "Succeeded"),
        Some(_) => ("workflows.argoproj.io/phase=Running", "Running"),
    };
    let arrived = Arrived::watch(proxy, label)?;
    create(case, proxy)?;
    for index in 0..case.count {
        let left = case.limit.saturating_sub(begun.at.elapsed());
        let (phase, message) = arrived
            .workflows
            .recv_timeout(left)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => {
                    let secs = case.limit.as_secs();
                    anyhow!("{index} of {} are {wanted} after {secs} s", case.count)
                }
                RecvTimeoutError::Disconnected => anyhow!("the watch of workflows was closed"),
            })?;
        ensure!(phase == wanted, "a workflow is {phase}: {message}");
    }
    let mut rows = vec![begun.row(controller, case.what.to_owned(), case.budget)?];
    if let Some(rest) = case.rest {
        // What follows from the last writes is not rest.
        let settled = Mark::set_after(controller, SETTLING)?;
        std::thread::sleep(rest);
        let what = format!("{}, once all wait", case.what);
        let row = settled.row(controller, what, case.budget)?;
        let mut written = row.requests.keys().filter(|what| !is_read(what));
        if let Some(write) = written.next() {
            bail!(
                "workflows at rest were written: {} × {write}",
                row.requests[write]
            );
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Creates all workflows of a case, as many at once as [`CREATORS`].
fn create(case: &Case, proxy: &Proxy) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let create_rest = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= case.count {
                return Ok(());
            }
            let workflow = json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
                "metadata": {
                    "name": format!("w{index}"),
                    "labels": {"workflows.argoproj.io/controller-instanceid": MINE},
                },
                "spec": case.spec,
            });
            proxy.call("POST", WORKFLOWS, Some(&workflow))?;
        }
    };
    std::thread::scope(|scope| {
        let creators: Vec<_> = (0..CREATORS).map(|_| scope.spawn(create_rest)).collect();
        let mut done = creators.into_iter().map(std::thread::ScopedJoinHandle::join);
        done.try_for_each(|done| done.map_err(|_| anyhow!("a creator of workflows panicked"))?)
    })
}

/// Whether a request, by verb and resource, only reads.
fn is_read(request: &str) -> bool {
    ["Get", "List", "Watch"]
        .iter()
        .any(|verb| request.starts_with(verb))
}

/// The controller's figures at a moment.
struct Mark {
    at: Instant,
    cpu: Duration,
    requests: BTreeMap<String, u64>,
}

impl Mark {
    fn set(controller: &Controller) -> anyhow::Result<Self> {
        let requests = controller.requests()?;
        Ok(Self {
            cpu: controller.cpu()?,
            at: Instant::now(),
            requests,
        })
    }

    /// A moment at which the controller has sent nothing for a while.
    fn set_after(controller: &Controller, quiet: Duration) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut last = Self::set(controller)?;
        loop {
            std::thread::sleep(quiet);
            let now = Self::set(controller)?;
            if now.requests == last.requests {
                return Ok(now);
            }
            ensure!(begun.elapsed() < LIMIT, "the controller does not come to rest");
            last = now;
        }
    }

    /// What was taken since.
    fn row(&self, controller: &Controller, what: String, budget: &'static str) -> anyhow::Result<Measured> {
        Ok(Measured {
            what,
            budget,
            wall: self.at.elapsed(),
            cpu: controller.cpu()?.saturating_sub(self.cpu),
            peak_kib: controller.peak_kib()?,
            requests: difference(&self.requests, controller.requests()?),
        })
    }
}

/// Deletes all workflows, and waits until they and their pods are gone.
fn clean_up(proxy: &Proxy) -> anyhow::Result<()> {
    let all = format!("{WORKFLOWS}?propagationPolicy=Background");
    proxy.call("DELETE", &all, None)?;
    for path in [WORKFLOWS, PODS] {
        wait("the clean-up", LIMIT, || {
            let left = proxy.call("GET", &format!("{path}?limit=1"), None);
            left.is_ok_and(|list| list["items"].as_array().is_some_and(Vec::is_empty))
        })?;
    }
    Ok(())
}

fn difference(before: &BTreeMap<String, u64>, after: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let grown = after.into_iter().map(|(what, count)| {
        let old = before.get(&what).copied().unwrap_or(0);
        (what, count - old)
    });
    grown.filter(|(_, count)| *count > 0).collect()
}

/// The program that is measured.
struct Controller {
    child: Child,
    metrics: u16,
}

impl Controller {
    fn start(program: &Path, proxy: &Proxy, logs: &Path) -> anyhow::Result<Self> {
        let maps = format!("/api/v1/namespaces/{MINE}/configmaps/workflow-controller-configmap");
        let config = proxy.call("GET", &maps, None)?;
        let text = config["data"]["metricsConfig"].as_str().unwrap_or_default();
        let port = text.split([' ', ',']).find_map(|word| word.parse().ok());
        let metrics = port.context("the configuration made above names a port")?;
        let mut command = Command::new(program);
        if let Some(kubeconfig) = cluster::kubeconfig() {
            command.env("KUBECONFIG", kubeconfig);
        }
        let child = command
            .args([
                "--namespace",
                MINE,
                "--namespaced",
                "--executor-image-pull-policy=IfNotPresent",
            ])
            .args([
                "--executor-image",
                concat!("argosy/executor:", env!("CARGO_PKG_VERSION")),
            ])
            .args(["--health-port", &free_port()?.to_string(), "--loglevel=warn"])
            .env("LEADER_ELECTION_DISABLE", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(logs.join(LOG))?)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let mut controller = Self { child, metrics };
        let listed = wait("the controller", Duration::from_secs(30), || {
            controller
                .requests()
                .is_ok_and(|all| all.contains_key("Watch workflows"))
        });
        if listed.is_err() {
            controller.stop();
        }
        let log = || std::fs::read_to_string(logs.join(LOG)).unwrap_or_default();
        listed.with_context(log)?;
        Ok(controller)
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    }

    /// Time on processors since its start.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = self.proc("stat")?;
        // Fields are counted after the name in brackets, which may hold spaces.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks: u64 = [11, 12]
            .iter()
            .filter_map(|at| fields.get(*at)?.parse::<u64>().ok())
            .sum();
        // Linux counts in hundredths for programs, whatever its own clock.
        Ok(Duration::from_millis(ticks * 10))
    }

    fn peak_kib(&self) -> anyhow::Result<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|text| text.split_whitespace().next()?.parse().ok());
        number.context("this Linux tells no peak of memory")
    }

    fn metrics(&self) -> anyhow::Result<String> {
        http(self.metrics, "GET", "/metrics", None)
    }

    fn requests(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut all = BTreeMap::new();
        for (labels, value) in series(&self.metrics()?, "argo_workflows_k8s_request_total") {
            let label = |name: &str| {
                let rest = labels
                    .split_once(&format!("{name}=\""))
                    .map_or("", |(_, rest)| rest);
                rest.split('"').next().unwrap_or_default().to_owned()
            };
            *all.entry(format!("{} {}", label("verb"), label("kind")))
                .or_default() += value;
        }
        Ok(all)
    }

    /// Asks it to end, and kills it if it does not: one that records what it does writes that down at its end.
    fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let ended = wait("the controller's end", Duration::from_secs(5), || {
            matches!(self.child.try_wait(), Ok(Some(_)))
        });
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells of each workflow that has got a label. By a watch of its own: asking the controller again and again for its
/// metrics would take more of its processor time than the workflows.
struct Arrived {
    /// Their phases and messages.
    workflows: Receiver<(String, String)>,
    stream: TcpStream,
}

impl Arrived {
    fn watch(proxy: &Proxy, label: &str) -> anyhow::Result<Self> {
        let path = format!("{WORKFLOWS}?watch=true&labelSelector={label}");
        let stream = send(proxy.port, "GET", &path, "")?;
        let lines = BufReader::new(stream.try_clone()?).lines();
        let (tell, workflows) = mpsc::channel();
        std::thread::spawn(move || {
            // What is no event is the answer's head.
            let events = lines
                .map_while(Result::ok)
                .filter_map(|line| serde_json::from_str(&line).ok());
            for event in events.filter(|event: &Value| event["type"] == "ADDED") {
                let status = &event["object"]["status"];
                let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
                if tell.send((text("phase"), text("message"))).is_err() {
                    return;
                }
            }
        });
        Ok(Self { workflows, stream })
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Labels and values of the series of a metric.
fn series<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
    text.lines().filter_map(move |line| {
        let (labels, value) = line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once("} ")?;
        Some((labels, value.parse().ok()?))
    })
}

/// `kubectl proxy`, which spares us TLS and logins.
struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    fn start() -> anyhow::Result<Self> {
        let mut command = cluster::kubectl()?;
        let mut child = command
            .args(["proxy", "--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting kubectl proxy")?;
        let mut said = String::new();
        let out = child.stdout.take().context("it was asked for")?;
        BufReader::new(out).read_line(&mut said)?;
        let port = said.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("kubectl proxy said: {said}"))?;
        Ok(Self { child, port })
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let text = http(self.port, method, path, body)?;
        serde_json::from_str(&text).with_context(|| format!("{method} {path}: {text}"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request to a server on this machine, and what it answers.
fn http(port: u16, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<String> {
    let mut stream = send(
        port,
        method,
        path,
        &body.map(Value::to_string).unwrap_or_default(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("an answer without an end of its head")?;
    let code = head.split(' ').nth(1).unwrap_or_default();
    ensure!(code.starts_with('2'), "{method} {path}: {body}");
    Ok(body.to_owned())
}

/// Sends a request; of version 1.0, so that the answer ends with the connection.
fn send(port: u16, method: &str, path: &str, body: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(stream)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
