//! Connections from the node into the network of a pod, and a trial whether pods reach the node.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::Netlink;
use crate::container::sys;
use crate::runtime::Link;

/// How long a pod may take to answer on its own loopback address.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long a packet between two namespaces of this machine may take, on a busy one.
const TRIED_WITHIN: Duration = Duration::from_secs(3);

/// Connects to a port on the loopback address of the network that process `pid` is in.
///
/// # Errors
/// When nobody listens there, or the process is gone.
pub(crate) async fn connect(pid: u32, port: u16) -> io::Result<tokio::net::TcpStream> {
    let (done, connected) = tokio::sync::oneshot::channel();
    // A thread of its own, which ends with the network that it was moved to; a socket stays where it was made.
    std::thread::Builder::new()
        .name("port".into())
        .spawn(move || done.send(connect_from_here(pid, port)))?;
    let connected = connected
        .await
        .map_err(|_| io::Error::other("the connection was not tried"))??;
    connected.set_nonblocking(true)?;
    tokio::net::TcpStream::from_std(connected)
}

fn connect_from_here(pid: u32, port: u16) -> io::Result<TcpStream> {
    let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
    let own = File::open("/proc/self/ns/net")?;
    if !is_same(&namespace, &own)? {
        sys::join(&namespace, libc::CLONE_NEWNET)?;
    }
    let try_at = |address: SocketAddr| TcpStream::connect_timeout(&address, ANSWERS_WITHIN);
    try_at((Ipv4Addr::LOCALHOST, port).into())
        .or_else(|refused| try_at((Ipv6Addr::LOCALHOST, port).into()).map_err(|_| refused))
}

/// Connects to this machine as a pod with this link would.
///
/// # Errors
/// What keeps it from that.
pub(super) fn try_out(link: &Link) -> io::Result<()> {
    let listener = TcpListener::bind((link.gateway, 0))?;
    let (address, outside) = (listener.local_addr()?, Netlink::open()?);
    // The network that this thread makes for itself goes with it.
    let tried = std::thread::scope(|scope| {
        let trial = scope.spawn(|| {
            sys::unshare(libc::CLONE_NEWNET)?;
            super::connect(&outside, link)?;
            TcpStream::connect_timeout(&address, TRIED_WITHIN)
        });
        trial.join().map_err(|_| io::Error::other("the trial broke off"))
    });
    // The kernel would take its time to, and a bridge with a port counts as used.
    let _ = outside.delete(&link.outer);
    tried?.map(drop)
}

fn is_same(one: &File, other: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}
