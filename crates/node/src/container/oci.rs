//! Hands a container to `runc` or `crun`: writes the bundle's `config.json` and becomes `runc run`.

use std::path::Path;

use serde_json::{Value, json};

use super::{failure, process};
use crate::runtime::{ContainerSpec, Mount, Pids, StartFailure};

/// Becomes the OCI runtime; returns only with the reason why that failed.
pub(super) fn run(program: &Path, spec: &ContainerSpec) -> StartFailure {
    let bundle = match spec.rootfs.parent() {
        Some(bundle) => bundle,
        None => return failure("bundle", "the root has no parent folder"),
    };
    let config = bundle.join("config.json");
    if let Err(error) = std::fs::write(&config, bundle_config(spec).to_string()) {
        return failure(config.display(), error);
    }
    let id = format!(
        "argosy-{}-{}",
        std::process::id(),
        spec.key.replace(['/', '.'], "-")
    );
    let state = bundle.join("state");
    let argv: Vec<String> = [
        &program.to_string_lossy(),
        "--root",
        &state.to_string_lossy(),
        "run",
        "--bundle",
        &bundle.to_string_lossy(),
        &id,
    ]
    .map(String::from)
    .to_vec();
    super::sys::default_signals();
    super::sys::close_on_exec_above_stdio();
    let env = [("PATH".to_string(), process::DEFAULT_PATH.to_string())];
    process::execute(&argv[0], &argv, &env)
}

fn bundle_config(spec: &ContainerSpec) -> Value {
    let process = &spec.process;
    let mut namespaces = vec![json!({"type": "mount"})];
    if spec.pids == Pids::Own {
        namespaces.push(json!({"type": "pid"}));
    }
    let capabilities = capability_names(if spec.privileged {
        u64::MAX
    } else {
        process.capabilities
    });
    let env: Vec<String> = process
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let filtered = process.filtered_calls && !spec.privileged;
    let filter = filtered.then(|| {
        let refused =
            json!({"names": super::seccomp::denied(process.capabilities), "action": "SCMP_ACT_ERRNO"});
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [refused]})
    });
    let mut mounts = standard_mounts();
    mounts.extend(spec.mounts.iter().map(bind));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": process.uid.unwrap_or(0), "gid": process.gid.unwrap_or(0), "additionalGids": process.groups},
            "args": process.argv,
            "env": env,
            "cwd": if process.cwd.is_empty() { "/" } else { &process.cwd },
            "capabilities": {"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
            "noNewPrivileges": process.no_new_privileges,
        },
        "root": {"path": spec.rootfs, "readonly": spec.readonly_root},
        "mounts": mounts,
        "linux": {
            "namespaces": namespaces,
            "seccomp": filter,
            "maskedPaths": if spec.privileged { json!([]) } else { json!(["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]) },
            "readonlyPaths": if spec.privileged { json!([]) } else { json!(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]) },
        },
    })
}

fn standard_mounts() -> Vec<Value> {
    let mount = |target: &str, kind: &str, options: &[&str]| json!({"destination": target, "type": kind, "source": kind, "options": options});
    vec![
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount(
            "/dev",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        mount(
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        ),
        mount(
            "/dev/shm",
            "tmpfs",
            &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        ),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    ]
}

fn bind(mount: &Mount) -> Value {
    let source = match &mount.sub_path {
        Some(sub_path) => mount.source.join(sub_path),
        None => mount.source.clone(),
    };
    let access = if mount.readonly { "ro" } else { "rw" };
    json!({"destination": mount.target, "type": "bind", "source": source, "options": ["rbind", access]})
}

fn capability_names(bits: u64) -> Vec<String> {
    let set = rustix::thread::CapabilitySet::from_bits_truncate(bits);
    set.iter_names().map(|(name, _)| format!("CAP_{name}")).collect()
}
