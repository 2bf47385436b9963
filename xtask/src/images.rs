//! `cargo xtask images`: our images as files that every container engine loads, the same to the byte from the same
//! programs. Pushing them is left to tools that exist (`crane push`, `skopeo copy`).

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;

use crate::image::{Content, Image};
use crate::programs::{self, Profile};

/// User and group of our processes: numbers, because Kubernetes checks `runAsNonRoot` by them. The peer's number.
const USER: &str = "8737:8737";

#[derive(clap::Args)]
pub struct Args {
    /// Folder for the files; default: `images` in the build folder.
    #[arg(long)]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "small")]
    profile: Profile,
    /// Tag of the images; default: the version of the programs.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    tag: String,
}

/// Builds the programs, writes the images and prints their files.
///
/// # Errors
/// When a build fails or a file can't be written.
pub fn main(args: &Args) -> anyhow::Result<()> {
    for file in write(args.profile, &args.tag, args.out.as_deref())? {
        println!("{}", file.display());
    }
    Ok(())
}

/// Builds the programs and writes both images.
///
/// # Errors
/// As [`main`].
pub fn write(profile: Profile, tag: &str, out: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
    let built = programs::build_for_images(profile)?;
    let folder = out.map_or_else(|| programs::target_folder().join("images"), Path::to_owned);
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let [executor, emissary] = built.pod;
    let image = |name: &str, entrypoint: &str, entries: Vec<(String, Content)>| Image {
        name: format!("docker.io/argosy/{name}:{tag}"),
        config: json!({
            "Entrypoint": [entrypoint], "User": USER, "WorkingDir": "/", "Env": ["PATH=/bin:/usr/bin:/usr/local/bin"],
        }),
        entries,
    };
    let controller = image(
        "controller",
        "argosy-controller",
        vec![(
            "/bin/argosy-controller".to_owned(),
            Content::Program(built.controller),
        )],
    );
    let executor = image(
        "executor",
        "argoexec",
        vec![
            ("/bin/argoexec".to_owned(), Content::Program(executor)),
            ("/bin/argosy-emissary".to_owned(), Content::Program(emissary)),
        ],
    );
    [
        ("argosy-controller.tar", controller),
        ("argosy-executor.tar", executor),
    ]
    .into_iter()
    .map(|(file, image)| {
        let to = folder.join(file);
        image.write(&to)?;
        Ok(to)
    })
    .collect()
}
