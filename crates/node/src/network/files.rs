//! The files about names that every container of a pod sees: `hosts`, `hostname`, `resolv.conf`.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use k8s_openapi::api::core::v1::Pod;

/// Where systemd keeps the servers that stand behind its own one.
const BEHIND_RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// Writes the files into the pod's folder.
///
/// # Errors
/// When one cannot be written.
pub(crate) fn write(pod: &Pod, dir: &Path, hostname: &str, ip: &str, own_network: bool) -> io::Result<()> {
    let mut hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n".to_string();
    hosts.push_str(&format!("{ip}\t{hostname}\n"));
    for alias in pod.spec.iter().flat_map(|s| s.host_aliases.iter().flatten()) {
        let names: Vec<String> = alias.hostnames.iter().flatten().cloned().collect();
        hosts.push_str(&format!("{}\t{}\n", alias.ip, names.join("\t")));
    }
    fs::write(dir.join("hosts"), hosts)?;
    fs::write(dir.join("hostname"), format!("{hostname}\n"))?;
    let host = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let host = match own_network {
        true => reachable(&host, fs::read_to_string(BEHIND_RESOLVED).ok()),
        false => host,
    };
    fs::write(dir.join("resolv.conf"), resolv_conf(pod, host))
}

/// Name servers of the host that a pod with an address of its own reaches: not those on the host's loopback.
fn reachable(host: &str, behind: Option<String>) -> String {
    let is_loopback = |line: &str| {
        let server = line.strip_prefix("nameserver ").map(str::trim);
        let address = server.and_then(|server| server.parse::<IpAddr>().ok());
        address.is_some_and(|address| address.is_loopback())
    };
    match behind {
        Some(behind) if host.lines().any(is_loopback) => behind,
        _ => {
            let kept = host.lines().filter(|line| !is_loopback(line));
            kept.map(|line| format!("{line}\n")).collect()
        }
    }
}

fn resolv_conf(pod: &Pod, mut text: String) -> String {
    let spec = pod.spec.as_ref();
    let Some(config) = spec.and_then(|s| s.dns_config.as_ref()) else {
        return text;
    };
    if spec.and_then(|s| s.dns_policy.as_deref()) == Some("None") {
        text.clear();
    }
    for server in config.nameservers.iter().flatten() {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if let Some(searches) = config.searches.as_ref().filter(|s| !s.is_empty()) {
        text.push_str(&format!("search {}\n", searches.join(" ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn name_servers_on_the_loopback_are_left_out() {
        let stub = "nameserver 127.0.0.53\noptions edns0\n";
        let real = "nameserver 192.0.2.1\n".to_string();
        for (host, behind, expected) in [
            (stub, Some(real.clone()), real.as_str()),
            (stub, None, "options edns0\n"),
            ("nameserver 8.8.8.8\n", Some(real.clone()), "nameserver 8.8.8.8\n"),
        ] {
            assert_eq!(reachable(host, behind), expected);
        }
    }
}
