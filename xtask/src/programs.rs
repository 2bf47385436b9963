//! Builds what runs: `argosy` itself and the two static programs that go into pods.
//!
//! The static ones lie in a folder `pod` beside `argosy`: Cargo puts its own, dynamically linked build of the same
//! packages beside it, and those start in no image that lacks the same C library.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::{learned, shell};

/// Name of the controller's program.
const CONTROLLER: &str = "argosy-controller";

/// Names of the programs that go into pods.
pub const POD_PROGRAMS: [&str; 2] = ["argosy-executor", "argosy-emissary"];

/// How the programs are built.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Soon built; runs a workflow of one pod in a fifth of a second all the same.
    Dev,
    /// Optimised.
    Release,
    /// What is shipped: as release, in images with the controller linked as a whole and made for what it was seen doing, and
    /// with pods' programs made as small as can be, which takes minutes more.
    Small,
}

#[derive(clap::Args)]
pub struct BuildArgs {
    #[arg(long, value_enum, default_value = "release")]
    profile: Profile,
}

#[derive(clap::Args)]
pub struct RunArgs {
    /// What `argosy run` gets: files and options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    args: Vec<String>,
}

/// Where the built programs are.
pub struct Programs {
    /// The command-line program.
    pub argosy: PathBuf,
    /// The folder with pods' programs.
    pub pod: PathBuf,
}

/// `cargo xtask build`.
///
/// # Errors
/// When the build fails.
pub fn main(args: &BuildArgs) -> anyhow::Result<()> {
    let built = build(args.profile)?;
    println!("{}", built.argosy.display());
    Ok(())
}

/// `cargo xtask run`: becomes `argosy run`.
///
/// # Errors
/// When the build fails or the program can't be started.
pub fn run(args: &RunArgs) -> anyhow::Result<()> {
    let built = build(Profile::Dev)?;
    let error = Command::new(&built.argosy).arg("run").args(&args.args).exec();
    Err(error).with_context(|| format!("starting {}", built.argosy.display()))
}

/// Builds all programs and says where they are.
///
/// # Errors
/// When a build fails, or no way is found to link a static program.
pub fn build(profile: Profile) -> anyhow::Result<Programs> {
    let (name, folder) = match profile {
        Profile::Dev => ("dev", "debug"),
        Profile::Release | Profile::Small => ("release", "release"),
    };
    cargo_build(shell::cargo().args([
        "build",
        "--package",
        "argosy-cli",
        "--bin",
        "argosy",
        "--profile",
        name,
    ]))?;
    let beside = target_folder().join(folder);
    let pod = beside.join("pod");
    let pod_profile = if profile == Profile::Small { "small" } else { name };
    build_pod_programs(pod_profile, &pod)?;
    Ok(Programs {
        argosy: beside.join("argosy"),
        pod,
    })
}

/// Largest size of the programs that go into pods when they are made small, in bytes, in the order of their names.
const LARGEST: [u64; 2] = [15_000_000, 1_500_000];

/// Refuses small programs that have grown beyond their budget.
fn check_sizes(programs: &[PathBuf; 2]) -> anyhow::Result<()> {
    for (program, largest) in programs.iter().zip(LARGEST) {
        let size = std::fs::metadata(program)
            .with_context(|| format!("reading {}", program.display()))?
            .len();
        if size > largest {
            bail!("{} has {size} bytes; its budget is {largest}", program.display());
        }
    }
    Ok(())
}

/// Cargo's own report goes to the terminal only; standard output belongs to whatever runs next.
fn cargo_build(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .stdout(std::io::stderr())
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("the build failed: {status}");
    }
    Ok(())
}

fn build_pod_programs(profile: &str, into: &Path) -> anyhow::Result<()> {
    let from = build_static("argosy-executor", profile, &[])?;
    std::fs::create_dir_all(into).with_context(|| format!("making {}", into.display()))?;
    for name in POD_PROGRAMS {
        place(&from.join(name), &into.join(name))?;
    }
    Ok(())
}

/// Builds the programs of a package so that they need no shared library, with more flags for the compiler, and gives the
/// folder that they are in.
fn build_static(package: &str, profile: &str, more: &[String]) -> anyhow::Result<PathBuf> {
    let link = Linking::choose()?;
    let mut command = shell::cargo();
    command.args(["build", "--package", package, "--bins", "--profile", profile]);
    command.args(["--target", &link.target]);
    let flags = if profile == "dev" {
        Vec::new()
    } else {
        without_paths()?
    };
    command.envs(link.environment(&flags, more));
    cargo_build(&mut command)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target_folder().join(&link.target).join(folder))
}

/// Folders of this machine that get another name in programs, so that the same sources give the same programs anywhere.
fn without_paths() -> anyhow::Result<Vec<(PathBuf, &'static str)>> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let registry = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let sysroot = shell::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(vec![
        (shell::root(), "/argosy"),
        (registry, "/cargo"),
        (sysroot.trim().into(), "/rust"),
        (target_folder(), "/target"),
    ])
}

/// The static programs that go into images.
pub struct ImagePrograms {
    /// The controller.
    pub controller: PathBuf,
    /// The two that go into pods.
    pub pod: [PathBuf; 2],
}

/// Builds what goes into images.
///
/// # Errors
/// As [`build`].
pub fn build_for_images(profile: Profile) -> anyhow::Result<ImagePrograms> {
    let (controller, pod) = match profile {
        Profile::Dev => ("dev", "dev"),
        Profile::Release => ("release", "release"),
        Profile::Small => ("shipped", "small"),
    };
    let learned = if profile == Profile::Small {
        learned::flags()?
    } else {
        Vec::new()
    };
    let controller = build_static("argosy-controller", controller, &learned)?.join(CONTROLLER);
    let folder = build_static("argosy-executor", pod, &[])?;
    let pod = POD_PROGRAMS.map(|name| folder.join(name));
    if profile == Profile::Small {
        check_sizes(&pod)?;
    }
    Ok(ImagePrograms { controller, pod })
}

/// Builds the controller as it is shipped, with more flags for the compiler.
///
/// # Errors
/// As [`build`].
pub fn build_controller(more: &[String]) -> anyhow::Result<PathBuf> {
    Ok(build_static("argosy-controller", "shipped", more)?.join(CONTROLLER))
}

/// Replaces a program by renaming, because a running one can't be written to.
fn place(from: &Path, to: &Path) -> anyhow::Result<()> {
    let same = |a: &Path, b: &Path| {
        Some(std::fs::metadata(a).ok()?.modified().ok()? <= std::fs::metadata(b).ok()?.modified().ok()?)
    };
    if same(from, to).unwrap_or(false) {
        return Ok(());
    }
    let fresh = to.with_extension(format!("{}.new", std::process::id()));
    std::fs::copy(from, &fresh)
        .with_context(|| format!("copying {} to {}", from.display(), fresh.display()))?;
    std::fs::rename(&fresh, to).with_context(|| format!("placing {}", to.display()))
}

/// One way to link a program that needs no shared library.
struct Linking {
    target: String,
    /// The compiler of C, if not the usual one.
    wrapper: Option<String>,
}

impl Linking {
    /// musl where its compiler wrapper is installed, else the C library of this machine, linked statically.
    ///
    /// A static glibc resolves no names through plugins of `nsswitch.conf`; good enough for one machine, and a newcomer
    /// needs no package for it. Releases are built with musl.
    fn choose() -> anyhow::Result<Self> {
        let about = shell::output(Command::new("rustc").arg("-vV"))?;
        let host = about
            .lines()
            .find_map(|l| l.strip_prefix("host: "))
            .context("reading `rustc -vV`")?
            .to_owned();
        let arch = host.split('-').next().unwrap_or_default().to_owned();
        let wrapper = [format!("{arch}-linux-musl-gcc"), "musl-gcc".to_owned()]
            .into_iter()
            .find(|w| shell::which(w).is_some());
        if let Some(wrapper) = wrapper {
            let target = format!("{arch}-unknown-linux-musl");
            if has_target(&target) {
                return Ok(Self {
                    target,
                    wrapper: Some(wrapper),
                });
            }
            eprintln!(
                "the Rust target {target} is missing (rustup target add {target}); using the C library of this machine"
            );
        }
        if !host.ends_with("-gnu") {
            bail!(
                "no way to link static programs: install musl-gcc (Debian, Ubuntu: apt-get install musl-tools)"
            );
        }
        Ok(Self {
            target: host,
            wrapper: None,
        })
    }

    /// Variables for Cargo and for the compilers that it calls; `renamed` are folders and what they are called instead,
    /// `more` is for the compiler of Rust.
    fn environment(&self, renamed: &[(PathBuf, &str)], more: &[String]) -> Vec<(String, String)> {
        let lower = self.target.replace('-', "_");
        let join = |flag: &str| -> Vec<String> {
            let one = |(from, to): &(PathBuf, &str)| format!("{flag}={}={to}", from.display());
            renamed.iter().map(one).collect()
        };
        let mut rust = join("--remap-path-prefix");
        rust.extend_from_slice(more);
        let mut variables = Vec::new();
        match &self.wrapper {
            Some(wrapper) => variables.push((format!("CC_{lower}"), wrapper.clone())),
            None => rust.push("-Ctarget-feature=+crt-static".to_owned()),
        }
        if !rust.is_empty() {
            let key = format!("CARGO_TARGET_{}_RUSTFLAGS", lower.to_uppercase());
            variables.push((key, rust.join(" ")));
        }
        if !renamed.is_empty() {
            variables.push((format!("CFLAGS_{lower}"), join("-ffile-prefix-map").join(" ")));
        }
        variables
    }
}

/// Whether the standard library of a target is installed; tries once to get it.
fn has_target(target: &str) -> bool {
    let there = || {
        let path =
            shell::output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))
                .unwrap_or_default();
        Path::new(path.trim()).is_dir()
    };
    there()
        || (Command::new("rustup")
            .args(["target", "add", target])
            .status()
            .is_ok_and(|s| s.success())
            && there())
}

/// Where Cargo builds to.
pub fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from)
}
