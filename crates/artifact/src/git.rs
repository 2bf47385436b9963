//! Checkouts of git repositories (rules X-GIT-01 to X-GIT-06), by the program `git`: it alone knows
//! every server, shallow history, submodules and ssh. An image without it can't load them, and says
//! so. How a checkout is made is here; secrets reach `git` and `ssh` by their environment and a file
//! that goes when they end, never by arguments or the repository's configuration.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use argosy_model::artifact::GitArtifact;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::process::Command;

use crate::archive::{remove_all, with_suffix};
use crate::store::{Error, Options, Secrets, Store, Stream, secret};

/// Ways to a repository; others run programs or read the pod's files.
const PROTOCOLS: &str = "http:https:ssh:git";

/// Bytes of what `git` says that are kept for the message.
const LONGEST_REASON: usize = 2000;

/// One checkout.
pub(crate) struct Git {
    place: GitArtifact,
    /// `user:password`, if there is either.
    login: Option<String>,
    key: Option<String>,
    options: Options,
}

/// A driver for an artifact's place.
///
/// # Errors
/// A secret that cannot be read, or fields that contradict each other.
pub(crate) async fn open(
    place: &GitArtifact,
    secrets: &dyn Secrets,
    options: &Options,
) -> Result<Git, Error> {
    if place.single_branch && place.branch.is_empty() {
        return Err(Error::Location(
            "git artifact with singleBranch needs branch".to_owned(),
        ));
    }
    let key = secret(secrets, place.ssh_private_key_secret.as_ref()).await?;
    let user = secret(secrets, place.username_secret.as_ref()).await?;
    let password = secret(secrets, place.password_secret.as_ref()).await?;
    let login = (user.is_some() || password.is_some()).then(|| {
        let text = |part: Option<String>| part.unwrap_or_default().trim().to_owned();
        format!("{}:{}", text(user), text(password))
    });
    Ok(Git {
        place: place.clone(),
        login: login.filter(|_| key.is_none()),
        key,
        options: options.clone(),
    })
}

/// The file with the private key, as long as `ssh` needs it.
struct KeyFile(PathBuf);

impl Drop for KeyFile {
    fn drop(&mut self) {
        // It is in the pod's memory; what can't be removed goes with the pod.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl KeyFile {
    fn write(path: PathBuf, key: &str) -> Result<Self, Error> {
        use std::io::Write as _;
        let failed = |e| Error::io("write", &path, e);
        remove_all(&path).map_err(failed)?;
        let mut options = std::fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&path).map_err(failed)?;
        // Keys that were pasted without their last newline are none to ssh.
        file.write_all(format!("{}\n", key.trim_end()).as_bytes())
            .map_err(failed)?;
        Ok(Self(path))
    }
}

impl Git {
    async fn check_out(&self, target: &Path) -> Result<(), Error> {
        // An attempt before this one may have left something.
        remove_all(target).map_err(|e| Error::io("remove", target, e))?;
        let key_path = with_suffix(target, ".key");
        let key = self
            .key
            .as_ref()
            .map(|key| KeyFile::write(key_path, key))
            .transpose()?;
        let run = Run {
            git: self,
            target,
            key: key.as_ref().map(|file| file.0.as_path()),
        };
        let result = run.all().await;
        if result.is_err() {
            // The first error is the one to report.
            let _ = remove_all(target);
        }
        result
    }

    /// Settings of one run, given by the environment so that nothing of them stays in the checkout.
    fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![("advice.detachedHead".to_owned(), "false".to_owned())];
        if self.place.insecure_skip_tls {
            settings.push(("http.sslVerify".to_owned(), "false".to_owned()));
        }
        if let Some(login) = &self.login {
            // Only for the repository's own host: submodules elsewhere are no business of its keys.
            let host = host_of(&self.place.repo);
            let header = format!("Authorization: Basic {}", STANDARD.encode(login));
            settings.push((format!("http.{host}.extraHeader"), header));
        }
        settings
    }

    fn ssh_command(&self, key: Option<&Path>) -> String {
        let mut command = "ssh -o BatchMode=yes".to_owned();
        if let Some(key) = key {
            command.push_str(&format!(" -o IdentitiesOnly=yes -i '{}'", key.display()));
        }
        if self.place.insecure_ignore_host_key {
            command.push_str(" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null");
        } else {
            command.push_str(" -o StrictHostKeyChecking=yes");
        }
        if self.place.repo.starts_with("ssh://") && !self.place.repo.contains('@') {
            command.push_str(" -l git");
        }
        command
    }
}

/// Scheme, host and port of an address.
fn host_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/")
}

/// One checkout under way.
struct Run<'a> {
    git: &'a Git,
    target: &'a Path,
    key: Option<&'a Path>,
}

impl Run<'_> {
    async fn all(&self) -> Result<(), Error> {
        let place = &self.git.place;
        self.clone().await?;
        let depth = place.depth.filter(|d| *d > 0).map(|d| format!("--depth={d}"));
        let depth: Vec<&str> = depth.as_deref().into_iter().collect();
        if !place.fetch.is_empty() {
            let mut arguments = vec!["fetch", "--quiet", "--update-head-ok"];
            arguments.extend(&depth);
            arguments.extend(["origin", "--"]);
            arguments.extend(place.fetch.iter().map(String::as_str));
            self.inside(&arguments).await?;
        }
        if self
            .inside(&["rev-parse", "--quiet", "--verify", "HEAD"])
            .await
            .is_err()
            && self.inside(&["for-each-ref", "--count=1"]).await?.is_empty()
        {
            // An empty repository is one all the same (X-GIT-04).
            let branch = if place.revision.is_empty() {
                "master"
            } else {
                &place.revision
            };
            let head = format!("refs/heads/{branch}");
            return self.inside(&["symbolic-ref", "HEAD", &head]).await.map(drop);
        }
        if place.revision.is_empty() {
            self.inside(&["checkout", "--quiet"]).await?;
        } else {
            let commit = self.resolve(&depth).await?;
            self.inside(&["checkout", "--quiet", "--detach", &commit]).await?;
        }
        if !place.disable_submodules {
            self.inside(&["submodule", "--quiet", "update", "--init", "--recursive"])
                .await?;
        }
        Ok(())
    }

    async fn clone(&self) -> Result<(), Error> {
        let place = &self.git.place;
        let mut arguments = vec![
            "clone".to_owned(),
            "--quiet".to_owned(),
            "--no-checkout".to_owned(),
        ];
        if place.single_branch {
            arguments.extend(["--single-branch".to_owned(), format!("--branch={}", place.branch)]);
        } else {
            arguments.push("--no-single-branch".to_owned());
        }
        arguments.extend(place.depth.filter(|d| *d > 0).map(|d| format!("--depth={d}")));
        arguments.extend(["--".to_owned(), place.repo.clone()]);
        arguments.push(self.target.to_string_lossy().into_owned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.run(&arguments, None).await.map(drop)
    }

    /// The commit that the revision means: a branch, a tag, a commit, or something in words of git.
    async fn resolve(&self, depth: &[&str]) -> Result<String, Error> {
        let place = &self.git.place;
        let branches = if place.single_branch {
            format!("refs/heads/{0}:refs/heads/{0}", place.branch)
        } else {
            "refs/heads/*:refs/heads/*".to_owned()
        };
        let mut arguments = vec!["fetch", "--quiet", "--update-head-ok"];
        arguments.extend(depth);
        arguments.extend(["origin", "--", &branches]);
        self.inside(&arguments).await?;
        let revision = &place.revision;
        let remote = format!("refs/remotes/origin/{revision}");
        for name in [revision, &remote] {
            let commit = format!("{name}^{{commit}}");
            let arguments = ["rev-parse", "--quiet", "--verify", "--end-of-options", &commit];
            if let Ok(hash) = self.inside(&arguments).await {
                return Ok(hash.trim().to_owned());
            }
        }
        // A commit that shallow history does not reach can still be asked for by name.
        let mut arguments = vec!["fetch", "--quiet"];
        arguments.extend(depth);
        arguments.extend(["origin", "--", revision]);
        self.inside(&arguments).await?;
        let hash = self
            .inside(&["rev-parse", "--verify", "FETCH_HEAD^{commit}"])
            .await?;
        Ok(hash.trim().to_owned())
    }

    async fn inside(&self, arguments: &[&str]) -> Result<String, Error> {
        self.run(arguments, Some(self.target)).await
    }

    /// Runs `git`; gives what it prints.
    async fn run(&self, arguments: &[&str], folder: Option<&Path>) -> Result<String, Error> {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(folder.unwrap_or(Path::new("/")))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", PROTOCOLS)
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("LC_ALL", "C")
            .env("GIT_SSH_COMMAND", self.git.ssh_command(self.key))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let settings = self.git.settings();
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (name, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        let output = command.output().await.map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::Unsupported(
                "git artifacts need the program git, which this image does not have".to_owned(),
            ),
            _ => Error::io("run", Path::new("git"), e),
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let reason = String::from_utf8_lossy(&output.stderr);
        let mut reason: String = reason.trim().chars().take(LONGEST_REASON).collect();
        if reason.contains("terminal prompts disabled") {
            "Authentication failed: the server does not take these credentials".clone_into(&mut reason);
        }
        let what = arguments.first().copied().unwrap_or_default();
        Err(Error::Store {
            message: format!("git {what} {}: {reason}", self.git.place.repo),
            is_transient: TRANSIENT.iter().any(|text| reason.contains(text)),
        })
    }
}

/// What `git` and `ssh` say when trying again may help.
const TRANSIENT: &[&str] = &[
    "Could not resolve host",
    "Connection refused",
    "Connection timed out",
    "early EOF",
    "unexpected disconnect",
    "The requested URL returned error: 5",
    "The requested URL returned error: 429",
];

fn unsupported(what: &str) -> Error {
    Error::Unsupported(format!("{what} not supported for this artifact storage (git)"))
}

#[async_trait]
impl Store for Git {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        let more = self.options.is_transient;
        let is_transient = |e: &Error| e.is_transient() || more(&e.to_string());
        self.options
            .backoff
            .retry(is_transient, || self.check_out(target))
            .await
    }

    async fn read(&self) -> Result<Stream, Error> {
        // A checkout is a folder (X-GIT-06).
        Err(unsupported("reading as one file"))
    }

    async fn save(&self, _source: &Path) -> Result<(), Error> {
        Err(unsupported("saving"))
    }

    async fn delete(&self) -> Result<(), Error> {
        Err(unsupported("delete"))
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        Err(unsupported("list"))
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Ok(true)
    }
}
