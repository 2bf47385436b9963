//! How pods are connected: over the host's network, or each with an address of its own behind a bridge.
//!
//! The bridge belongs to a data folder and keeps its name and addresses as long as pods stand on it. A pod's own link is
//! made by its sandbox and ends with it.

pub(crate) mod files;
mod masquerade;
mod netlink;
pub(crate) mod reach;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::images::hex;
use crate::runtime::Link;
pub(crate) use netlink::Netlink;

/// The addresses of which each platform takes a part.
const RANGE: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 0);
/// Length of the network part of a platform's addresses: 1,020 pods.
const PREFIX: u8 = 22;
/// Parts of the range.
const PARTS: u32 = 1 << (PREFIX - 16);
/// Start of the names of our bridges.
const BRIDGE: &str = "argo-";
/// Start of the text by which a bridge is known to be ours.
const ALIAS: &str = "argosy ";
/// Size of packets where no route says otherwise.
const USUAL_MTU: u32 = 1500;

/// Why pods cannot have addresses of their own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Only root may make links.
    #[error("addresses of their own for pods need a node that runs as root")]
    NotRoot,
    /// Every part of the range is in use on this machine.
    #[error("no free part of {RANGE}/16 for the addresses of pods")]
    NoAddresses,
    /// It was tried out.
    #[error("what stands behind a bridge does not reach this machine")]
    Unreachable(#[source] io::Error),
    /// The kernel refused.
    #[error("{what}")]
    Kernel {
        /// The operation.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A network of IPv4 addresses, written `10.213.4.0/22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subnet(Ipv4Addr);

impl Subnet {
    fn part(number: u32) -> Subnet {
        Subnet(Ipv4Addr::from_bits(RANGE.to_bits() | number << (32 - PREFIX)))
    }

    fn gateway(self) -> Ipv4Addr {
        self.address(1)
    }

    fn address(self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.0.to_bits() | number)
    }

    /// Highest number of a pod's address. The one after it is for trying out, the very last one for all.
    fn last(self) -> u32 {
        (1 << (32 - PREFIX)) - 3
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{PREFIX}", self.0)
    }
}

/// The bridge of one data folder.
#[derive(Debug)]
pub struct Bridge {
    name: String,
    subnet: Subnet,
    mtu: u32,
    /// Why pods reach no other machines, if they do not.
    confined: Option<String>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    numbers: BTreeSet<u32>,
    /// Of pods that an earlier node left, until they are found.
    reserved: BTreeSet<u32>,
    /// The number given last: the next pod gets a later one, so that old connections do not reach it.
    last: u32,
}

impl Bridge {
    /// Makes the bridge of a data folder, or finds the one on which its pods still stand. Needs root.
    ///
    /// # Errors
    /// When not run as root, when no addresses are free, or when the kernel refuses.
    pub fn open(data_dir: &Path) -> Result<Bridge, Error> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        let kernel = |what: &str| {
            let what = what.to_string();
            move |source| Error::Kernel { what, source }
        };
        let netlink = Netlink::open().map_err(kernel("opening a netlink socket"))?;
        // Otherwise two platforms that start at once find the same addresses free.
        let _turn = turn().map_err(kernel("waiting for another platform's bridge"))?;
        sweep(&netlink, data_dir);
        let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
        let name = format!("{BRIDGE}{}", &hex(&digest)[..8]);
        let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
        let mtu = mtu(&routes);
        let subnet = match own(&routes, &name) {
            Some(subnet) => subnet,
            None => {
                // Half made by a node that was killed.
                let _ = netlink.delete(&name);
                let start = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
                let subnet = free(&routes, start).ok_or(Error::NoAddresses)?;
                let alias = format!("{ALIAS}{}", data_dir.display());
                netlink
                    .make_bridge(&name, &alias, subnet.gateway(), mtu)
                    .map_err(kernel("making a bridge"))?;
                netlink
                    .add_address(&name, subnet.gateway(), PREFIX)
                    .map_err(kernel("giving the bridge an address"))?;
                subnet
            }
        };
        let confined = masquerade::set(&name, subnet).err();
        let bridge = Bridge {
            name,
            subnet,
            mtu,
            confined,
            taken: Mutex::default(),
        };
        // A kernel without such links, or a firewall, would otherwise show in every pod.
        if let Err(source) = reach::try_out(&bridge.link(subnet.last() + 1)) {
            if bridge.is_free() {
                bridge.close();
            }
            return Err(Error::Unreachable(source));
        }
        if let Some(why) = &bridge.confined {
            tracing::warn!(why, "Pods reach this machine and each other, but nothing beyond");
        }
        Ok(bridge)
    }

    /// The address of this machine by which pods reach it.
    pub fn gateway(&self) -> Ipv4Addr {
        self.subnet.gateway()
    }

    /// Why pods reach nothing beyond this machine; `None` when they do.
    pub fn confined(&self) -> Option<&str> {
        self.confined.as_deref()
    }

    /// What a sandbox needs to know to connect itself.
    fn link(&self, number: u32) -> Link {
        Link {
            bridge: self.name.clone(),
            outer: format!("{}-{number:x}", self.name.replace(BRIDGE, "v")),
            address: self.subnet.address(number),
            prefix: PREFIX,
            gateway: self.gateway(),
            mtu: self.mtu,
        }
    }

    /// Gives a pod an address.
    pub(crate) fn lease(self: &Arc<Bridge>) -> Option<Lease> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // The first is the gateway's.
        let (first, last) = (2, self.subnet.last());
        let start = taken.last.clamp(first - 1, last);
        let mut candidates = (start + 1..=last).chain(first..=start);
        let is_free = |number: &u32| !taken.numbers.contains(number) && !taken.reserved.contains(number);
        let number = candidates.find(is_free)?;
        taken.numbers.insert(number);
        taken.last = number;
        Some(Lease {
            bridge: Arc::clone(self),
            number,
        })
    }

    /// Keeps addresses of pods that an earlier node left from being given away.
    pub(crate) fn reserve(&self, addresses: impl Iterator<Item = Ipv4Addr>) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken
            .reserved
            .extend(addresses.filter_map(|address| self.number(address)));
    }

    fn number(&self, address: Ipv4Addr) -> Option<u32> {
        let number = address.to_bits() ^ self.subnet.0.to_bits();
        (2..=self.subnet.last()).contains(&number).then_some(number)
    }

    /// Takes up the address that a pod got from an earlier node.
    pub(crate) fn renew(self: &Arc<Bridge>, address: Ipv4Addr) -> Option<Lease> {
        let number = self.number(address)?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.reserved.remove(&number);
        taken.numbers.insert(number).then(|| Lease {
            bridge: Arc::clone(self),
            number,
        })
    }

    /// Whether no pod stands on the bridge, not even one that an earlier node left.
    pub fn is_free(&self) -> bool {
        let ports = Path::new("/sys/class/net").join(&self.name).join("brif");
        // What it was tried out with goes a moment later than that.
        let trial = self.link(self.subnet.last() + 1).outer;
        fs::read_dir(ports).is_ok_and(|ports| ports.flatten().all(|port| port.file_name() == *trial))
    }

    /// Takes the bridge and its rules away. No pod may stand on it.
    pub fn close(&self) {
        masquerade::clear(&self.name, self.subnet);
        if let Err(error) = Netlink::open().and_then(|netlink| netlink.delete(&self.name)) {
            tracing::warn!(bridge = self.name, %error, "The bridge was not removed");
        }
    }
}

/// An address that belongs to one pod until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    bridge: Arc<Bridge>,
    number: u32,
}

impl Lease {
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.bridge.subnet.address(self.number)
    }

    /// What a sandbox needs to know to connect itself.
    pub(crate) fn link(&self) -> Link {
        self.bridge.link(self.number)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut taken = self.bridge.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.numbers.remove(&self.number);
    }
}

/// Connects the network namespace of this thread; `outside` is a socket from the namespace that has the bridge.
pub(crate) fn connect(outside: &Netlink, link: &Link) -> io::Result<()> {
    let namespace = fs::File::open("/proc/thread-self/ns/net")?;
    let inner = "eth0";
    let make = || outside.make_pair(link, inner, namespace.as_fd());
    match make() {
        // Of a pod that had the address before and is just going away.
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
            let _ = outside.delete(&link.outer);
            make()?;
        }
        made => made?,
    }
    let inside = Netlink::open()?;
    inside.switch_on(inner)?;
    inside.add_address(inner, link.address, link.prefix)?;
    inside.add_default_route(inner, link.gateway)
}

/// Whether a link has a name as [`Bridge::open`] gives it.
fn is_name(link: &str) -> bool {
    let digits = link.strip_prefix(BRIDGE).unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Destination, mask and link of each line of `/proc/net/route`.
fn routes(text: &str) -> impl Iterator<Item = (u32, u32, &str)> {
    text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let (link, destination) = (words.next()?, words.next()?);
        let mask = words.nth(5)?;
        let number = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::from_be);
        Some((number(destination)?, number(mask)?, link))
    })
}

/// The addresses of a bridge that is there.
fn own(text: &str, bridge: &str) -> Option<Subnet> {
    let mask = u32::MAX << (32 - PREFIX);
    let found = routes(text).find(|(_, found, link)| *link == bridge && *found == mask)?;
    Some(Subnet(Ipv4Addr::from_bits(found.0)))
}

/// A part of the range to which no route of this machine leads, looked for from `start`.
fn free(text: &str, start: u32) -> Option<Subnet> {
    let overlaps = |subnet: Subnet| {
        let own_mask = u32::MAX << (32 - PREFIX);
        // The default route leads everywhere and is nobody's.
        routes(text).any(|(destination, mask, _)| {
            mask != 0 && (destination ^ subnet.0.to_bits()) & mask & own_mask == 0
        })
    };
    let parts = (0..PARTS).map(|step| Subnet::part(start.wrapping_add(step) % PARTS));
    parts.into_iter().find(|subnet| !overlaps(*subnet))
}

/// The size of packets on the way out of this machine.
fn mtu(text: &str) -> u32 {
    let way_out = routes(text).find(|(_, mask, _)| *mask == 0);
    let file = way_out.map(|(_, _, link)| format!("/sys/class/net/{link}/mtu"));
    let text = file.and_then(|file| fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok())
        .unwrap_or(USUAL_MTU)
}

/// Held while a bridge is made: one at a time in this network, whose own file all platforms in it see.
fn turn() -> io::Result<fs::File> {
    let network = fs::File::open("/proc/self/ns/net")?;
    rustix::fs::flock(&network, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(network)
}

/// Removes bridges of data folders that are gone, left by nodes that were killed. Only its maker's turn makes a bridge, so
/// one that does not say whose it is was never finished.
fn sweep(netlink: &Netlink, own: &Path) {
    let links = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    for link in links {
        let name = link.file_name().to_string_lossy().into_owned();
        let alias = fs::read_to_string(link.path().join("ifalias")).unwrap_or_default();
        let folder = alias.trim_end().strip_prefix(ALIAS).map(PathBuf::from);
        let is_used = folder.is_some_and(|folder| folder == own || folder.exists());
        let ports = fs::read_dir(link.path().join("brif")).map_or(usize::MAX, Iterator::count);
        if !is_name(&name) || is_used || ports > 0 {
            continue;
        }
        let text = fs::read_to_string("/proc/net/route").unwrap_or_default();
        if let Some(subnet) = self::own(&text, &name) {
            masquerade::clear(&name, subnet);
        }
        let _ = netlink.delete(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";

    #[test]
    fn a_part_of_the_range_is_taken_that_nobody_has() {
        let route = |link: &str, destination: [u8; 4], mask: [u8; 4]| {
            let hex = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
            format!(
                "{link}\t{}\t00000000\t0001\t0\t0\t0\t{}\t0\t0\t0\n",
                hex(destination),
                hex(mask)
            )
        };
        let default = route("eth0", [0; 4], [0; 4]);
        for (routes, start, expected) in [
            (String::new(), 0, Some("10.213.0.0/22")),
            (default.clone(), 65, Some("10.213.4.0/22")),
            (
                default.clone() + &route("x", [10, 213, 4, 0], [255, 255, 252, 0]),
                1,
                Some("10.213.8.0/22"),
            ),
            (
                route("x", [10, 213, 9, 0], [255, 255, 255, 0]),
                2,
                Some("10.213.12.0/22"),
            ),
            (route("vpn", [10, 0, 0, 0], [255, 0, 0, 0]), 0, None),
        ] {
            let found = free(&(HEAD.to_string() + &routes), start).map(|subnet| subnet.to_string());
            assert_eq!(found.as_deref(), expected, "{routes}");
        }
        let text = HEAD.to_string() + &route("argo-1", [10, 213, 4, 0], [255, 255, 252, 0]);
        assert_eq!(own(&text, "argo-1"), Some(Subnet::part(1)));
        assert_eq!(own(&text, "argo-2"), None);
    }

    #[test]
    fn addresses_are_given_in_turn_and_to_one_pod_each() {
        let bridge = Arc::new(Bridge {
            name: "argo-12345678".into(),
            subnet: Subnet::part(1),
            mtu: 1500,
            confined: None,
            taken: Mutex::default(),
        });
        let text = |lease: &Option<Lease>| lease.as_ref().map(|lease| lease.address().to_string());
        let first = bridge.lease();
        assert_eq!(text(&first).as_deref(), Some("10.213.4.2"));
        drop(first);
        assert_eq!(text(&bridge.lease()).as_deref(), Some("10.213.4.3"));
        bridge.reserve([Ipv4Addr::new(10, 213, 4, 4)].into_iter());
        assert_eq!(text(&bridge.lease()).as_deref(), Some("10.213.4.5"));
        let renewed = bridge.renew(Ipv4Addr::new(10, 213, 4, 4));
        assert_eq!(text(&renewed).as_deref(), Some("10.213.4.4"));
        assert!(bridge.renew(Ipv4Addr::new(10, 213, 4, 4)).is_none());
        assert!(bridge.renew(Ipv4Addr::new(10, 213, 8, 4)).is_none());
        assert_eq!(text(&bridge.lease()).as_deref(), Some("10.213.4.6"));
        let all: Vec<Lease> = std::iter::from_fn(|| bridge.lease()).collect();
        assert_eq!(all.len() as u32, bridge.subnet.last() - 2);
        assert!(all[0].link().outer.len() < libc::IFNAMSIZ);
    }
}
