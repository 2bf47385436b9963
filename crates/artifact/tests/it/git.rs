//! Checkouts over HTTP with a login and over ssh with a key, from servers that the test starts
//! (rules X-GIT-01 to X-GIT-06).

use std::path::Path;
use std::process::Command;

use argosy_artifact::{Error, Secrets, Store, open};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::programs::{Program, find, start};
use super::s3::options;

/// Secrets by key: files for those that begin with a slash.
struct Given;

#[async_trait::async_trait]
impl Secrets for Given {
    async fn get(&self, _name: &str, key: &str) -> std::io::Result<String> {
        match key.strip_prefix('/') {
            Some(_) => std::fs::read_to_string(key),
            None => Ok(key.to_owned()),
        }
    }
}

/// Runs `git` for the test itself.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(["-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Three commits on `main`, a branch, a tag, a reference beside them, a submodule; and an empty
/// repository.
fn make_repositories(root: &Path) -> Vec<String> {
    for name in ["sub", "work"] {
        std::fs::create_dir(root.join(name)).unwrap();
        git(&root.join(name), &["init", "-q"]);
    }
    let commit = |folder: &str, file: &str| {
        let folder = root.join(folder);
        std::fs::write(folder.join(file), file).unwrap();
        git(&folder, &["add", "."]);
        git(&folder, &["commit", "-q", "-m", file]);
        git(&folder, &["rev-parse", "HEAD"])
    };
    commit("sub", "inner");
    git(root, &["clone", "-q", "--bare", "sub", "sub.git"]);
    let mut hashes = vec![commit("work", "one"), commit("work", "two")];
    let work = root.join("work");
    git(&work, &["tag", "v2"]);
    git(&work, &["checkout", "-q", "-b", "side"]);
    commit("work", "side");
    git(&work, &["update-ref", "refs/own/x", "HEAD"]);
    git(&work, &["checkout", "-q", "main"]);
    git(&work, &["submodule", "--quiet", "add", "../sub.git", "module"]);
    hashes.push(commit("work", "three"));
    git(root, &["clone", "-q", "--mirror", "work", "repo.git"]);
    git(
        &root.join("repo.git"),
        &["config", "uploadpack.allowAnySHA1InWant", "true"],
    );
    git(root, &["init", "-q", "--bare", "empty.git"]);
    hashes
}

/// A web server that asks for a login and hands requests to git.
fn web_server(root: &Path) -> (Program, Program) {
    std::fs::write(root.join("users"), "user:{PLAIN}password\n").unwrap();
    let backend = start("fcgiwrap", |command, port| {
        command.args(["-s", &format!("tcp:127.0.0.1:{port}")]);
    });
    let server = start("nginx", |command, port| {
        let config = root.join("nginx.conf");
        let text = format!(
            "daemon off; master_process off; pid {0}/pid; events {{}}
            http {{
              access_log off; client_body_temp_path {0}/body; fastcgi_temp_path {0}/fast;
              server {{
                listen 127.0.0.1:{port};
                location / {{
                  auth_basic x; auth_basic_user_file {0}/users; fastcgi_pass 127.0.0.1:{1};
                  fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
                  fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param GIT_PROJECT_ROOT {0};
                  fastcgi_param PATH_INFO $uri; fastcgi_param QUERY_STRING $query_string;
                  fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_TYPE $content_type;
                  fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param REMOTE_USER $remote_user;
                }}
              }}
            }}",
            root.display(),
            backend.port
        );
        std::fs::write(&config, text).unwrap();
        command
            .arg("-p")
            .arg(root)
            .arg("-c")
            .arg(config)
            .args(["-e", "stderr"]);
    });
    (backend, server)
}

async fn driver(place: Value) -> Result<Box<dyn Store>, Error> {
    let location = serde_json::from_value(json!({"git": place})).unwrap();
    open(&location, &Given, &options()).await
}

/// What is checked out: files of the folder but git's own, then HEAD, then how many commits there are.
fn shown(target: &Path) -> String {
    let mut files: Vec<_> = target
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    files.sort();
    let head = git(target, &["rev-parse", "--abbrev-ref", "HEAD"]);
    let count = git(target, &["rev-list", "--count", "HEAD"]);
    format!("{} {head} {count}", files.join(","))
}

#[tokio::test]
async fn x_git_01_to_05_over_http() {
    let root = tempdir().unwrap();
    let hashes = make_repositories(root.path());
    let (_backend, server) = web_server(root.path());
    let url = format!("http://127.0.0.1:{}", server.port);
    let checked_out = async |more: Value| -> Result<(TempDir, String), Error> {
        let mut place = json!({
            "repo": format!("{url}/repo.git"),
            "usernameSecret": {"name": "s", "key": "user"}, "passwordSecret": {"name": "s", "key": "password"},
        });
        for (name, value) in more.as_object().unwrap() {
            place[name] = value.clone();
        }
        let folder = tempdir().unwrap();
        let target = folder.path().join("to");
        driver(place).await?.load(&target).await?;
        let text = shown(&target);
        Ok((folder, text))
    };
    for (more, want) in [
        (json!({}), "module,one,three,two main 3"),
        (json!({"revision": "side"}), "one,side,two HEAD 3"),
        (json!({"revision": "v2"}), "one,two HEAD 2"),
        (json!({"revision": hashes[0]}), "one HEAD 1"),
        (json!({"revision": hashes[0][..8]}), "one HEAD 1"),
        (json!({"depth": 1}), "module,one,three,two main 1"),
        (json!({"depth": 1, "revision": "side"}), "one,side,two HEAD 1"),
        (json!({"depth": 1, "revision": hashes[1]}), "one,two HEAD 1"),
        (
            json!({"singleBranch": true, "branch": "side"}),
            "one,side,two side 3",
        ),
        (
            json!({"fetch": ["refs/own/x:refs/own/x"], "revision": "refs/own/x"}),
            "one,side,two HEAD 3",
        ),
    ] {
        let (folder, got) = checked_out(more.clone())
            .await
            .unwrap_or_else(|e| panic!("{more}: {e}"));
        assert_eq!(got, want, "{more}");
        let config = std::fs::read_to_string(folder.path().join("to/.git/config")).unwrap();
        assert!(
            !config.contains("password") && !config.contains("Basic"),
            "{config}"
        );
    }
    let (folder, _) = checked_out(json!({})).await.unwrap();
    assert!(
        folder.path().join("to/module/inner").exists(),
        "submodules come along"
    );
    let (folder, _) = checked_out(json!({"disableSubmodules": true})).await.unwrap();
    assert!(!folder.path().join("to/module/inner").exists());
    let target = folder.path().join("empty");
    let place = json!({
        "repo": format!("{url}/empty.git"), "revision": "later",
        "usernameSecret": {"name": "s", "key": "user"}, "passwordSecret": {"name": "s", "key": "password"},
    });
    driver(place).await.unwrap().load(&target).await.unwrap();
    assert_eq!(
        git(&target, &["symbolic-ref", "HEAD"]),
        "refs/heads/later",
        "X-GIT-04"
    );
    for (more, reason) in [
        (
            json!({"passwordSecret": {"name": "s", "key": "wrong"}}),
            "Authentication failed",
        ),
        (json!({"revision": "no-such"}), "no-such"),
        (json!({"revision": "--upload-pack=touch /tmp/x"}), "git"),
        (json!({"repo": format!("{url}/none.git")}), "not found"),
        (json!({"repo": "ext::sh -c true"}), "not allowed"),
        (json!({"singleBranch": true}), "needs branch"),
    ] {
        let error = checked_out(more.clone()).await.map(drop).unwrap_err();
        assert!(error.to_string().contains(reason), "{more}: {error}");
        assert!(!error.is_transient(), "{error}");
    }
}

#[tokio::test]
async fn x_git_03_over_ssh() {
    let root = tempdir().unwrap();
    let path = root.path();
    make_repositories(path);
    for name in ["host", "own", "other"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(path.join(name))
            .status();
        assert!(made.unwrap().success());
    }
    std::fs::copy(path.join("own.pub"), path.join("allowed")).unwrap();
    // The server wants this folder when root starts it; anybody else needs none.
    let _ = std::fs::create_dir_all("/run/sshd");
    let sshd = find("sshd");
    let server = start(&sshd.to_string_lossy(), |command, port| {
        command.args(["-D", "-e", "-f", "/dev/null", "-p", &port.to_string()]);
        for option in [
            format!("HostKey={}", path.join("host").display()),
            format!("AuthorizedKeysFile={}", path.join("allowed").display()),
            format!("PidFile={}", path.join("sshd.pid").display()),
            "ListenAddress=127.0.0.1".to_owned(),
            "StrictModes=no".to_owned(),
            "UsePAM=no".to_owned(),
            "PasswordAuthentication=no".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
    });
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let repo = format!(
        "ssh://{}@127.0.0.1:{}{}/repo.git",
        user.trim(),
        server.port,
        path.display()
    );
    let place = |key: &str, ignore: bool| {
        json!({
            "repo": repo, "disableSubmodules": true, "insecureIgnoreHostKey": ignore,
            "sshPrivateKeySecret": {"name": "s", "key": path.join(key).to_string_lossy()},
        })
    };
    let target = path.join("to");
    driver(place("own", true))
        .await
        .unwrap()
        .load(&target)
        .await
        .unwrap();
    assert_eq!(shown(&target), "module,one,three,two main 3");
    let left: Vec<_> = path.read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(
        !left.iter().any(|n| n.to_string_lossy().ends_with(".key")),
        "{left:?}"
    );
    for (key, ignore, reason) in [
        ("other", true, "Permission denied"),
        ("own", false, "Host key verification failed"),
    ] {
        let error = driver(place(key, ignore))
            .await
            .unwrap()
            .load(&path.join("none"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!path.join("none").exists());
    }
}
