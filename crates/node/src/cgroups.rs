//! Control groups: finds out what the kernel allows this node, and turns limits of containers into settings of groups.
//!
//! Nothing is made here. The first process of a container makes its group and enters it, and the sandbox that reaps it
//! reads what became of it and removes it: so no group outlives a node that is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use rustix::fs::{Access, access};

use crate::runtime::{Cgroup, Setting};
use crate::spec::quantity;

/// Length of a scheduling period in microseconds, the kernel's and the kubelet's default.
const PERIOD_MICROS: i128 = 100_000;
/// Least processor time that the kernel takes as a limit, in microseconds of a period.
const LEAST_QUOTA_MICROS: i128 = 1000;
/// Resources that this node limits or that need no limit.
const KNOWN: &[&str] = &["cpu", "memory", "ephemeral-storage"];

/// What this node may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cgroups {
    /// One tree for all resources: the folder for our groups.
    V2(PathBuf),
    /// A tree for each resource: the folder for our groups, by controller.
    V1(BTreeMap<&'static str, PathBuf>),
    /// None, and why.
    Absent(String),
}

/// What containers may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    memory_bytes: Option<u64>,
    /// Thousandths of a processor.
    cpu_milli: Option<i128>,
    cpu_request_milli: Option<i128>,
}

impl Limits {
    /// The limits of a container.
    ///
    /// # Errors
    /// With the field whose quantity cannot be read.
    pub(crate) fn of(container: &Container) -> Result<Limits, String> {
        let resources = container.resources.as_ref();
        let limits = resources.and_then(|r| r.limits.as_ref());
        let requests = resources.and_then(|r| r.requests.as_ref());
        let find = |list: Option<&BTreeMap<String, Quantity>>, name: &str| list?.get(name).cloned();
        let bad = |name: &str, text: &Quantity| format!("limit of {name}: {:?} is no quantity", text.0);
        let milli = |found: Option<Quantity>| {
            found
                .map(|text| quantity::milli(&text).ok_or_else(|| bad("cpu", &text)))
                .transpose()
        };
        let memory = find(limits, "memory")
            .map(|text| quantity::bytes(&text).ok_or_else(|| bad("memory", &text)))
            .transpose()?;
        Ok(Limits {
            memory_bytes: memory.filter(|bytes| *bytes > 0),
            cpu_milli: milli(find(limits, "cpu"))?.filter(|milli| *milli > 0),
            cpu_request_milli: milli(find(requests, "cpu"))?.filter(|milli| *milli > 0),
        })
    }
}

/// Resources that the pod asks for and that this node does not have, as the kubelet words it.
pub(crate) fn lacking(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let all = spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten());
    let resources = all.filter_map(|container| container.resources.as_ref());
    let mut asked = resources.flat_map(|r| r.limits.iter().chain(&r.requests).flatten());
    let (name, amount) =
        asked.find(|(name, amount)| !KNOWN.contains(&name.as_str()) && quantity::milli(amount) != Some(0))?;
    Some(format!(
        "Node didn't have enough resource: {name}, requested: {}, used: 0, capacity: 0",
        amount.0
    ))
}

impl Cgroups {
    /// Finds out what is allowed; `name` tells the groups of this node from those of others.
    pub(crate) fn find(name: &str) -> Cgroups {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let found = Cgroups::among(&mounts, &own, name);
        found.sweep();
        found
    }

    fn among(mounts: &str, own: &str, name: &str) -> Cgroups {
        let own = own_groups(own);
        let mut unified = None;
        let mut trees = BTreeMap::new();
        for (kind, options, root, point) in mounts.lines().filter_map(mount) {
            if kind == "cgroup2" {
                unified = Some((root, point));
                continue;
            }
            for controller in ["cpu", "memory"] {
                if kind == "cgroup"
                    && options.split(',').any(|option| option == controller)
                    && let Some(own) = own.get(controller)
                {
                    let base = below(point, root, own);
                    if access(&base, Access::WRITE_OK).is_ok() {
                        trees.insert(controller, base.join(name));
                    }
                }
            }
        }
        if !trees.is_empty() {
            return Cgroups::V1(trees);
        }
        match (unified, own.get("")) {
            (Some((root, point)), Some(own)) => {
                delegated(Path::new(point), &below(point, root, own), name).unwrap_or_else(Cgroups::Absent)
            }
            _ => Cgroups::Absent("this machine has no control groups (cgroup2 is not mounted)".into()),
        }
    }

    /// The groups of a container.
    pub(crate) fn groups(&self, id: &str, limits: &Limits) -> Vec<Cgroup> {
        let wanted = match self {
            Cgroups::Absent(_) => Vec::new(),
            Cgroups::V2(base) => vec![(base, settings_v2(limits))],
            Cgroups::V1(trees) => trees
                .iter()
                .map(|(controller, base)| match *controller {
                    "memory" => (base, memory_v1(limits)),
                    _ => (base, cpu_v1(limits)),
                })
                .collect(),
        };
        let wanted = wanted.into_iter().filter(|(_, settings)| !settings.is_empty());
        wanted
            .map(|(base, settings)| Cgroup {
                folder: base.join(id),
                settings,
            })
            .collect()
    }

    /// Resources that the container limits and that this node cannot, with the reason.
    pub(crate) fn unlimited(&self, limits: &Limits) -> Option<(Vec<&'static str>, String)> {
        let wanted = [
            ("cpu", limits.cpu_milli.is_some()),
            ("memory", limits.memory_bytes.is_some()),
        ];
        let wanted = wanted
            .into_iter()
            .filter(|(_, wanted)| *wanted)
            .map(|(name, _)| name);
        let (missing, why): (Vec<_>, _) = match self {
            Cgroups::V2(_) => return None,
            Cgroups::V1(trees) => (
                wanted.filter(|name| !trees.contains_key(name)).collect(),
                "no writable control group".to_string(),
            ),
            Cgroups::Absent(why) => (wanted.collect(), why.clone()),
        };
        (!missing.is_empty()).then_some((missing, why))
    }

    /// Removes groups that a sandbox left when it was killed; the kernel keeps those in which something runs.
    fn sweep(&self) {
        let bases: Vec<&PathBuf> = match self {
            Cgroups::V2(base) => vec![base],
            Cgroups::V1(trees) => trees.values().collect(),
            Cgroups::Absent(_) => Vec::new(),
        };
        for base in bases {
            for group in fs::read_dir(base).into_iter().flatten().flatten() {
                if group.file_type().is_ok_and(|kind| kind.is_dir()) {
                    let _ = fs::remove_dir(group.path());
                }
            }
        }
    }
}

fn must(file: &str, value: impl ToString) -> Setting {
    Setting {
        file: file.into(),
        value: value.to_string(),
        optional: false,
    }
}

fn may(file: &str, value: impl ToString) -> Setting {
    Setting {
        optional: true,
        ..must(file, value)
    }
}

fn memory_v1(limits: &Limits) -> Vec<Setting> {
    let Some(bytes) = limits.memory_bytes else {
        return Vec::new();
    };
    // The second may not be below the first, and is missing in kernels without accounting of swap.
    vec![
        must("memory.limit_in_bytes", bytes),
        may("memory.memsw.limit_in_bytes", bytes),
    ]
}

fn cpu_v1(limits: &Limits) -> Vec<Setting> {
    let mut settings = Vec::new();
    if let Some(milli) = limits.cpu_request_milli {
        settings.push(may("cpu.shares", shares(milli)));
    }
    if let Some(milli) = limits.cpu_milli {
        settings.push(must("cpu.cfs_period_us", PERIOD_MICROS));
        settings.push(must("cpu.cfs_quota_us", quota(milli)));
    }
    settings
}

fn settings_v2(limits: &Limits) -> Vec<Setting> {
    let mut settings = Vec::new();
    if let Some(bytes) = limits.memory_bytes {
        settings.push(must("memory.max", bytes));
        settings.push(may("memory.swap.max", 0));
        // One process too many ends the container, as with a kubelet.
        settings.push(may("memory.oom.group", 1));
    }
    if let Some(milli) = limits.cpu_request_milli {
        settings.push(may("cpu.weight", 1 + (shares(milli) - 2) * 9999 / 262_142));
    }
    if let Some(milli) = limits.cpu_milli {
        settings.push(must("cpu.max", format!("{} {PERIOD_MICROS}", quota(milli))));
    }
    settings
}

fn shares(milli: i128) -> i128 {
    (milli * 1024 / 1000).clamp(2, 262_144)
}

fn quota(milli: i128) -> i128 {
    (milli * PERIOD_MICROS / 1000).max(LEAST_QUOTA_MICROS)
}

/// The process's own group by controller; that of the unified tree has the empty name.
fn own_groups(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        Some((controllers, path))
    });
    lines
        .flat_map(|(controllers, path)| controllers.split(',').map(move |name| (name, path)))
        .collect()
}

/// Kind, options, root and mount point of a line of `mountinfo`.
fn mount(line: &str) -> Option<(&str, &str, &str, &str)> {
    let (front, back) = line.split_once(" - ")?;
    let mut front = front.split(' ').skip(3);
    let (root, point) = (front.next()?, front.next()?);
    let mut back = back.split(' ');
    let (kind, _source, options) = (back.next()?, back.next()?, back.next()?);
    Some((kind, options, root, point))
}

/// Where a group is found below a mount of which only `root` is shown.
fn below(point: &str, root: &str, group: &str) -> PathBuf {
    let shown = group.strip_prefix(root.trim_end_matches('/')).unwrap_or("");
    Path::new(point).join(shown.trim_start_matches('/'))
}

/// Finds a folder of the unified tree in which groups with limits can be made, and to which this process's children may
/// move: the nearest one above our own group that hands processors and memory down.
fn delegated(point: &Path, own: &Path, name: &str) -> Result<Cgroups, String> {
    let words = |file: PathBuf| -> BTreeSet<String> {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.split_whitespace().map(String::from).collect()
    };
    let needed = ["cpu", "memory"];
    for folder in own.ancestors().take_while(|folder| folder.starts_with(point)) {
        let writable = |file: &str| access(folder.join(file), Access::WRITE_OK).is_ok();
        // Who moves a process needs the right to write here, above both places.
        if !writable("") || !writable("cgroup.procs") {
            break;
        }
        let control = folder.join("cgroup.subtree_control");
        if !needed.iter().all(|name| words(control.clone()).contains(*name))
            // Refused while processes are in the folder itself.
            && fs::write(&control, "+cpu +memory").is_err()
        {
            continue;
        }
        let base = folder.join(name);
        let made = fs::create_dir_all(&base)
            .and_then(|()| fs::write(base.join("cgroup.subtree_control"), "+cpu +memory"));
        if made.is_ok() {
            return Ok(Cgroups::V2(base));
        }
    }
    Err(format!(
        "no control group above {} hands down processors and memory to this user (cgroup v2 delegation)",
        own.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> Limits {
        let container: Container =
            serde_json::from_str(&format!(r#"{{"name": "c", "resources": {text}}}"#)).unwrap();
        Limits::of(&container).unwrap()
    }

    fn check(cgroups: &Cgroups, resources: &str, expected: &[&str]) {
        let groups = cgroups.groups("id", &limits(resources));
        let settings = groups.iter().flat_map(|group| {
            let folder = group.folder.display();
            group
                .settings
                .iter()
                .map(move |setting| format!("{folder}/{}={}", setting.file, setting.value))
        });
        assert_eq!(settings.collect::<Vec<_>>(), expected, "{resources}");
    }

    #[test]
    fn limits_become_settings() {
        let v2 = Cgroups::V2("/g".into());
        let v1 = Cgroups::V1(BTreeMap::from([("cpu", "/c".into()), ("memory", "/m".into())]));
        let both = r#"{"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "100m"}}"#;
        check(
            &v1,
            both,
            &[
                "/c/id/cpu.shares=102",
                "/c/id/cpu.cfs_period_us=100000",
                "/c/id/cpu.cfs_quota_us=50000",
                "/m/id/memory.limit_in_bytes=67108864",
                "/m/id/memory.memsw.limit_in_bytes=67108864",
            ],
        );
        check(
            &v2,
            both,
            &[
                "/g/id/memory.max=67108864",
                "/g/id/memory.swap.max=0",
                "/g/id/memory.oom.group=1",
                "/g/id/cpu.weight=4",
                "/g/id/cpu.max=50000 100000",
            ],
        );
        check(
            &v1,
            r#"{"limits": {"cpu": "1m"}}"#,
            &["/c/id/cpu.cfs_period_us=100000", "/c/id/cpu.cfs_quota_us=1000"],
        );
        check(&v2, r#"{"requests": {"memory": "1Gi"}}"#, &[]);
        check(&Cgroups::Absent(String::new()), both, &[]);
    }

    #[test]
    fn own_groups_are_found_below_what_is_mounted() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display();
        fs::create_dir_all(dir.path().join("memory/own")).unwrap();
        let mounts = format!(
            "30 24 0:26 / {here}/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n\
             31 24 0:27 /pods/x {here}/gone rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        );
        let found = Cgroups::among(&mounts, "4:memory:/own\n3:cpu,cpuacct:/pods/x\n0::/\n", "argosy");
        assert_eq!(
            found,
            Cgroups::V1(BTreeMap::from([("memory", dir.path().join("memory/own/argosy"))]))
        );
        let (missing, _) = found
            .unlimited(&limits(r#"{"limits": {"cpu": "1", "memory": "1Gi"}}"#))
            .unwrap();
        assert_eq!(missing, ["cpu"]);
    }

    #[test]
    fn the_unified_tree_is_used_where_it_is_handed_down() {
        let dir = tempfile::tempdir().unwrap();
        let point = dir.path();
        let own = point.join("user/app");
        fs::create_dir_all(&own).unwrap();
        for (folder, control) in [("", ""), ("user", "cpu memory pids"), ("user/app", "")] {
            fs::write(point.join(folder).join("cgroup.procs"), "").unwrap();
            fs::write(point.join(folder).join("cgroup.subtree_control"), control).unwrap();
        }
        // Nothing can be handed down where processes are.
        fs::remove_file(own.join("cgroup.subtree_control")).unwrap();
        fs::create_dir(own.join("cgroup.subtree_control")).unwrap();
        assert_eq!(
            delegated(point, &own, "argosy").unwrap(),
            Cgroups::V2(point.join("user/argosy"))
        );
        let mounts = format!("30 24 0:26 / {} rw - cgroup2 cgroup2 rw\n", point.display());
        assert_eq!(
            Cgroups::among(&mounts, "0::/user/app\n", "argosy"),
            Cgroups::V2(point.join("user/argosy"))
        );
        let why = delegated(point, &point.join("missing"), "argosy").unwrap_err();
        assert!(why.contains("cgroup v2 delegation"), "{why}");
    }

    #[test]
    fn devices_that_are_not_here_are_named() {
        let pod: Pod = serde_json::from_str(
            r#"{"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "1", "nvidia.com/gpu": "1"}}}]}}"#,
        )
        .unwrap();
        assert_eq!(
            lacking(&pod).unwrap(),
            "Node didn't have enough resource: nvidia.com/gpu, requested: 1, used: 0, capacity: 0"
        );
    }
}
