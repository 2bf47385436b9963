//! Packets and descriptors over the socket between node and sandbox (`SOCK_SEQPACKET`), and specs in memory files.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SandboxSpec;

/// Most bytes of a packet: keys and messages only, specs travel in memory files.
const PACKET_LIMIT_BYTES: usize = 64 * 1024;
/// Most descriptors in a packet: spec, three of standard I/O, status.
const DESCRIPTORS_LIMIT: usize = 5;

/// A connected pair: the node's end does not block, the sandbox's does.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
}

/// Makes the socket at which a sandbox can be found again. The folder's path may be longer than an address can be.
pub(crate) fn open_door(dir: &Path) -> io::Result<OwnedFd> {
    let (socket, address, _folder) = door(dir, SocketFlags::CLOEXEC)?;
    // Left by an earlier sandbox of the same pod.
    let _ = std::fs::remove_file(SandboxSpec::door(dir));
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, 4)?;
    Ok(socket)
}

/// Connects to a sandbox that outlived its node; `None` when nobody answers.
pub(crate) fn knock(dir: &Path) -> io::Result<Option<OwnedFd>> {
    if !SandboxSpec::door(dir).exists() {
        return Ok(None);
    }
    let (socket, address, _folder) = door(dir, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => Ok(Some(socket)),
        Err(rustix::io::Errno::CONNREFUSED | rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The socket, its address, and the folder that must stay open while the address is used.
fn door(dir: &Path, flags: SocketFlags) -> io::Result<(OwnedFd, SocketAddrUnix, OwnedFd)> {
    let folder = rustix::fs::open(
        dir,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let name = SandboxSpec::door(Path::new(""));
    let path = Path::new("/proc/self/fd")
        .join(folder.as_raw_fd().to_string())
        .join(name);
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    Ok((socket, SocketAddrUnix::new(path)?, folder))
}

/// Sends one packet. Blocks, or answers `WouldBlock`, as the socket is set.
pub(crate) fn send<T: Serialize>(socket: impl AsFd, message: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > PACKET_LIMIT_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "packet too long"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_LIMIT))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "too many descriptors",
        ));
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one packet; `None` when the other side is gone.
pub(crate) fn receive<T: DeserializeOwned>(socket: impl AsFd) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0u8; PACKET_LIMIT_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_LIMIT))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..received.bytes])?, fds)))
}

/// Puts a value into a memory file: environments can be longer than any packet, and secrets must not touch the disk.
pub(crate) fn to_memory<T: Serialize>(value: &T) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("argosy-spec", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(fd);
    file.write_all(&serde_json::to_vec(value)?)?;
    file.rewind()?;
    Ok(file.into())
}

/// Reads what [`to_memory`] wrote.
pub(crate) fn from_memory<T: DeserializeOwned>(fd: OwnedFd) -> io::Result<T> {
    let mut bytes = Vec::new();
    let mut file = File::from(fd);
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
