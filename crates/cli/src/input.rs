//! Reading what file arguments name: paths, web addresses, standard input.

use std::io::Read;
use std::time::Duration;

use anyhow::Context;
use argosy_model::yaml;

use crate::failure::hinted;
use crate::manifest::Source;

/// Longest time that reading from a web address may take.
const WEB_LIMIT: Duration = Duration::from_secs(30);

/// Reads every source. `-` is standard input and must be alone.
///
/// # Errors
/// When one can't be read, is no text, or is too long to be a manifest.
pub async fn read_all(names: &[String]) -> anyhow::Result<Vec<Source>> {
    if names.len() > 1 && names.iter().any(|n| n == "-") {
        anyhow::bail!("standard input (-) can't be combined with other files");
    }
    let mut sources = Vec::new();
    for name in names {
        sources.push(read(name).await?);
    }
    Ok(sources)
}

/// Reads one source.
///
/// # Errors
/// As [`read_all`].
pub async fn read(name: &str) -> anyhow::Result<Source> {
    let bytes = if name == "-" {
        limited(std::io::stdin().lock()).context("reading standard input")?
    } else if name.starts_with("http://") || name.starts_with("https://") {
        download(name).await.with_context(|| format!("reading {name}"))?
    } else {
        file(name)?
    };
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name}: the file is no UTF-8 text"))?;
    Ok(Source {
        name: name.to_owned(),
        text,
    })
}

fn file(name: &str) -> anyhow::Result<Vec<u8>> {
    let opened = std::fs::File::open(name).and_then(|f| Ok((f.metadata()?, f)));
    let (about, file) = match opened {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let error = anyhow::anyhow!("{name}: no such file");
            let hint = nearest(name).map(|near| format!("did you mean {near}?"));
            return Err(hinted(error, hint));
        }
        Err(error) => return Err(anyhow::anyhow!("{name}: {error}")),
    };
    if about.is_dir() {
        anyhow::bail!("{name} is a folder, not a file");
    }
    limited(file).with_context(|| format!("reading {name}"))
}

/// Reads to the end, but never more than a manifest can have.
fn limited(reader: impl Read) -> anyhow::Result<Vec<u8>> {
    let limit = yaml::MAX_BYTES as u64;
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    check_size(bytes.len())?;
    Ok(bytes)
}

fn check_size(length: usize) -> anyhow::Result<()> {
    let limit = yaml::MAX_BYTES;
    anyhow::ensure!(
        length <= limit,
        "longer than {} MiB, which no manifest is",
        limit >> 20
    );
    Ok(())
}

async fn download(address: &str) -> anyhow::Result<Vec<u8>> {
    let client = reqwest::Client::builder()
        .timeout(WEB_LIMIT)
        .build()
        .context("preparing the web client")?;
    let mut answer = client.get(address).send().await.map_err(|e| plain(&e))?;
    if !answer.status().is_success() {
        anyhow::bail!("the server answered {}", answer.status());
    }
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|e| plain(&e))? {
        bytes.extend_from_slice(&part);
        check_size(bytes.len())?;
    }
    Ok(bytes)
}

/// The innermost cause, which says it best: `connection refused`, `certificate expired`.
fn plain(error: &reqwest::Error) -> anyhow::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    anyhow::anyhow!("{cause}")
}

/// A file beside the missing one whose name differs by little.
fn nearest(name: &str) -> Option<String> {
    /// More changed letters than this make another name.
    const NEAR: usize = 3;
    let path = std::path::Path::new(name);
    let wanted = path.file_name()?.to_str()?;
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(std::path::Path::new("."));
    let others = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|e| e.ok()?.file_name().into_string().ok());
    let (_, best) = others
        .map(|other| (distance(wanted, &other), other))
        .min()
        .filter(|(far, _)| *far <= NEAR)?;
    Some(path.with_file_name(best).display().to_string())
}

/// How many letters must be changed, added or removed to turn one word into the other.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
