//! Runs the program in a folder of its own, and compares all that comes out.

use std::io::Write;
use std::process::{Command, Stdio};

use expect_test::Expect;
use tempfile::TempDir;

/// A call of the program.
pub struct Program {
    folder: TempDir,
    args: Vec<String>,
    input: String,
}

impl Program {
    /// A call with arguments.
    pub fn new(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        Self {
            folder,
            args: args.iter().map(|a| (*a).to_owned()).collect(),
            input: String::new(),
        }
    }

    /// With a file in the folder that the program runs in.
    #[allow(dead_code, reason = "each test program uses a part of this module")]
    pub fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).expect("the folder can be written");
        self
    }

    /// With a standard input.
    #[allow(dead_code, reason = "each test program uses a part of this module")]
    pub fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// What comes out: standard output, standard error after `stderr:`, the exit code.
    pub fn output(&self) -> String {
        let mut child = Command::new(env!("CARGO_BIN_EXE_argosy"))
            .args(&self.args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // A program that doesn't read its input closes it early.
        let _ = stdin.write_all(self.input.as_bytes());
        drop(stdin);
        let done = child.wait_with_output().expect("the program ends");
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&self.folder.path().display().to_string(), "FOLDER")
        };
        let mut out = text(&done.stdout);
        if !done.stderr.is_empty() {
            out.push_str("stderr:\n");
            out.push_str(&text(&done.stderr));
        }
        out + &format!("exit code {}\n", done.status.code().unwrap_or(-1))
    }

    /// Compares what comes out.
    #[allow(dead_code, reason = "each test program uses a part of this module")]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a case reads better without a reference"
    )]
    pub fn check(self, wanted: Expect) {
        wanted.assert_eq(&self.output());
    }
}
