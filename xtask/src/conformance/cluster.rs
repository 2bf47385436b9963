//! Cases on a real cluster: each in a namespace of its own, with what the recorded set had around it. Not here: the
//! cluster itself and its controller, which are there already (`cluster up`, `load`, `deploy`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, ensure};
use argosy_model::yaml;
use serde_json::{Value, json};

use crate::{cluster, shell};

/// Label of everything that the suite makes outside of namespaces.
const LABEL: &str = "argosy-conformance";

/// Volumes that each case finds: the recorded set's claim takes one, and its largest case makes as many claims more.
const VOLUMES: usize = 3;

/// Where the volumes' files are on the node.
const VOLUME_FOLDER: &str = "/tmp/argosy-conformance";

/// The cluster that the cases share.
pub struct Cluster {
    kubeconfig: PathBuf,
    serial: AtomicUsize,
}

/// The workflows of one case and their namespace, which goes when this is dropped.
pub struct Submitted {
    kubeconfig: PathBuf,
    namespace: String,
    names: Vec<String>,
    refused: String,
}

impl Cluster {
    /// The cluster of `KUBECONFIG`, or that of `cargo xtask cluster up`; tells its controller what starts in images, and
    /// that artifacts go to the store at this address, which the recorded set calls `minio`.
    ///
    /// # Errors
    /// When there is no cluster, no controller in it, or an archive can't be read.
    pub fn open(archives: &[PathBuf], store: &str) -> anyhow::Result<Self> {
        let kubeconfig = cluster::kubeconfig()
            .or_else(|| std::env::var_os("KUBECONFIG").map(PathBuf::from))
            .context("no cluster runs: cargo xtask cluster up")?;
        let cluster = Self {
            kubeconfig,
            serial: AtomicUsize::new(std::process::id() as usize * 1000),
        };
        let mut images = BTreeMap::new();
        for archive in archives {
            images.extend(commands(archive).with_context(|| format!("reading {}", archive.display()))?);
        }
        let key = |key: &str| json!({"name": "my-minio-cred", "key": key});
        let repository = json!({"s3": {
            "bucket": "my-bucket", "endpoint": store, "insecure": true,
            "accessKeySecret": key("accesskey"), "secretKeySecret": key("secretkey"),
        }});
        let data = json!({"images": json!(images).to_string(), "artifactRepository": repository.to_string()});
        let config = json!({ "data": data }).to_string();
        kubectl(
            &cluster.kubeconfig,
            "argo",
            &[
                "patch",
                "configmap",
                "workflow-controller-configmap",
                "--type=merge",
                "-p",
                &config,
            ],
        )
        .context("is a controller there? cargo xtask deploy")?;
        Ok(cluster)
    }

    /// Makes a namespace, what must be in it, and the workflows of files with whatever else is in those.
    ///
    /// # Errors
    /// When something other than a workflow is refused.
    pub fn submit(&self, prerequisites: &[PathBuf], files: &[PathBuf]) -> anyhow::Result<Submitted> {
        let namespace = format!("conformance-{}", self.serial.fetch_add(1, Ordering::Relaxed));
        let mut submitted = Submitted {
            kubeconfig: self.kubeconfig.clone(),
            namespace,
            names: Vec::new(),
            refused: String::new(),
        };
        let mut before = surroundings(&submitted.namespace);
        for file in prerequisites {
            before.extend(documents(file)?);
        }
        submitted.apply(before)?;
        for file in files {
            let (workflows, others): (Vec<_>, Vec<_>) = documents(file)?
                .into_iter()
                .partition(|d| d["kind"] == "Workflow");
            submitted.apply(others)?;
            for workflow in workflows {
                match submitted.feed(&["create", "-o", "name", "-f", "-"], &workflow) {
                    Ok(made) => submitted
                        .names
                        .extend(made.trim().rsplit_once('/').map(|(_, name)| name.to_owned())),
                    Err(refused) => drop(writeln!(submitted.refused, "{refused:#}")),
                }
            }
        }
        Ok(submitted)
    }

    /// Offers the objects of a file to the API server, which keeps none, and gives `accepted` or its words.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn offer(&self, file: &Path) -> anyhow::Result<String> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": documents(file)?});
        let words = ["create", "--dry-run=server", "-f", "-"];
        Ok(match feed(&self.kubeconfig, "default", &words, &list) {
            Ok(_) => "accepted".to_owned(),
            Err(error) if error.to_string().contains("already exists") => "accepted".to_owned(),
            Err(error) => format!("{error:#}"),
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let label = format!("-l{LABEL}=true");
        let words = [
            "delete",
            "clusterrolebinding,persistentvolume",
            "--wait=false",
            &label,
        ];
        let _ = kubectl(&self.kubeconfig, "default", &words);
    }
}

impl Submitted {
    /// Options of `argosy` that lead to the workflows.
    pub fn reach(&self) -> Vec<String> {
        let kubeconfig = self.kubeconfig.display().to_string();
        ["--kubeconfig", &kubeconfig, "--namespace", &self.namespace]
            .map(str::to_owned)
            .to_vec()
    }

    /// The workflows' names, in the order of the file.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the API server said of those that it refused.
    pub fn refused(&self) -> &str {
        &self.refused
    }

    fn apply(&self, objects: Vec<Value>) -> anyhow::Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let words = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        self.feed(&words, &list).map(drop)
    }

    fn feed(&self, words: &[&str], object: &Value) -> anyhow::Result<String> {
        feed(&self.kubeconfig, &self.namespace, words, object)
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        // Workflows first: in a namespace that is being deleted no pod can be made that cleans up artifacts.
        let words = ["delete", "workflows,cronworkflows", "--all", "--timeout=60s"];
        let _ = kubectl(&self.kubeconfig, &self.namespace, &words);
        let words = ["delete", "namespace", &self.namespace, "--wait=false"];
        let _ = kubectl(&self.kubeconfig, "default", &words);
    }
}

/// A namespace, and outside of it what the recorded set had: accounts that may do everything, volumes to claim.
fn surroundings(namespace: &str) -> Vec<Value> {
    let labels = json!({LABEL: "true"});
    let subject = |name: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": namespace});
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": namespace, "labels": labels},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [subject("default"), subject("argo-server")],
        }),
    ];
    let volume = |index| {
        let name = format!("{namespace}-{index}");
        json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "labels": labels},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
                "hostPath": {"path": format!("{VOLUME_FOLDER}/{name}"), "type": "DirectoryOrCreate"},
            },
        })
    };
    objects.extend((0..VOLUMES).map(volume));
    objects
}

/// The objects of a file, without the namespace that they may name.
fn documents(file: &Path) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let documents = yaml::documents(&text).with_context(|| format!("reading {}", file.display()))?;
    let within = |mut value: Value| {
        value["metadata"]
            .as_object_mut()
            .map(|meta| meta.remove("namespace"));
        value
    };
    let objects = documents.into_iter().map(|d| d.value).filter(Value::is_object);
    Ok(objects.map(within).collect())
}

/// What starts in each image of a docker archive, in the form of the controller's configuration.
fn commands(archive: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut texts = BTreeMap::new();
    for entry in tar::Archive::new(std::fs::File::open(archive)?).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        // Layers are larger than any configuration.
        if entry.size() < 1 << 20 {
            let mut text = Vec::new();
            entry.read_to_end(&mut text)?;
            texts.insert(path, text);
        }
    }
    let read = |path: &str| -> anyhow::Result<Value> {
        let text = texts.get(path).with_context(|| format!("it has no {path}"))?;
        Ok(serde_json::from_slice(text)?)
    };
    let mut known = BTreeMap::new();
    for image in read("manifest.json")?.as_array().into_iter().flatten() {
        let config = &read(image["Config"].as_str().unwrap_or_default())?["config"];
        let command = json!({"entrypoint": config["Entrypoint"], "cmd": config["Cmd"]});
        for tag in image["RepoTags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            for name in names(tag) {
                known.insert(name.to_owned(), command.clone());
            }
        }
    }
    Ok(known)
}

/// How workflows may call an image of this full name.
fn names(tag: &str) -> Vec<&str> {
    let without_registry = tag.strip_prefix("docker.io/").unwrap_or(tag);
    let short = without_registry
        .strip_prefix("library/")
        .unwrap_or(without_registry);
    let mut names = vec![tag, without_registry, short];
    names.extend(
        names
            .clone()
            .into_iter()
            .filter_map(|name| name.strip_suffix(":latest")),
    );
    names
}

fn kubectl(kubeconfig: &Path, namespace: &str, words: &[&str]) -> anyhow::Result<String> {
    shell::output(
        cluster::kubectl()?
            .env("KUBECONFIG", kubeconfig)
            .args(["-n", namespace])
            .args(words),
    )
}

/// As [`kubectl`], with an object on its standard input.
fn feed(kubeconfig: &Path, namespace: &str, words: &[&str], object: &Value) -> anyhow::Result<String> {
    let mut command: Command = cluster::kubectl()?;
    let mut child = command
        .env("KUBECONFIG", kubeconfig)
        .args(["-n", namespace])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting kubectl")?;
    let mut input = child.stdin.take().context("it was asked for")?;
    let text = object.to_string();
    // It reads all of its input before it says anything.
    input.write_all(text.as_bytes()).context("writing to kubectl")?;
    drop(input);
    let out = child.wait_with_output()?;
    ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
