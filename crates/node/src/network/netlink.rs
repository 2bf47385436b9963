//! The few requests about links, addresses and routes that pods need, in the kernel's own protocol (rtnetlink).
//!
//! A socket belongs to the network namespace in which it was opened, wherever its process goes later.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::runtime::Link;

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;

const ERROR: u16 = 2;
const REQUEST_AND_ACK: u16 = 0x1 | 0x4;
/// Make it; it must not exist.
const CREATE: u16 = 0x200 | 0x400;

const UP: u32 = libc::IFF_UP as u32;

mod attribute {
    pub(super) const HARDWARE: u16 = 1;
    pub(super) const NAME: u16 = 3;
    pub(super) const MTU: u16 = 4;
    pub(super) const MASTER: u16 = 10;
    pub(super) const LINK_INFO: u16 = 18;
    pub(super) const ALIAS: u16 = 20;
    pub(super) const NAMESPACE: u16 = 28;
    pub(super) const KIND: u16 = 1;
    pub(super) const DATA: u16 = 2;
    pub(super) const PEER: u16 = 1;
    pub(super) const ADDRESS: u16 = 1;
    pub(super) const LOCAL: u16 = 2;
    pub(super) const GATEWAY: u16 = 5;
    pub(super) const OUT: u16 = 4;
}

/// The kernel's network settings, in the namespace in which this was made.
pub(crate) struct Netlink {
    socket: OwnedFd,
}

impl Netlink {
    /// Opens a socket in the current network namespace.
    pub(crate) fn open() -> io::Result<Netlink> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok(Netlink { socket })
    }

    /// Number of a link.
    pub(crate) fn index(&self, name: &str) -> io::Result<u32> {
        Ok(rustix::net::netdevice::name_to_index(&self.socket, name)?)
    }

    /// Makes a bridge for a gateway's address and switches it on; `alias` is a text for those who find it.
    pub(super) fn make_bridge(&self, name: &str, alias: &str, gateway: Ipv4Addr, mtu: u32) -> io::Result<()> {
        let mut body = link(0, UP);
        body.text(attribute::NAME, name);
        // Otherwise it is the lowest of those at the bridge, and pods go on sending to the one of a pod that is gone.
        body.bytes(attribute::HARDWARE, &hardware_address(gateway));
        body.number(attribute::MTU, mtu);
        body.nest(attribute::LINK_INFO, |info| info.text(attribute::KIND, "bridge"));
        self.ask(NEW_LINK, CREATE, &body)?;
        // Not taken together with the making.
        let mut body = link(self.index(name)?, 0);
        body.text(attribute::ALIAS, alias);
        self.ask(NEW_LINK, 0, &body)
    }

    /// Deletes a link.
    pub(super) fn delete(&self, name: &str) -> io::Result<()> {
        self.ask(DELETE_LINK, 0, &link(self.index(name)?, 0))
    }

    /// Makes a pair of links: one end at the bridge, the other, `inner`, in another network namespace.
    pub(super) fn make_pair(&self, ends: &Link, inner: &str, namespace: BorrowedFd<'_>) -> io::Result<()> {
        // It cannot be switched on before the pair is tied.
        let mut peer = link(0, 0);
        peer.text(attribute::NAME, inner);
        // The same for every pod that has this address: whoever knew an earlier one reaches this one.
        peer.bytes(attribute::HARDWARE, &hardware_address(ends.address));
        peer.number(attribute::MTU, ends.mtu);
        peer.number(attribute::NAMESPACE, namespace.as_raw_fd().cast_unsigned());
        let mut body = link(0, UP);
        body.text(attribute::NAME, &ends.outer);
        body.number(attribute::MTU, ends.mtu);
        body.number(attribute::MASTER, self.index(&ends.bridge)?);
        body.nest(attribute::LINK_INFO, |info| {
            info.text(attribute::KIND, "veth");
            info.nest(attribute::DATA, |data| data.bytes(attribute::PEER, &peer.0));
        });
        self.ask(NEW_LINK, CREATE, &body)
    }

    /// Switches a link on.
    pub(super) fn switch_on(&self, name: &str) -> io::Result<()> {
        self.ask(NEW_LINK, 0, &link(self.index(name)?, UP))
    }

    /// Gives a link an address; the network around it is reached over the link.
    pub(super) fn add_address(&self, name: &str, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let index = self.index(name)?.to_ne_bytes();
        let mut body = Body(vec![libc::AF_INET as u8, prefix, 0, 0]);
        body.0.extend(index);
        body.bytes(attribute::LOCAL, &address.octets());
        body.bytes(attribute::ADDRESS, &address.octets());
        self.ask(NEW_ADDRESS, CREATE, &body)
    }

    /// Sends everything without a route of its own to a gateway.
    pub(super) fn add_default_route(&self, name: &str, gateway: Ipv4Addr) -> io::Result<()> {
        let (main_table, by_boot, anywhere, unicast) = (254, 3, 0, 1);
        let mut body = Body(vec![
            libc::AF_INET as u8,
            0,
            0,
            0,
            main_table,
            by_boot,
            anywhere,
            unicast,
            0,
            0,
            0,
            0,
        ]);
        body.bytes(attribute::GATEWAY, &gateway.octets());
        body.number(attribute::OUT, self.index(name)?);
        self.ask(NEW_ROUTE, CREATE, &body)
    }

    /// Sends a request and waits for the kernel's answer, which comes at once.
    fn ask(&self, kind: u16, flags: u16, body: &Body) -> io::Result<()> {
        let length = u32::try_from(16 + body.0.len()).map_err(io::Error::other)?;
        let mut message = Vec::with_capacity(16 + body.0.len());
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((REQUEST_AND_ACK | flags).to_ne_bytes());
        message.extend([0; 8]);
        message.extend(&body.0);
        rustix::net::send(&self.socket, &message, SendFlags::empty())?;
        let mut answer = [0u8; 4096];
        let (length, _) = rustix::net::recv(&self.socket, &mut answer, RecvFlags::empty())?;
        let number =
            |from: usize| -> Option<[u8; 4]> { answer[..length].get(from..from + 4)?.try_into().ok() };
        let answered = number(4).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
        match (answered, number(16).map(i32::from_ne_bytes)) {
            (Some(ERROR), Some(0)) => Ok(()),
            (Some(ERROR), Some(code)) => Err(io::Error::from_raw_os_error(-code)),
            _ => Err(io::Error::other("an answer of the kernel that was not asked for")),
        }
    }
}

/// A message without its header: a fixed part, then attributes, all padded to four bytes.
struct Body(Vec<u8>);

/// The hardware address of whoever has an address on a bridge: one of those that everybody may give (IEEE 802, the
/// bit 2 of the first byte), and the same each time.
fn hardware_address(of: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = of.octets();
    [0x02, 0, a, b, c, d]
}

/// The fixed part of requests about links.
fn link(index: u32, flags: u32) -> Body {
    let mut body = Body(vec![0; 4]);
    body.0.extend(index.to_ne_bytes());
    body.0.extend(flags.to_ne_bytes());
    // Which flags are meant.
    body.0.extend(flags.to_ne_bytes());
    body
}

impl Body {
    fn bytes(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).expect("our attributes are far below 64 KiB");
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes);
    }

    fn number(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Body)) {
        let mut inner = Body(Vec::new());
        fill(&mut inner);
        self.bytes(kind, &inner.0);
    }
}
