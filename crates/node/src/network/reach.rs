//! Connections from the node into the network of a pod.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::container::sys;

/// How long a pod may take to answer on its own loopback address.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

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

fn is_same(one: &File, other: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}
