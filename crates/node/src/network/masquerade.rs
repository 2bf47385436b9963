//! Lets pods reach what is beyond this machine: their packets leave under the machine's own address. Done with the
//! programs that a machine has for it, `nft` or `iptables`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Subnet;

/// Sets the rules of a bridge anew.
///
/// # Errors
/// With what is missing, in words for the user.
pub(super) fn set(bridge: &str, subnet: Subnet) -> Result<(), String> {
    let forward = Path::new("/proc/sys/net/ipv4/ip_forward");
    if std::fs::read_to_string(forward).is_ok_and(|text| text.trim() == "0") {
        std::fs::write(forward, "1").map_err(|e| format!("{}: {e}", forward.display()))?;
    }
    let by_iptables = iptables(bridge, subnet);
    match by_iptables {
        Err(Trouble::NoProgram) => {}
        done => return done.map_err(|trouble| trouble.text("iptables")),
    }
    match nft(&table(bridge, subnet)) {
        Err(Trouble::NoProgram) => {
            Err("neither iptables nor nft is here, by which pods with addresses of their own reach other machines".into())
        }
        done => done.map_err(|trouble| trouble.text("nft")),
    }
}

/// Takes the rules of a bridge away.
pub(super) fn clear(bridge: &str, subnet: Subnet) {
    for rule in rules(bridge, subnet) {
        let _ = run("iptables", &rule.arguments("-D"), None);
    }
    let _ = nft(&format!("table ip {bridge}\ndelete table ip {bridge}\n"));
}

enum Trouble {
    NoProgram,
    Refused(String),
}

impl Trouble {
    fn text(self, program: &str) -> String {
        match self {
            Trouble::NoProgram => format!("{program} is not here"),
            Trouble::Refused(text) => format!("{program}: {text}"),
        }
    }
}

struct Rule {
    table: &'static str,
    chain: &'static str,
    rest: Vec<String>,
}

impl Rule {
    fn arguments(&self, action: &str) -> Vec<String> {
        let front = ["-w", "-t", self.table, action, self.chain].map(String::from);
        front.into_iter().chain(self.rest.iter().cloned()).collect()
    }
}

fn rules(bridge: &str, subnet: Subnet) -> Vec<Rule> {
    let words = |text: String| text.split(' ').map(String::from).collect();
    let rule = |table, chain, rest: String| Rule {
        table,
        chain,
        rest: words(format!("{rest} -m comment --comment {bridge}")),
    };
    vec![
        rule(
            "nat",
            "POSTROUTING",
            format!("-s {subnet} ! -d {subnet} -j MASQUERADE"),
        ),
        // Firewalls set the policy of this chain to drop, and API and artifact store are on this machine.
        rule("filter", "INPUT", format!("-i {bridge} -j ACCEPT")),
        // Container programs do so with this one.
        rule("filter", "FORWARD", format!("-i {bridge} -j ACCEPT")),
        rule(
            "filter",
            "FORWARD",
            format!("-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
        ),
    ]
}

fn iptables(bridge: &str, subnet: Subnet) -> Result<(), Trouble> {
    for rule in rules(bridge, subnet) {
        match run("iptables", &rule.arguments("-C"), None) {
            Err(Trouble::Refused(_)) => run("iptables", &rule.arguments("-I"), None)?,
            done => done?,
        }
    }
    Ok(())
}

fn table(bridge: &str, subnet: Subnet) -> String {
    format!(
        "table ip {bridge}\ndelete table ip {bridge}\ntable ip {bridge} {{\n chain out {{\n  type nat hook postrouting \
         priority srcnat;\n  ip saddr {subnet} ip daddr != {subnet} masquerade\n }}\n}}\n"
    )
}

fn nft(script: &str) -> Result<(), Trouble> {
    run("nft", &["-f".into(), "-".into()], Some(script))
}

fn run(program: &str, arguments: &[String], input: Option<&str>) -> Result<(), Trouble> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|_| Trouble::NoProgram)?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        let _ = stdin.write_all(input.as_bytes());
    }
    let done = child
        .wait_with_output()
        .map_err(|e| Trouble::Refused(e.to_string()))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(Trouble::Refused(
            String::from_utf8_lossy(&done.stderr).trim().to_string(),
        )),
    }
}
