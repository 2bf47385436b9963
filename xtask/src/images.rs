//! `cargo xtask images`: our images as files that every container engine loads, the same to the byte from the same
//! sources, and, if asked for, in a registry. Not here: what an image consists of (`image`).

use std::path::{Path, PathBuf};

use anyhow::Context;
use http::HeaderValue;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use serde_json::json;

use crate::image::{Built, Content, Image, MANIFEST, digest};
use crate::programs::{self, ImagePrograms, Profile};

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
    /// Also push them to this registry and repository, such as `registry.example/argosy`; a registry on this machine is
    /// asked without TLS. Name and password come from `REGISTRY_USER` and `REGISTRY_PASSWORD`, if they are set.
    #[arg(long)]
    push: Option<String>,
}

/// Builds the programs, writes the images, prints their files and digests, and pushes them.
///
/// # Errors
/// When a build fails, a file can't be written, or the registry refuses something.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let built = programs::build_for_images(args.profile)?;
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| programs::target_folder().join("images"));
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for (part, image) in images(&built, &args.tag) {
        let image = image.build()?;
        let file = folder.join(format!("argosy-{part}.tar"));
        image.write(&file)?;
        println!("{} {}", file.display(), image.digest());
        if let Some(repository) = &args.push {
            let reference = format!("{repository}/{part}:{}", args.tag);
            push(&image, &reference).with_context(|| format!("pushing {reference}"))?;
            println!("{reference}@{}", image.digest());
        }
    }
    Ok(())
}

/// Both images and what they are of.
fn images(built: &ImagePrograms, tag: &str) -> [(&'static str, Image); 2] {
    let image = |part: &'static str, entrypoint: &str, programs: &[(&str, &Path)]| {
        let entry = |(to, from): &(&str, &Path)| ((*to).to_owned(), Content::Program((*from).to_owned()));
        let image = Image {
            name: format!("docker.io/argosy/{part}:{tag}"),
            config: json!({
                "Entrypoint": [entrypoint], "User": USER, "WorkingDir": "/",
                "Env": ["PATH=/bin:/usr/bin:/usr/local/bin"],
            }),
            entries: programs.iter().map(entry).collect(),
        };
        (part, image)
    };
    let [executor, emissary] = &built.pod;
    [
        image(
            "controller",
            "argosy-controller",
            &[("/bin/argosy-controller", &built.controller)],
        ),
        image(
            "executor",
            "argoexec",
            &[("/bin/argoexec", executor), ("/bin/argosy-emissary", emissary)],
        ),
    ]
}

/// Puts an image into a registry under a name with tag.
fn push(image: &Built, reference: &str) -> anyhow::Result<()> {
    let reference: Reference = reference.parse()?;
    let variable = |name: &str| std::env::var(name).ok();
    let login = match (variable("REGISTRY_USER"), variable("REGISTRY_PASSWORD")) {
        (Some(user), Some(password)) => RegistryAuth::Basic(user, password),
        _ => RegistryAuth::Anonymous,
    };
    let host = reference.registry();
    let local = ["localhost", "127.0.0.1"].contains(&host.split(':').next().unwrap_or_default());
    let protocol = match local {
        true => ClientProtocol::Http,
        false => ClientProtocol::Https,
    };
    let client = Client::new(ClientConfig {
        protocol,
        use_monolithic_push: true,
        ..ClientConfig::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    runtime.block_on(async {
        client.auth(&reference, &login, RegistryOperation::Push).await?;
        for blob in [image.config.clone().into_bytes(), image.layer.clone()] {
            let name = digest(&blob);
            taken(client.push_blob(&reference, blob, &name).await)?;
        }
        let manifest = image.manifest.clone().into_bytes();
        let kind = HeaderValue::from_static(MANIFEST);
        taken(client.push_manifest_raw(&reference, manifest, kind).await)?;
        anyhow::Ok(())
    })
}

/// Some registries take things without saying where they are, against the specification.
fn taken(said: Result<String, OciDistributionError>) -> Result<(), OciDistributionError> {
    match said {
        Ok(_) | Err(OciDistributionError::RegistryNoLocationError) => Ok(()),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;
    use crate::parts;

    #[test]
    fn a_pushed_image_has_the_digest_of_its_file() {
        let registry = parts::find("registry").expect("this test needs it");
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        drop(socket);
        let mut server = Command::new(registry)
            .args(["-port", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let image = Image {
            name: "docker.io/a/b:1".into(),
            config: json!({"User": USER}),
            entries: vec![("/etc/motd".into(), Content::Text("hello\n".into()))],
        };
        let image = image.build().expect("built");
        let reference = format!("{address}/a/b:1");
        let mut said = String::new();
        let pushed = crate::cluster::wait("the push", Duration::from_secs(30), || {
            push(&image, &reference)
                .map_err(|error| said = format!("{error:#}"))
                .is_ok()
        });
        let answer = std::net::TcpStream::connect(address).map(|mut stream| {
            use std::io::{Read, Write};
            let mut said = String::new();
            let ask =
                format!("HEAD /v2/a/b/manifests/1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            stream
                .write_all(ask.as_bytes())
                .and_then(|()| stream.read_to_string(&mut said))
                .map(|_| said)
        });
        server.kill().expect("it runs");
        server.wait().expect("it ended");
        assert!(pushed.is_ok(), "{said}");
        let said = answer.expect("it listens").expect("it answers");
        assert!(said.contains(&image.digest()), "{said}");
    }
}
