//! The first process of a pod: forks containers on request, keeps what they print and how they end, and tells the node.
//!
//! A sandbox that is to go on without its node waits at its door (a socket in the pod's folder) for the next one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, WaitOptions};

use super::output::{Log, Stream};
use super::{cgroup, failure, init, sys};
use crate::runtime::wire;
use crate::runtime::{
    ContainerSpec, End, Exit, Pids, Record, Report, Request, Running, SandboxSpec, StartFailure, Stdin, Stdio,
};

/// How long the end of a container is held back for the rest of its output. Processes that outlive their container in a
/// shared process namespace may hold it open.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);
/// How often a sandbox without a node looks whether it can still be found. Its folder may have been deleted.
const DOOR_CHECK: Duration = Duration::from_secs(10);

pub(super) struct Sandbox {
    /// The node, while one is there.
    node: Option<OwnedFd>,
    /// Where the next node knocks.
    door: Option<OwnedFd>,
    dir: PathBuf,
    signals: OwnedFd,
    /// By key.
    processes: BTreeMap<String, Process>,
}

struct Process {
    pid: i32,
    /// `None` for a process beside a container.
    attempt: Option<Attempt>,
}

/// An attempt to run a container.
struct Attempt {
    spec: ContainerSpec,
    record: Record,
    streams: Vec<Stream>,
    /// Write end of its standard input, or the other side of its terminal.
    input: Option<OwnedFd>,
    /// Where the terminal comes from that its first process makes.
    console: Option<OwnedFd>,
    /// Until when its output is awaited, once it has ended.
    drained_by: Option<Instant>,
}

impl Attempt {
    /// Tells listeners what is printed from now on, and gives them the input.
    fn attach(&mut self, stdout: OwnedFd, stderr: OwnedFd, console: &OwnedFd) {
        if let Some(input) = &self.input {
            let _ = wire::send(console, &(), &[input.as_fd()]);
            if self.spec.stdin == Stdin::Once && !self.spec.process.terminal {
                // The listener holds it alone now, so that its end is the end.
                self.input = None;
            }
        }
        let mut listeners = [Some(stdout), Some(stderr)];
        for stream in &mut self.streams {
            stream.listeners.extend(listeners[stream.number()].take());
        }
    }

    /// Takes the terminal that the first process has made: what it prints and what it reads.
    fn take_terminal(&mut self) {
        let Some(console) = self.console.take() else {
            return;
        };
        // Nothing comes from a process that has failed before.
        let Ok(Some(((), mut fds))) = wire::receive::<()>(&console) else {
            return;
        };
        let Some(terminal) = fds.pop() else { return };
        let opened = Log::open(self.spec.log.clone());
        let stream = opened.and_then(|log| Stream::of_terminal(terminal.try_clone()?, &log));
        self.streams.extend(stream);
        self.input = Some(terminal);
    }
}

/// What may be ready to be looked at.
enum Source {
    Node,
    Door,
    Signals,
    Stream { key: String, index: usize },
    Console { key: String },
}

impl Sandbox {
    pub(super) fn new(node: OwnedFd, door: Option<OwnedFd>, signals: OwnedFd, dir: PathBuf) -> Sandbox {
        Sandbox {
            node: Some(node),
            door,
            dir,
            signals,
            processes: BTreeMap::new(),
        }
    }

    /// Serves until told to end, or until the node closes its end if there is no door. Returning ends the process
    /// namespace and with it every process of the pod.
    pub(super) fn serve(mut self) -> i32 {
        loop {
            let Ok(ready) = self.wait() else { return 1 };
            let mut ended: Vec<(String, usize)> = Vec::new();
            for source in ready {
                match source {
                    Source::Signals => {
                        let mut drained = [0u8; 1024];
                        let _ = rustix::io::read(&self.signals, &mut drained);
                    }
                    Source::Stream { key, index } => {
                        if !self.stream(&key, index).is_some_and(Stream::take) {
                            ended.push((key, index));
                        }
                    }
                    Source::Console { key } => {
                        let attempt = self.processes.get_mut(&key).and_then(|p| p.attempt.as_mut());
                        if let Some(attempt) = attempt {
                            attempt.take_terminal();
                        }
                    }
                    Source::Door => self.open_door(),
                    Source::Node if self.handle() => {}
                    Source::Node if self.door.is_some() => self.node = None,
                    Source::Node => return 0,
                }
            }
            self.close_streams(ended);
            if self.node.is_none() && !SandboxSpec::door(&self.dir).exists() {
                return 0;
            }
            self.reap();
            self.settle();
        }
    }

    /// Waits for something to happen.
    fn wait(&self) -> io::Result<Vec<Source>> {
        let mut sources = vec![Source::Signals];
        let mut fds = vec![PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN)];
        // One node at a time: the next one is let in when the last one is gone.
        let front = match (&self.node, &self.door) {
            (Some(node), _) => Some((Source::Node, node)),
            (None, Some(door)) => Some((Source::Door, door)),
            (None, None) => None,
        };
        if let Some((source, fd)) = front {
            sources.push(source);
            fds.push(PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN));
        }
        for (key, process) in &self.processes {
            let console = process.attempt.as_ref().and_then(|a| a.console.as_ref());
            if let Some(console) = console {
                sources.push(Source::Console { key: key.clone() });
                fds.push(PollFd::from_borrowed_fd(console.as_fd(), PollFlags::IN));
            }
            let streams = process.attempt.iter().flat_map(|attempt| &attempt.streams);
            for (index, stream) in streams.enumerate() {
                sources.push(Source::Stream {
                    key: key.clone(),
                    index,
                });
                fds.push(PollFd::from_borrowed_fd(stream.pipe(), PollFlags::IN));
            }
        }
        match poll(&mut fds, self.patience().as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let ready = sources.into_iter().zip(ready);
        Ok(ready
            .filter(|(_, ready)| *ready)
            .map(|(source, _)| source)
            .collect())
    }

    fn patience(&self) -> Option<Timespec> {
        let drains = self
            .processes
            .values()
            .filter_map(|p| p.attempt.as_ref()?.drained_by);
        let drain = drains
            .min()
            .map(|by| by.saturating_duration_since(Instant::now()));
        let check = self.node.is_none().then_some(DOOR_CHECK);
        let wait = drain.into_iter().chain(check).min()?;
        Timespec::try_from(wait).ok()
    }

    fn stream(&mut self, key: &str, index: usize) -> Option<&mut Stream> {
        self.processes
            .get_mut(key)?
            .attempt
            .as_mut()?
            .streams
            .get_mut(index)
    }

    fn close_streams(&mut self, ended: Vec<(String, usize)>) {
        // From the back, as indices move.
        for (key, index) in ended.into_iter().rev() {
            let attempt = self.processes.get_mut(&key).and_then(|p| p.attempt.as_mut());
            if let Some(attempt) = attempt.filter(|attempt| index < attempt.streams.len()) {
                attempt.streams.remove(index).close();
            }
        }
    }

    /// Lets a node in and tells it what runs.
    fn open_door(&mut self) {
        let Some(door) = &self.door else { return };
        let Ok(node) = rustix::net::accept_with(door, rustix::net::SocketFlags::CLOEXEC) else {
            return;
        };
        let attempts = self.processes.values().filter_map(|p| p.attempt.as_ref());
        let running: Vec<Running> = attempts
            .map(|attempt| Running {
                record: attempt.record.clone(),
                process: attempt.spec.process.clone(),
            })
            .collect();
        let told =
            wire::to_memory(&running).and_then(|memory| wire::send(&node, &Report::Found, &[memory.as_fd()]));
        if told.is_ok() {
            self.node = Some(node);
        }
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let pid = pid.as_raw_nonzero().get();
            let Some((key, process)) = self.processes.iter_mut().find(|(_, p)| p.pid == pid) else {
                continue;
            };
            let exit = match status.terminating_signal() {
                Some(signal) => Exit::Signal(signal),
                None => Exit::Code(status.exit_status().unwrap_or(255)),
            };
            let groups = process
                .attempt
                .as_ref()
                .map_or(&[][..], |attempt| &attempt.spec.cgroups);
            let end = End {
                exit,
                at: Timestamp::now(),
                out_of_memory: cgroup::ran_out_of_memory(groups),
            };
            cgroup::remove(groups);
            // Nobody may be sent a signal under this number any more.
            process.pid = 0;
            match &mut process.attempt {
                Some(attempt) => {
                    attempt.record.end = Some(end);
                    attempt.drained_by = Some(Instant::now() + DRAIN_LIMIT);
                }
                None => {
                    let key = key.clone();
                    self.processes.remove(&key);
                    self.tell(&Report::Exited { key, end });
                }
            }
        }
    }

    /// Tells of containers that have ended and whose output is written.
    fn settle(&mut self) {
        let now = Instant::now();
        let settled = |process: &Process| {
            let attempt = process.attempt.as_ref()?;
            let by = attempt.drained_by?;
            ((attempt.streams.is_empty() && attempt.console.is_none()) || by <= now).then_some(())
        };
        let keys: Vec<String> = self
            .processes
            .iter()
            .filter(|(_, process)| settled(process).is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            let Some(attempt) = self.processes.remove(&key).and_then(|p| p.attempt) else {
                continue;
            };
            attempt.streams.into_iter().for_each(Stream::close);
            // A record that cannot be written is missed only by a node that comes after the sandbox has died.
            let _ = keep(&attempt.spec.record, &attempt.record);
            if let Some(end) = attempt.record.end {
                self.tell(&Report::Exited { key, end });
            }
        }
    }

    fn tell(&self, report: &Report) {
        if let Some(node) = &self.node {
            let _ = wire::send(node, report, &[]);
        }
    }

    /// Handles one request; false when the node is gone or wants the end.
    fn handle(&mut self) -> bool {
        let Some(node) = &self.node else { return false };
        match wire::receive::<Request>(node) {
            Ok(None) => return false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
            Ok(Some((Request::End, _))) => {
                self.door = None;
                return false;
            }
            Ok(Some((Request::Start, fds))) => self.start(fds),
            Ok(Some((Request::Exec { key, target }, fds))) => self.exec(key, &target, fds),
            Ok(Some((Request::Attach { target }, fds))) => self.attach(&target, fds),
            Ok(Some((Request::Signal { key, signal, group }, _))) => self.signal(&key, signal, group),
        }
        true
    }

    fn start(&mut self, fds: Vec<OwnedFd>) {
        let Ok([spec, status]) = <[OwnedFd; 2]>::try_from(fds) else {
            return;
        };
        let spec: ContainerSpec = match wire::from_memory(spec) {
            Ok(spec) => spec,
            Err(error) => {
                return init::fail(status, &failure("reading the container's specification", error));
            }
        };
        let key = spec.key.clone();
        let joined = match &spec.pids {
            Pids::Of(other) => match self.processes.get(other).filter(|other| other.pid > 0) {
                Some(other) => Some(other.pid),
                None => return init::fail(status, &failure("container is not running", other)),
            },
            Pids::Own | Pids::Pod => None,
        };
        match launch(spec, status, joined) {
            Ok(process) => drop(self.processes.insert(key, process)),
            Err((status, error)) => init::fail(status, &error),
        }
    }

    fn exec(&mut self, key: String, target: &str, fds: Vec<OwnedFd>) {
        let mut fds = fds.into_iter();
        let (Some(spec), Some(status)) = (fds.next(), fds.next()) else {
            return;
        };
        let streams = match (fds.next(), fds.next(), fds.next()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Stdio::Pipes {
                stdin,
                stdout,
                stderr,
            },
            (Some(console), None, None) => Stdio::Terminal { console },
            _ => return,
        };
        let io = init::Io { status, streams };
        let running = self.processes.get(target).filter(|target| target.pid > 0);
        let Some((pid, attempt)) = running.and_then(|t| Some((t.pid, t.attempt.as_ref()?))) else {
            return init::fail(io.status, &failure("container is not running", target));
        };
        match sys::fork(0) {
            Ok(sys::Forked::Child) => init::exec(pid, &attempt.spec.cgroups, spec, io),
            Ok(sys::Forked::Parent(pid)) => {
                self.processes.insert(key, Process { pid, attempt: None });
            }
            Err(error) => init::fail(io.status, &failure("fork", error)),
        }
    }

    fn attach(&mut self, target: &str, fds: Vec<OwnedFd>) {
        let Ok([status, stdout, stderr, console]) = <[OwnedFd; 4]>::try_from(fds) else {
            return;
        };
        let running = self.processes.get_mut(target).filter(|target| target.pid > 0);
        match running.and_then(|target| target.attempt.as_mut()) {
            Some(attempt) => attempt.attach(stdout, stderr, &console),
            None => init::fail(status, &failure("container is not running", target)),
        }
    }

    fn signal(&self, key: &str, signal: i32, group: bool) {
        let Some(process) = self.processes.get(key).filter(|process| process.pid > 0) else {
            return;
        };
        // The only outcome besides success is that the process is gone already, which its report will tell.
        if group {
            sys::kill(-process.pid, signal);
        }
        sys::kill(process.pid, signal);
    }
}

/// Forks a container, perhaps among the processes of the one whose first process is `joined`. On failure nothing is left
/// of the attempt.
fn launch(
    spec: ContainerSpec,
    status: OwnedFd,
    joined: Option<i32>,
) -> Result<Process, (OwnedFd, StartFailure)> {
    let (ours, theirs) = match Ends::open(&spec) {
        Ok(ends) => ends,
        Err(error) => return Err((status, failure("standard output of the container", error))),
    };
    let record = Record {
        key: spec.key.clone(),
        image_id: spec.image_id.clone(),
        container_id: spec.container_id.clone(),
        started_at: Timestamp::now(),
        end: None,
    };
    // Before the fork: a program that may have run must never be taken for one that has not.
    if let Err(error) = keep(&spec.record, &record) {
        return Err((status, failure(spec.record.display(), error)));
    }
    // runc makes its own process namespace; its supervisor must stay outside of it.
    let pids = match spec.pids {
        Pids::Own if spec.oci_runtime.is_none() => libc::CLONE_NEWPID,
        _ => 0,
    };
    let io = init::Io {
        status,
        streams: theirs,
    };
    match fork_among(joined, libc::CLONE_NEWNS | pids) {
        Ok(sys::Forked::Child) => init::container(&spec, io),
        Ok(sys::Forked::Parent(pid)) => {
            let attempt = Attempt {
                spec,
                record,
                streams: ours.streams,
                input: ours.input,
                console: ours.console,
                drained_by: None,
            };
            Ok(Process {
                pid,
                attempt: Some(attempt),
            })
        }
        Err(error) => {
            let _ = fs::remove_file(&spec.record);
            Err((io.status, failure("clone", error)))
        }
    }
}

/// Forks with the child among the processes of a container, if one is named.
fn fork_among(joined: Option<i32>, namespaces: libc::c_int) -> io::Result<sys::Forked> {
    let Some(pid) = joined else {
        return sys::fork(namespaces);
    };
    // Where children are born changes, and nothing else; and back again.
    let be_born_at = |pid: Option<Pid>| {
        let pid = pid.ok_or(io::ErrorKind::NotFound)?;
        let place = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        sys::join(&place, libc::CLONE_NEWPID)
    };
    be_born_at(Pid::from_raw(pid))?;
    let forked = sys::fork(namespaces);
    if !matches!(forked, Ok(sys::Forked::Child)) {
        be_born_at(Some(rustix::process::getpid())).expect("children may be born where their parent was");
    }
    forked
}

/// Our ends of what a container reads and prints.
struct Ends {
    streams: Vec<Stream>,
    input: Option<OwnedFd>,
    console: Option<OwnedFd>,
}

impl Ends {
    /// Our ends and the container's.
    fn open(spec: &ContainerSpec) -> io::Result<(Ends, Stdio)> {
        if spec.process.terminal {
            let (ours, console) = wire::pair()?;
            let ends = Ends {
                streams: Vec::new(),
                input: None,
                console: Some(ours),
            };
            return Ok((ends, Stdio::Terminal { console }));
        }
        let log = Log::open(spec.log.clone())?;
        let (out, stdout) = Stream::open("stdout", &log)?;
        let (err, stderr) = Stream::open("stderr", &log)?;
        let (stdin, input) = match spec.stdin {
            Stdin::None => (fs::File::open("/dev/null")?.into(), None),
            Stdin::Once | Stdin::Open => {
                let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
                (read, Some(write))
            }
        };
        let ends = Ends {
            streams: vec![out, err],
            input,
            console: None,
        };
        let theirs = Stdio::Pipes {
            stdin,
            stdout,
            stderr,
        };
        Ok((ends, theirs))
    }
}

/// Writes a record so that a reader sees the old one or the new one.
fn keep(path: &Path, record: &Record) -> io::Result<()> {
    let next = path.with_extension("new");
    fs::write(&next, serde_json::to_vec(record)?)?;
    fs::rename(&next, path)
}
