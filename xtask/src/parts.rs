//! Real servers and clients that tests start: brought once, in fixed versions, into a folder outside the checkout.
//!
//! Built from Go's module proxy or taken from npm, since both serve fixed versions with check sums. Programs that a
//! distribution packages (nginx, sshd, git, containerd) are not here: tests find those on `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::shell;

#[derive(clap::Args, Default)]
pub struct Args {
    /// Which to bring; all that `cargo xtask test` needs when none is named.
    names: Vec<String>,
}

/// The release of all Kubernetes programs.
const KUBERNETES: &str = "1.34.4";

/// The release of etcd that this Kubernetes is built with.
const ETCD: &str = "v3.6.5";

/// Where a program comes from.
enum Source {
    /// A command of a Go module that can be installed as it is.
    Go(&'static str),
    /// A command of the module `k8s.io/kubernetes`, which needs a module of ours around it.
    Kubernetes(&'static str),
    /// kubectl of this release of Kubernetes, whose commands are a library with a main function to call.
    Kubectl(&'static str),
    /// The server of etcd, which is a library with a main function to call.
    Etcd,
    /// A package of npm with a program of the same name.
    Npm(&'static str),
}

struct Part {
    name: &'static str,
    source: Source,
    /// Whether `cargo xtask test` needs it; the others take minutes to build and are for suites on a real cluster.
    for_tests: bool,
}

const PARTS: &[Part] = &[
    Part {
        name: "versitygw",
        source: Source::Go("github.com/versity/versitygw/cmd/versitygw@v1.8.0"),
        for_tests: true,
    },
    Part {
        name: "fake-gcs-server",
        source: Source::Go("github.com/fsouza/fake-gcs-server@v1.56.1"),
        for_tests: true,
    },
    Part {
        name: "registry",
        source: Source::Go("github.com/google/go-containerregistry/cmd/registry@v0.22.1"),
        for_tests: true,
    },
    Part {
        name: "azurite-blob",
        source: Source::Npm("azurite@3.37.0"),
        for_tests: true,
    },
    Part {
        name: "kubectl",
        source: Source::Kubernetes("cmd/kubectl"),
        for_tests: true,
    },
    Part {
        name: "kubectl-1.30",
        source: Source::Kubectl("1.30.14"),
        for_tests: false,
    },
    Part {
        name: "kube-apiserver",
        source: Source::Kubernetes("cmd/kube-apiserver"),
        for_tests: false,
    },
    Part {
        name: "kube-controller-manager",
        source: Source::Kubernetes("cmd/kube-controller-manager"),
        for_tests: false,
    },
    Part {
        name: "kube-scheduler",
        source: Source::Kubernetes("cmd/kube-scheduler"),
        for_tests: false,
    },
    Part {
        name: "kubelet",
        source: Source::Kubernetes("cmd/kubelet"),
        for_tests: false,
    },
    Part {
        name: "etcd",
        source: Source::Etcd,
        for_tests: false,
    },
    Part {
        name: "kwok",
        source: Source::Go("sigs.k8s.io/kwok/cmd/kwok@v0.7.0"),
        for_tests: false,
    },
];

/// Brings the parts and prints the folder of their programs.
///
/// # Errors
/// When a name is unknown, Go or npm is missing, or a build fails.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let named: Vec<&str> = match args.names.is_empty() {
        true => PARTS.iter().filter(|p| p.for_tests).map(|p| p.name).collect(),
        false => args.names.iter().map(String::as_str).collect(),
    };
    ensure(&named)?;
    println!("{}", folder()?.join("bin").display());
    Ok(())
}

/// Brings the named parts, as far as they are not there.
///
/// # Errors
/// As [`main`].
pub fn ensure(names: &[&str]) -> anyhow::Result<()> {
    let find = |name: &&str| {
        let known = || PARTS.iter().map(|p| p.name).collect::<Vec<_>>().join(", ");
        PARTS
            .iter()
            .find(|p| p.name == *name)
            .with_context(|| format!("no part is called {name}; there are {}", known()))
    };
    let wanted = names.iter().map(find).collect::<anyhow::Result<Vec<_>>>()?;
    let folder = folder()?;
    for part in wanted {
        bring(&folder, part).with_context(|| format!("bringing {}", part.name))?;
    }
    Ok(())
}

/// Where parts lie: `$ARGOSY_PARTS`, by default `argosy-parts` in the user's cache folder. Programs are in `bin` of it.
///
/// # Errors
/// When neither that variable nor a home folder is known.
pub fn folder() -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("ARGOSY_PARTS") {
        return Ok(folder.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = cache.or_else(home).context("set HOME or ARGOSY_PARTS")?;
    Ok(cache.join("argosy-parts"))
}

/// A program of the parts' folder, or of `PATH`.
///
/// # Errors
/// When it is in neither, with how to bring it.
pub fn find(name: &str) -> anyhow::Result<PathBuf> {
    let brought = folder()?.join("bin").join(name);
    let found = Some(brought)
        .filter(|program| program.is_file())
        .or_else(|| shell::which(name));
    found.with_context(|| format!("{name} is missing: cargo xtask parts {name}"))
}

fn bring(folder: &Path, part: &Part) -> anyhow::Result<()> {
    let bin = folder.join("bin");
    let stamp = folder.join(format!("{}.version", part.name));
    let version = version(part);
    if bin.join(part.name).exists() && std::fs::read_to_string(&stamp).is_ok_and(|s| s == version) {
        return Ok(());
    }
    std::fs::create_dir_all(&bin)?;
    match part.source {
        Source::Go(package) => {
            shell::run(
                go(folder)
                    .env("GOBIN", &bin)
                    .args(["install", "-trimpath", package]),
            )?
        }
        Source::Kubernetes(package) => {
            let module = kubernetes_module(folder)?;
            let package = format!("k8s.io/kubernetes/{package}");
            build(folder, &module, &package, KUBERNETES, &bin.join(part.name))?;
        }
        Source::Kubectl(release) => {
            let module = kubectl_module(folder, release)?;
            build(folder, &module, ".", release, &bin.join(part.name))?;
        }
        Source::Etcd => {
            let module = etcd_module(folder)?;
            build(folder, &module, "./etcd", KUBERNETES, &bin.join(part.name))?;
        }
        Source::Npm(package) => npm(folder, package, part.name)?,
    }
    std::fs::write(stamp, version)?;
    Ok(())
}

fn version(part: &Part) -> String {
    match part.source {
        Source::Go(text) | Source::Npm(text) | Source::Kubectl(text) => text.to_owned(),
        Source::Kubernetes(_) => KUBERNETES.to_owned(),
        Source::Etcd => ETCD.to_owned(),
    }
}

fn go(folder: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(folder)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=mod");
    command
}

/// Builds a package that says of itself that it is of this release of Kubernetes.
fn build(folder: &Path, module: &Path, package: &str, release: &str, to: &Path) -> anyhow::Result<()> {
    let base = "k8s.io/component-base/version";
    let minor = release.split('.').nth(1).unwrap_or_default();
    let flags =
        format!("-s -w -X {base}.gitVersion=v{release} -X {base}.gitMajor=1 -X {base}.gitMinor={minor}");
    let mut command = go(folder);
    command
        .current_dir(module)
        .args(["build", "-trimpath", "-ldflags", &flags, "-o"])
        .arg(to)
        .arg(package);
    shell::run(&mut command)
}

/// A module that requires Kubernetes: its own staging modules are replaced by their published form, as its `go.mod`
/// asks for with folders that only its repository has.
fn kubernetes_module(folder: &Path) -> anyhow::Result<PathBuf> {
    let module = folder.join("kubernetes");
    if module.join("go.sum").exists() {
        return Ok(module);
    }
    std::fs::create_dir_all(&module)?;
    std::fs::write(module.join("go.mod"), "module parts\n\ngo 1.24.0\n")?;
    shell::run(go(&module).args(["mod", "download", &format!("k8s.io/kubernetes@v{KUBERNETES}")]))?;
    let cache = shell::output(go(&module).args(["env", "GOMODCACHE"]))?;
    let theirs = Path::new(cache.trim()).join(format!("k8s.io/kubernetes@v{KUBERNETES}/go.mod"));
    let theirs = std::fs::read_to_string(&theirs).with_context(|| format!("reading {}", theirs.display()))?;
    let staged = theirs
        .lines()
        .filter_map(|line| line.split_once(" => ./staging"))
        .map(|(name, _)| name.trim().trim_start_matches("replace "));
    let minor = KUBERNETES.trim_start_matches("1.");
    let mut edit = go(&module);
    edit.args([
        "mod",
        "edit",
        &format!("-require=k8s.io/kubernetes@v{KUBERNETES}"),
    ]);
    for name in staged {
        edit.arg(format!("-replace={name}={name}@v0.{minor}"));
    }
    shell::run(&mut edit)?;
    let imports: String = PARTS
        .iter()
        .filter_map(|part| match part.source {
            Source::Kubernetes(package) => Some(format!("import _ \"k8s.io/kubernetes/{package}\"\n")),
            _ => None,
        })
        .collect();
    std::fs::write(
        module.join("tools.go"),
        format!("//go:build tools\n\npackage parts\n\n{imports}"),
    )?;
    shell::run(go(&module).args(["mod", "tidy", "-e"]))?;
    Ok(module)
}

fn kubectl_module(folder: &Path, release: &str) -> anyhow::Result<PathBuf> {
    let module = folder.join(format!("kubectl-{release}"));
    std::fs::create_dir_all(&module)?;
    std::fs::write(module.join("go.mod"), "module parts\n\ngo 1.22.0\n")?;
    std::fs::write(
        module.join("main.go"),
        "package main\n\nimport (\n\t_ \"k8s.io/client-go/plugin/pkg/client/auth\"\n\t\"k8s.io/component-base/cli\"\n\t\
         \"k8s.io/kubectl/pkg/cmd\"\n\t\"k8s.io/kubectl/pkg/cmd/util\"\n)\n\nfunc main() {\n\t\
         if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {\n\t\tutil.CheckErr(err)\n\t}\n}\n",
    )?;
    let version = format!("v0.{}", release.trim_start_matches("1."));
    let modules = ["kubectl", "component-base", "client-go"];
    let wanted = modules.map(|name| format!("k8s.io/{name}@{version}"));
    shell::run(go(&module).arg("get").args(wanted))?;
    shell::run(go(&module).args(["mod", "tidy", "-e"]))?;
    Ok(module)
}

fn etcd_module(folder: &Path) -> anyhow::Result<PathBuf> {
    let module = folder.join("etcd-module");
    let main = module.join("etcd");
    std::fs::create_dir_all(&main)?;
    std::fs::write(module.join("go.mod"), "module parts\n\ngo 1.24.0\n")?;
    std::fs::write(
        main.join("main.go"),
        "package main\n\nimport (\n\t\"os\"\n\n\t\"go.etcd.io/etcd/server/v3/etcdmain\"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n",
    )?;
    shell::run(go(&module).args(["get", &format!("go.etcd.io/etcd/server/v3@{ETCD}")]))?;
    shell::run(go(&module).args(["mod", "tidy"]))?;
    Ok(module)
}

fn npm(folder: &Path, package: &str, program: &str) -> anyhow::Result<()> {
    let place = folder.join("npm");
    std::fs::create_dir_all(&place)?;
    let mut install = Command::new("npm");
    install
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--prefix",
        ])
        .arg(&place)
        .arg(package);
    shell::run(&mut install)?;
    let link = folder.join("bin").join(program);
    let _ = std::fs::remove_file(&link);
    let target = place.join("node_modules/.bin").join(program);
    anyhow::ensure!(target.exists(), "the package {package} has no program {program}");
    std::os::unix::fs::symlink(target, link)?;
    Ok(())
}
