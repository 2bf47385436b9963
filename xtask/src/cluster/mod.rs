//! A real Kubernetes for suites: the one that `KUBECONFIG` names, else one node made of plain programs on this machine.

mod config;
mod pki;
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;

use crate::image::{Content, Image};
use crate::{parts, shell};
use config::{API_SERVICE, BRIDGE, GATEWAY};
use process::Processes;
pub use process::wait;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start it (root, Linux) and print the path of its kubeconfig; with KUBECONFIG set, only see that it answers.
    Up,
    /// Give images to its node.
    Load {
        /// Docker archives.
        #[arg(required = true)]
        archives: Vec<PathBuf>,
    },
    /// Add to it the node `fake1`, on which every pod succeeds after a second without running anything.
    Kwok,
    /// Stop all of it and delete its state.
    Down,
}

/// Programs that distributions package, and the package that brings each (Debian's names).
const PACKAGED: [(&str, &str); 4] = [
    ("containerd", "containerd"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("busybox", "busybox-static"),
];

/// The programs that are a cluster but for its nodes and the scheduler.
const CONTROL_PLANE: [&str; 3] = ["etcd", "kube-apiserver", "kube-controller-manager"];

/// In the order of starting; stopped in the opposite one.
const PROGRAMS: [&str; 7] = [
    "containerd",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kwok",
];

/// Does what was asked for.
///
/// # Errors
/// When a program is missing or does not come up, with the end of its log.
pub fn main(args: &Args) -> anyhow::Result<()> {
    if let Some(kubeconfig) = std::env::var_os("KUBECONFIG").filter(|k| !k.is_empty()) {
        let Action::Up = args.action else {
            bail!("KUBECONFIG is set: its cluster is not ours to change; unset it for a cluster of our own");
        };
        shell::run(Command::new("kubectl").args(["get", "--raw", "/readyz"]))?;
        println!("{}", PathBuf::from(kubeconfig).display());
        return Ok(());
    }
    let cluster = Cluster::new()?;
    match &args.action {
        Action::Up => {
            cluster.up()?;
            println!("{}", cluster.kubeconfig().display());
            Ok(())
        }
        Action::Load { archives } => {
            cluster.is_up()?;
            archives.iter().try_for_each(|archive| cluster.load(archive))
        }
        Action::Kwok => {
            cluster.is_up()?;
            cluster.kwok()
        }
        Action::Down => cluster.down(),
    }
}

/// The kubeconfig of the cluster that suites and `deploy` use: ours if it is up, unless `KUBECONFIG` names another.
pub fn kubeconfig() -> Option<PathBuf> {
    if std::env::var_os("KUBECONFIG").is_some_and(|k| !k.is_empty()) {
        return None;
    }
    let ours = Cluster::new().ok()?.kubeconfig();
    ours.is_file().then_some(ours)
}

/// A `kubectl` that speaks to that cluster.
///
/// # Errors
/// When there is none.
pub fn kubectl() -> anyhow::Result<Command> {
    let mut command = Command::new(parts::find("kubectl")?);
    if let Some(kubeconfig) = kubeconfig() {
        command.env("KUBECONFIG", kubeconfig);
    }
    Ok(command)
}

/// A real API server with its controllers and without nodes, for as long as this lives.
pub struct ControlPlane(Cluster);

impl ControlPlane {
    /// Starts it, on an empty store.
    ///
    /// # Errors
    /// When a cluster of ours runs, a program is missing or does not come up, with the end of its log.
    pub fn start() -> anyhow::Result<Self> {
        let cluster = Cluster::new()?;
        anyhow::ensure!(
            cluster.is_up().is_err(),
            "a cluster runs already: `cargo xtask cluster down` stops it"
        );
        let plane = Self(cluster);
        let cluster = &plane.0;
        parts::ensure(&CONTROL_PLANE)?;
        parts::ensure(&["kubectl"])?;
        cluster.folders()?;
        cluster.credentials()?;
        cluster.control_plane()?;
        Ok(plane)
    }

    /// The kubeconfig of one who may do all.
    pub fn kubeconfig(&self) -> PathBuf {
        self.0.kubeconfig()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // What is left is found by the next start, which says how to get rid of it.
        let _ = self.0.down();
    }
}

struct Cluster {
    state: PathBuf,
    processes: Processes,
}

impl Cluster {
    fn new() -> anyhow::Result<Self> {
        let parts = parts::folder()?;
        let state = parts.join("cluster");
        Ok(Self {
            processes: Processes {
                folder: state.clone(),
            },
            state,
        })
    }

    fn kubeconfig(&self) -> PathBuf {
        self.state.join("admin.kubeconfig")
    }

    fn is_up(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.kubeconfig().is_file(),
            "no cluster of ours runs: `cargo xtask cluster up` starts one"
        );
        Ok(())
    }

    fn up(&self) -> anyhow::Result<()> {
        for (program, package) in PACKAGED {
            anyhow::ensure!(
                shell::which(program).is_some(),
                "{program} is missing: apt-get install {package}"
            );
        }
        parts::ensure(&CONTROL_PLANE)?;
        parts::ensure(&["kube-scheduler", "kubelet", "kubectl"])?;
        self.folders()?;
        self.network()?;
        self.credentials()?;
        self.node_files()?;
        self.start("containerd", &["-c".to_owned(), "containerd.toml".to_owned()])?;
        self.control_plane()?;
        self.start("kube-scheduler", &config::scheduler())?;
        let policy = self.state.join("no-pull.yaml");
        std::fs::write(&policy, include_str!("no-pull.yaml"))?;
        self.kubectl(&["apply", "-f", &policy.display().to_string()])?;
        self.load_own_images()?;
        let root = self.state.join("kubelet");
        let mut kubelet = vec![format!("--root-dir={}", root.display())];
        kubelet.extend(
            [
                "--config=kubelet.json",
                "--kubeconfig=kubelet.kubeconfig",
                "--hostname-override=node1",
            ]
            .map(str::to_owned),
        );
        kubelet.push(format!("--node-ip={GATEWAY}"));
        self.start("kubelet", &kubelet)?;
        self.wait("the node", "kubelet", 60, || {
            let path = "jsonpath={.spec.taints}{.status.conditions[?(@.type==\"Ready\")].status}";
            self.kubectl(&["get", "node", "node1", "-o", path])
                .is_ok_and(|said| said == "True")
        })
    }

    fn folders(&self) -> anyhow::Result<()> {
        for folder in ["logs", "cni"] {
            std::fs::create_dir_all(self.state.join(folder))?;
        }
        Ok(())
    }

    fn control_plane(&self) -> anyhow::Result<()> {
        self.start("etcd", &config::etcd(&self.state))?;
        self.start("kube-apiserver", &config::api_server())?;
        self.wait("the API server", "kube-apiserver", 60, || {
            self.kubectl(&["get", "--raw", "/readyz"]).is_ok()
        })?;
        self.start("kube-controller-manager", &config::controller_manager())
    }

    /// The bridge of the pods, and the way from the API server's service address to it, in place of a kube-proxy.
    fn network(&self) -> anyhow::Result<()> {
        if !Path::new("/sys/class/net").join(BRIDGE).exists() {
            shell::output(Command::new("ip").args(["link", "add", BRIDGE, "type", "bridge"]))?;
            shell::output(Command::new("ip").args(["addr", "add", &format!("{GATEWAY}/24"), "dev", BRIDGE]))?;
            shell::output(Command::new("ip").args(["link", "set", BRIDGE, "up"]))?;
        }
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("allowing packets to be forwarded")?;
        if iptables("-C").is_err() {
            iptables("-A")?;
        }
        Ok(())
    }

    /// Deletes what [`Cluster::network`] made.
    fn unmake_network() {
        let _ = iptables("-D");
        let _ = Command::new("ip").args(["link", "del", BRIDGE]).output();
    }

    /// Certificates, and who may log in.
    fn credentials(&self) -> anyhow::Result<()> {
        let names = [
            "127.0.0.1",
            GATEWAY,
            API_SERVICE,
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ];
        pki::make(&self.state.join("pki"), &names)?;
        let tokens = "admintoken,admin,admin,\"system:masters\"\nkubelettoken,system:node:node1,kubelet,\"system:nodes\"\n";
        self.write("pki/tokens.csv", tokens)?;
        self.write("admin.kubeconfig", &config::kubeconfig(&self.state, "admintoken"))
    }

    /// What the programs of the node read.
    fn node_files(&self) -> anyhow::Result<()> {
        let plugins = Path::new("/usr/lib/cni");
        anyhow::ensure!(
            plugins.join("bridge").exists(),
            "the CNI plugins are missing: apt-get install containernetworking-plugins"
        );
        self.write(
            "kubelet.kubeconfig",
            &config::kubeconfig(&self.state, "kubelettoken"),
        )?;
        self.write("cni/10-bridge.conflist", &config::network(&self.state))?;
        self.write("containerd.toml", &config::containerd(&self.state, plugins))?;
        self.write("kubelet.json", &config::kubelet(&self.state))
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        std::fs::write(self.state.join(name), text).with_context(|| format!("writing {name}"))
    }

    fn start(&self, name: &str, args: &[String]) -> anyhow::Result<()> {
        let program = parts::find(name)?;
        self.processes.start(name, &program, args)
    }

    fn wait(&self, what: &str, program: &str, secs: u64, ask: impl FnMut() -> bool) -> anyhow::Result<()> {
        wait(what, Duration::from_secs(secs), ask).with_context(|| {
            format!(
                "the log of {program} ends with\n{}",
                self.processes.log_end(program)
            )
        })
    }

    /// The image that holds a pod's namespaces, and busybox.
    fn load_own_images(&self) -> anyhow::Result<()> {
        let busybox = shell::which("busybox").context("busybox was found above")?;
        let listed = shell::output(Command::new(&busybox).arg("--list"))?;
        let links = |wanted: &dyn Fn(&str) -> bool| -> Vec<(String, Content)> {
            listed
                .lines()
                .filter(|applet| *applet != "busybox" && wanted(applet))
                .map(|applet| (format!("/bin/{applet}"), Content::Link("/bin/busybox".into())))
                .collect()
        };
        let image = |name: &str, config: serde_json::Value, links: Vec<(String, Content)>| {
            let mut entries = vec![("/bin/busybox".to_owned(), Content::Program(busybox.clone()))];
            entries.extend(links);
            let users = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";
            entries.push(("/etc/passwd".into(), Content::Text(users.into())));
            Image {
                name: name.to_owned(),
                config,
                entries,
            }
        };
        let path = serde_json::json!(["PATH=/bin"]);
        let pause = serde_json::json!({"Entrypoint": ["/bin/sleep", "1000000"], "Env": path});
        let shell = serde_json::json!({"Cmd": ["sh"], "Env": path});
        for (file, image) in [
            (
                "pause.tar",
                image("localhost/pause:1", pause, links(&|applet| applet == "sleep")),
            ),
            (
                "busybox.tar",
                image("docker.io/library/busybox:latest", shell, links(&|_| true)),
            ),
        ] {
            let file = self.state.join(file);
            image.build()?.write(&file)?;
            self.load(&file)?;
        }
        Ok(())
    }

    fn load(&self, archive: &Path) -> anyhow::Result<()> {
        let socket = self.state.join("containerd.sock");
        let mut said = String::new();
        // containerd takes a moment from its start until it answers.
        let loaded = wait("loading an image", Duration::from_secs(15), || {
            let mut ctr = Command::new("ctr");
            ctr.arg("-a")
                .arg(&socket)
                .args(["-n", "k8s.io", "images", "import"])
                .arg(archive);
            shell::output(&mut ctr)
                .map_err(|error| said = format!("{error:#}"))
                .is_ok()
        });
        loaded.with_context(|| format!("{}: {said}", archive.display()))
    }

    fn kubectl(&self, args: &[&str]) -> anyhow::Result<String> {
        shell::output(kubectl()?.env("KUBECONFIG", self.kubeconfig()).args(args))
    }

    fn kwok(&self) -> anyhow::Result<()> {
        parts::ensure(&["kwok"])?;
        let stages = self.state.join("kwok.yaml");
        std::fs::write(&stages, include_str!("kwok.yaml"))?;
        let args = [
            format!("--kubeconfig={}", self.kubeconfig().display()),
            format!("--config={}", stages.display()),
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake".to_owned(),
            "--enable-crds=".to_owned(),
        ];
        self.start("kwok", &args)?;
        let node = self.state.join("kwok-node.yaml");
        std::fs::write(&node, include_str!("kwok-node.yaml"))?;
        self.kubectl(&["apply", "-f", &node.display().to_string()])
            .map(drop)
    }

    fn down(&self) -> anyhow::Result<()> {
        let socket = self.state.join("containerd.sock");
        for program in PROGRAMS.iter().rev() {
            if *program == "containerd" && socket.exists() {
                self.kill_tasks(&socket);
            }
            self.processes.stop(program);
        }
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let prefix = format!("{}/", self.state.display());
        let mut ours: Vec<&str> = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(1))
            .filter(|at| at.starts_with(&prefix))
            .collect();
        ours.sort_unstable_by(|a, b| b.cmp(a));
        for at in ours {
            let _ = Command::new("umount").args(["-l", at]).status();
        }
        Self::unmake_network();
        match std::fs::remove_dir_all(&self.state) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("deleting {}", self.state.display()))
            }
            _ => Ok(()),
        }
    }

    /// Kills what containerd still runs; its shims would outlive it.
    fn kill_tasks(&self, socket: &Path) {
        let ctr = |args: &[&str]| {
            let mut command = Command::new("ctr");
            command
                .arg("-a")
                .arg(socket)
                .args(["-n", "k8s.io", "tasks"])
                .args(args);
            shell::output(&mut command)
        };
        for task in ctr(&["ls", "-q"]).unwrap_or_default().lines() {
            let _ = ctr(&["kill", "-s", "SIGKILL", task]);
            let _ = ctr(&["delete", "--force", task]);
        }
    }
}

/// Does something with the rule that leads from the API server's service address to it.
fn iptables(verb: &str) -> anyhow::Result<String> {
    let rule =
        format!("PREROUTING -d {API_SERVICE} -p tcp --dport 443 -j DNAT --to-destination {GATEWAY}:6443");
    let mut command = Command::new("iptables");
    command.args(["-t", "nat", verb]).args(rule.split(' '));
    shell::output(&mut command)
}
