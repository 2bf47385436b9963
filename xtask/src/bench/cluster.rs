//! `cargo xtask bench --cluster`: a controller of its own beside a real Kubernetes, workflows on its kubelet and on
//! simulated nodes; what they take in time, processor, memory and requests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::cluster::{self, wait};
use crate::programs::{self, Profile};
use crate::shell;

/// Namespace and instance id of what is measured, so that a controller that is there already leaves it alone.
const MINE: &str = "argosy-bench";

/// Longest time of one case.
const LIMIT: Duration = Duration::from_secs(300);

const WORKFLOWS: &str = "/apis/argoproj.io/v1alpha1/namespaces/argosy-bench/workflows";

/// One thing to measure.
struct Case {
    what: &'static str,
    /// How many workflows are made.
    count: usize,
    spec: Value,
    budget: &'static str,
}

/// What a case came to.
struct Measured {
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
    for case in cases().into_iter().filter(|case| case.what.contains(only)) {
        let measured = measure(&case, &controller, &proxy, folder.path())
            .with_context(|| format!("measuring: {}", case.what))?;
        eprintln!("{}: {:.2} s", case.what, measured.wall.as_secs_f64());
        rows.push((case, measured));
    }
    print(&rows);
    shell::output(cluster::kubectl()?.args(["delete", "namespace", MINE, "--wait=false"])).map(drop)
}

fn print(rows: &[(Case, Measured)]) {
    println!("{}\n", super::machine());
    println!("| what | wall | controller CPU | peak memory | budget |\n|---|---|---|---|---|");
    for (case, measured) in rows {
        println!(
            "| {} | {:.2} s | {:.2} s | {} MiB | {} |",
            case.what,
            measured.wall.as_secs_f64(),
            measured.cpu.as_secs_f64(),
            measured.peak_kib / 1024,
            case.budget
        );
    }
    println!("\n| what | requests of the controller after its start |\n|---|---|");
    for (case, measured) in rows {
        let all: Vec<String> = measured
            .requests
            .iter()
            .map(|(what, count)| format!("{what} {count}"))
            .collect();
        println!("| {} | {} |", case.what, all.join(", "));
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
    let port = free_port()?;
    let config = json!({
        "metadata": {"name": "workflow-controller-configmap"},
        "data": {"instanceID": MINE, "metricsConfig": format!("{{port: {port}, secure: false}}")},
    });
    let maps = format!("/api/v1/namespaces/{MINE}/configmaps");
    let _ = proxy.call("DELETE", &format!("{maps}/workflow-controller-configmap"), None);
    proxy.call("POST", &maps, Some(&config)).map(drop)
}

fn measure(case: &Case, program: &Path, proxy: &Proxy, logs: &Path) -> anyhow::Result<Measured> {
    let mut controller = Controller::start(program, proxy, logs)?;
    let before = (controller.cpu()?, controller.requests()?);
    let ended = Ended::watch(proxy)?;
    let begun = Instant::now();
    for index in 0..case.count {
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
    for _ in 0..case.count {
        let left = LIMIT.saturating_sub(begun.elapsed());
        let phase = ended.phases.recv_timeout(left);
        let phase = phase.with_context(|| format!("no end after {} s", LIMIT.as_secs()))?;
        ensure!(phase == "Succeeded", "a workflow is {phase}");
    }
    let wall = begun.elapsed();
    let measured = Measured {
        wall,
        cpu: controller.cpu()? - before.0,
        peak_kib: controller.peak_kib()?,
        requests: difference(&before.1, controller.requests()?),
    };
    controller.stop();
    proxy.call(
        "DELETE",
        &format!("{WORKFLOWS}?propagationPolicy=Background"),
        None,
    )?;
    wait("the clean-up", LIMIT, || {
        let pods = proxy.call("GET", &format!("/api/v1/namespaces/{MINE}/pods?limit=1"), None);
        pods.is_ok_and(|list| list["items"].as_array().is_some_and(Vec::is_empty))
    })?;
    Ok(measured)
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
            .stderr(File::create(logs.join("controller.log"))?)
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
        let log = || std::fs::read_to_string(logs.join("controller.log")).unwrap_or_default();
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

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells of each workflow that has ended. By a watch of its own: asking the controller again and again for its metrics
/// would take more of its processor time than the workflows.
struct Ended {
    /// Their phases.
    phases: Receiver<String>,
    stream: TcpStream,
}

impl Ended {
    fn watch(proxy: &Proxy) -> anyhow::Result<Self> {
        let path = format!("{WORKFLOWS}?watch=true&labelSelector=workflows.argoproj.io/completed=true");
        let stream = send(proxy.port, "GET", &path, "")?;
        let lines = BufReader::new(stream.try_clone()?).lines();
        let (tell, phases) = mpsc::channel();
        std::thread::spawn(move || {
            // What is no event is the answer's head.
            let events = lines
                .map_while(Result::ok)
                .filter_map(|line| serde_json::from_str(&line).ok());
            for event in events.filter(|event: &Value| event["type"] == "ADDED") {
                let phase = event["object"]["status"]["phase"].as_str().unwrap_or_default();
                if tell.send(phase.to_owned()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { phases, stream })
    }
}

impl Drop for Ended {
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

fn cases() -> Vec<Case> {
    let real = |templates: Value| json!({"entrypoint": "main", "templates": templates});
    let pod = |name: &str| json!({"name": name, "container": {"image": "busybox", "command": ["true"]}});
    // On simulated nodes nobody reports results; what a pod's phase says is all there is.
    let fake = |templates: Value| {
        let mut spec = real(templates);
        spec["nodeSelector"] = json!({"type": "kwok"});
        spec["tolerations"] = json!([{"key": "kwok", "operator": "Exists"}]);
        spec
    };
    let chain = |length: usize| {
        let steps: Vec<Value> = (0..length)
            .map(|i| json!([{"name": format!("s{i}"), "template": "pod"}]))
            .collect();
        json!([{"name": "main", "steps": steps}, pod("pod")])
    };
    let case = |what, count, spec, budget| Case {
        what,
        count,
        spec,
        budget,
    };
    vec![
        case(
            "real: one pod",
            1,
            real(json!([pod("main")])),
            "3.25 s on an idle machine",
        ),
        case("real: chain of 5", 1, real(chain(5)), "–"),
        case("real: chain of 10", 1, real(chain(10)), "–"),
        case("simulated: chain of 10", 1, fake(chain(10)), "≤ 11.5 s"),
        case(
            "simulated: 200 workflows of one pod",
            200,
            fake(json!([pod("main")])),
            "CPU ≤ 0.5 s",
        ),
        case(
            "simulated: 1,000 workflows of one pod",
            1000,
            fake(json!([pod("main")])),
            "≤ 22 s, CPU ≤ 2 s, ≤ 60 MiB",
        ),
        case(
            "simulated: fan-out of 500",
            1,
            fake(fan_out(500, &pod("pod"))),
            "CPU ≤ 0.5 s, ≤ 40 MiB",
        ),
        case(
            "simulated: fan-out of 2,000",
            1,
            fake(fan_out(2000, &pod("pod"))),
            "CPU ≤ 2 s, ≤ 80 MiB",
        ),
        case(
            "simulated: DAG 20 × 10",
            1,
            fake(layers(20, 10, &pod("pod"))),
            "≤ 12 s, CPU ≤ 0.4 s",
        ),
    ]
}

fn fan_out(count: usize, pod: &Value) -> Value {
    let step = json!({"name": "item", "template": "pod", "withSequence": {"count": count.to_string()}});
    json!([{"name": "main", "steps": [[step]]}, pod])
}

/// Layers of a DAG, each task after all of the layer before.
fn layers(wide: usize, deep: usize, pod: &Value) -> Value {
    let names = |layer: usize| (0..wide).map(|i| format!("t{layer}-{i}")).collect::<Vec<_>>();
    let mut tasks = Vec::new();
    for layer in 0..deep {
        let before = layer.checked_sub(1).map(names).unwrap_or_default();
        tasks.extend(
            names(layer)
                .into_iter()
                .map(|name| json!({"name": name, "template": "pod", "dependencies": before})),
        );
    }
    json!([{"name": "main", "dag": {"tasks": tasks}}, pod])
}
