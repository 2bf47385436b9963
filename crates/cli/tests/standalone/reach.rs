//! How users reach into pods with kubectl: terminals, a container's own input, its ports. What kubectl shows of a pod's life.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::kubectl::{around, command, program, says, words};
use crate::machine::{Machine, PATIENCE, finish};

/// Which way kubectl takes for streams: WebSockets, or SPDY as before 1.31.
const WAYS: [&str; 2] = ["true", "false"];

/// A pod of one container.
fn pod(name: &str, script: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: Never\n  \
         terminationGracePeriodSeconds: 1\n  containers:\n  - name: main\n    image: any\n    \
         command: [sh, -c, '{script}']\n"
    )
}

fn start(machine: &mut Machine, pod: &str) {
    machine.start();
    says(machine, "apply -f -", pod);
    let waited = says(machine, "wait --for=condition=Ready pod --all --timeout=50s", "");
    assert!(waited.contains("condition met"), "{waited}");
}

/// What comes out of kubectl on a terminal of 33 by 99 characters into which somebody types.
fn on_terminal(machine: &Machine, line: &str, typed: &str, sockets: &str) -> (String, Option<i32>) {
    let mut command = Command::new("script");
    let kubectl = program();
    let line = format!("stty rows 33 cols 99; exec {} {line}", kubectl.display());
    around(machine, command.args(["-qefc", &line, "/dev/null"]));
    command
        .env("SHELL", "/bin/sh")
        .env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", sockets);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("script starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(typed.as_bytes()).expect("script reads");
    let ended = finish(child, &line);
    drop(stdin);
    (ended.stdout, ended.code)
}

#[test]
fn commands_have_a_terminal() {
    let mut machine = Machine::new();
    start(&mut machine, &pod("p", "sleep 1000"));
    for sockets in WAYS {
        let script = "tty; read line; echo got $line; stty size; exit 5";
        let line = format!("exec -it p -- sh -c \"{}\"", script.replace('$', "\\$"));
        let (out, code) = on_terminal(&machine, &line, "typed\n", sockets);
        assert_eq!(code, Some(5), "{sockets}: {out}");
        for wanted in ["/dev/pts/0\r\n", "got typed\r\n", "33 99\r\n"] {
            assert!(out.contains(wanted), "{sockets}: no {wanted:?} in {out:?}");
        }
    }
}

#[test]
fn containers_are_typed_into() {
    let mut machine = Machine::new();
    machine.start();
    for sockets in WAYS {
        let run = format!(
            "run box-{sockets} -i --quiet --restart=Never --image=any --command -- sh -c 'while read x; do echo got $x; done; exit 3'"
        );
        let mut command = command(&machine, &words(&run));
        command.env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", sockets);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("kubectl starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        stdin.write_all(b"one\ntwo\n").expect("kubectl reads");
        drop(stdin);
        let ended = finish(child, &run);
        assert_eq!(ended.stdout, "got one\ngot two\n", "{sockets}: {}", ended.stderr);
        assert_eq!(ended.code, Some(3), "{sockets}: {}", ended.stderr);
    }
}

#[test]
fn containers_are_added_to_look_at_others() {
    let mut machine = Machine::new();
    start(&mut machine, &pod("p", "echo main; sleep 1000"));
    let peek = "debug p --profile=general --image=any -c peek --target=main -- cat /proc/1/cmdline";
    says(&machine, peek, "");
    crate::machine::wait_for("the container was run", || {
        let said = says(&machine, "logs p -c peek", "");
        said.contains("sleep 1000").then_some(())
    });
    let ended = "{.status.ephemeralContainerStatuses[0].state.terminated.exitCode} {.status.phase}";
    crate::machine::wait_for("its end is told", || {
        let said = says(&machine, &format!("get pod p -o 'jsonpath={ended}'"), "");
        (said == "0 Running").then_some(())
    });
    // Those that the pod was made with are not to be changed this way.
    let other = r#"patch pod p --subresource=ephemeralcontainers -p '{"spec":{"hostNetwork":true}}'"#;
    says(&machine, other, "");
    assert_eq!(
        says(&machine, "get pod p -o 'jsonpath={.spec.hostNetwork}'", ""),
        ""
    );
}

/// What a page has in it.
fn page(port: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("kubectl listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream
        .write_all(b"GET /page HTTP/1.0\r\n\r\n")
        .expect("kubectl reads");
    let mut answer = String::new();
    // A refused connection is cut off.
    let _ = stream.read_to_string(&mut answer);
    answer.rsplit("\r\n").next().unwrap_or_default().to_owned()
}

#[test]
fn ports_of_pods_are_forwarded() {
    let script =
        "mkdir -p /tmp/www; echo hello > /tmp/www/page; exec busybox httpd -f -p 127.0.0.1:8080 -h /tmp/www";
    let mut machine = Machine::with_own_network();
    start(&mut machine, &pod("web", script));
    for sockets in WAYS {
        let mut command = command(&machine, &words("port-forward pod/web :8080 :8081"));
        let mut child = command
            .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", sockets)
            .spawn()
            .expect("kubectl starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output is a pipe")).lines();
        let mut port = |inner: &str| loop {
            let line = lines
                .next()
                .expect("kubectl says where it listens")
                .expect("text");
            let found = line.strip_prefix("Forwarding from 127.0.0.1:");
            if let Some((port, to)) = found.and_then(|rest| rest.split_once(" -> "))
                && to == inner
            {
                return port.to_owned();
            }
        };
        let (open, closed) = (port("8080"), port("8081"));
        let pages: Vec<String> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..10).map(|_| scope.spawn(|| page(&open))).collect();
            asked
                .into_iter()
                .map(|page| page.join().expect("an answer"))
                .collect()
        });
        assert_eq!(pages, vec!["hello\n"; 10], "{sockets}");
        assert_eq!(page(&closed), "", "{sockets}");
        child.kill().expect("kubectl can be ended");
        child.wait().expect("kubectl can be awaited");
    }
}

#[test]
fn the_life_of_a_pod_is_described() {
    let mut machine = Machine::new();
    start(&mut machine, &pod("p", "sleep 1000"));
    crate::machine::wait_for("the Events are shown", || {
        let said = says(&machine, "describe pod p", "");
        let events = said.split_once("Events:")?.1;
        let told = |reason: &str, message: &str| {
            let is_it = |line: &str| {
                let words: Vec<&str> = line.split_whitespace().collect();
                words.starts_with(&["Normal", reason])
                    && words.contains(&"kubelet")
                    && line.ends_with(message)
            };
            events.lines().any(is_it)
        };
        let all = told("Created", "Created container: main") && told("Started", "Started container main");
        all.then_some(())
    });
}
