//! `argosy image`: the images on this machine that `run` and `standalone` start containers from.
//!
//! The commands work on the folder of images itself, whether a platform runs or not.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use argosy_standalone::{ImageStore as Store, ListedImage as Listed, user_data_folder, user_pull_options};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::emit;
use crate::failure::tell;
use crate::print::{table, time};

/// Blanks between columns.
const PADDING: usize = 3;
/// Characters of an image's id in the table.
const ID_CHARS: usize = 12;

/// Arguments of `image`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
    /// The folder of images [default: images in $ARGOSY_DATA, else in ~/.local/share/argosy]
    #[arg(long, global = true, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Take in the images of docker archives and OCI layouts (files, also compressed, or folders)
    Import {
        /// Archives and layouts
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// The name of the image, instead of what the archive says; for an archive of one image
        #[arg(long, value_name = "REFERENCE")]
        name: Option<String>,
    },
    /// Bring images from registries
    Pull {
        /// The images
        #[arg(required = true, value_name = "REFERENCE")]
        references: Vec<String>,
    },
    /// List the images
    #[command(visible_alias = "list")]
    Ls {
        /// Form of the list: name or json
        #[arg(short, long)]
        output: Option<Form>,
    },
    /// Delete images
    Rm {
        /// The images
        #[arg(required = true, value_name = "REFERENCE")]
        references: Vec<String>,
    },
    /// Delete all images that came from registries and that no container uses
    Prune,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// Only the names.
    Name,
    /// JSON.
    Json,
}

/// # Errors
/// When the folder of images can't be used, or an archive can't be read.
pub async fn perform(args: Args) -> anyhow::Result<ExitCode> {
    let Args { command, folder } = args;
    let folder = folder.unwrap_or_else(|| user_data_folder().join("images"));
    let store = Store::open_in(&folder, &[])?;
    match command {
        Command::Import { paths, name } => import(&store, &paths, name.as_deref()),
        Command::Pull { references } => pull(&store, &references).await,
        Command::Ls { output } => list(&store, output),
        Command::Rm { references } => remove(&store, &references),
        Command::Prune => prune(&store),
    }
}

fn import(store: &Store, paths: &[PathBuf], name: Option<&str>) -> anyhow::Result<ExitCode> {
    if name.is_some() && paths.len() != 1 {
        bail!("--name is for one archive");
    }
    for path in paths {
        let names = store
            .import_as(path, name)
            .with_context(|| format!("taking the images of {}", path.display()))?;
        emit(&lines(&names))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn pull(store: &Store, references: &[String]) -> anyhow::Result<ExitCode> {
    let options = user_pull_options().context("reading the settings of registries")?;
    for reference in references {
        let name = store.pull(reference, &[], &options).await?;
        emit(&lines(&[name]))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(store: &Store, form: Option<Form>) -> anyhow::Result<ExitCode> {
    let images = store.list()?;
    let text = match form {
        None => rows(&images, Timestamp::now()),
        Some(Form::Name) => lines(&images.iter().map(|i| i.reference.clone()).collect::<Vec<_>>()),
        Some(Form::Json) => {
            let objects: Vec<Value> = images.iter().map(object).collect();
            serde_json::to_string_pretty(&objects)? + "\n"
        }
    };
    emit(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn rows(images: &[Listed], now: Timestamp) -> String {
    let mut text = "IMAGE\tID\tSIZE\tFROM\tLAST USED\n".to_owned();
    for image in images {
        let id: String = image
            .id
            .trim_start_matches("sha256:")
            .chars()
            .take(ID_CHARS)
            .collect();
        let used = match last_used(image) {
            Some(at) => format!("{} ago", time::short((now.as_second() - at.as_second()).max(0))),
            None => "never".to_owned(),
        };
        let row = [
            &image.reference,
            &id,
            &size(image.size_bytes),
            from(image),
            used.as_str(),
        ];
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    table::align(&text, PADDING)
}

fn last_used(image: &Listed) -> Option<Timestamp> {
    image.last_used.and_then(|at| Timestamp::try_from(at).ok())
}

fn from(image: &Listed) -> &'static str {
    if image.pulled { "registry" } else { "import" }
}

/// Bytes in the unit in which they have one to three digits before the point.
fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut unit = 0;
    // Tenths of the unit, in whole numbers.
    let mut tenths = bytes.div_ceil(100);
    while tenths >= 10_000 && unit + 1 < units.len() {
        tenths = tenths.div_ceil(1000);
        unit += 1;
    }
    format!("{}.{}{}", tenths / 10, tenths % 10, units[unit])
}

fn object(image: &Listed) -> Value {
    json!({
        "reference": image.reference,
        "id": image.id,
        "sizeBytes": image.size_bytes,
        "from": from(image),
        "lastUsed": last_used(image).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
    })
}

fn remove(store: &Store, references: &[String]) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for reference in references {
        match store.remove(reference) {
            Ok(true) => emit(&format!("{reference} deleted\n"))?,
            Ok(false) => {
                tell(&format!("{reference} not found\n"));
                code = ExitCode::FAILURE;
            }
            Err(error) => {
                tell(&format!("{:#}\n", anyhow::Error::from(error)));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn prune(store: &Store) -> anyhow::Result<ExitCode> {
    let collected = store.prune()?;
    let deleted = collected
        .references
        .iter()
        .map(|name| format!("{name} deleted\n"));
    let freed = format!("{} freed\n", size(collected.freed_bytes));
    emit(&(deleted.collect::<String>() + &freed))?;
    Ok(ExitCode::SUCCESS)
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_after_the_point() {
        for (bytes, expected) in [
            (0, "0.0kB"),
            (1, "0.1kB"),
            (1_000, "1.0kB"),
            (1_234_567, "1.3MB"),
            (999_999_999, "1.0GB"),
            (12_000_000_000, "12.0GB"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn the_table_says_where_an_image_is_from_and_when_it_was_used() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let used = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_699_999_000);
        let image = |reference: &str, pulled, last_used| Listed {
            reference: reference.to_owned(),
            id: "sha256:0123456789abcdef".to_owned(),
            size_bytes: 4_200_000,
            pulled,
            last_used,
        };
        let images = [
            image("docker.io/library/busybox:1", true, Some(used)),
            image("docker.io/my/tool:latest", false, None),
        ];
        expect_test::expect![[r#"
            IMAGE                         ID             SIZE    FROM       LAST USED
            docker.io/library/busybox:1   0123456789ab   4.2MB   registry   16m ago
            docker.io/my/tool:latest      0123456789ab   4.2MB   import     never
        "#]]
        .assert_eq(&rows(&images, now));
    }
}
