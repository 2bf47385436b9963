//! `argosy sync ...`: limits of semaphores, kept in a ConfigMap. Limits in a database only a server can change.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::{emit, needs_server};
use crate::api::{Api, encode};
use crate::connection;

/// Where a limit is kept.
#[derive(Clone, Debug, clap::Args)]
pub struct Place {
    /// The limit's key
    key: String,
    /// Where it is kept: configmap or database
    #[arg(
        long = "type",
        value_name = "TYPE",
        default_value = "",
        hide_default_value = true
    )]
    kind: String,
    /// Name of the ConfigMap
    #[arg(long, default_value = "", hide_default_value = true)]
    cm_name: String,
}

/// A limit to set.
#[derive(Clone, Debug, clap::Args)]
pub struct Setting {
    #[command(flatten)]
    place: Place,
    /// How many may hold the semaphore
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    limit: i32,
}

/// The commands of `sync`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Set a limit that is not there yet
    Create(Setting),
    /// Change a limit
    Update(Setting),
    /// Show a limit
    Get(Place),
    /// Remove a limit
    Delete(Place),
}

/// # Errors
/// When arguments are wrong, the limit is in a database, or the server refuses.
pub async fn perform(command: Command, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let place = match &command {
        Command::Create(setting) | Command::Update(setting) => &setting.place,
        Command::Get(place) | Command::Delete(place) => place,
    };
    match place.kind.as_str() {
        "configmap" => {}
        "database" => return needs_server::refuse(),
        "" => anyhow::bail!("--type is required: configmap or database"),
        other => anyhow::bail!("--type {other}: expected configmap or database"),
    }
    anyhow::ensure!(
        !place.cm_name.is_empty(),
        "--cm-name is required for --type configmap"
    );
    let store = Store {
        api: connection.connect().await?,
        place: place.clone(),
    };
    match &command {
        Command::Create(setting) => {
            anyhow::ensure!(setting.limit > 0, "--limit must be greater than zero");
            anyhow::ensure!(
                store.read().await?.is_none(),
                "sync limit {} already exists",
                store.place.key
            );
            store.write(Some(setting.limit)).await?;
            emit(&format!("Sync limit created\n{}", store.about(setting.limit)))?;
        }
        Command::Update(setting) => {
            anyhow::ensure!(setting.limit > 0, "--limit must be greater than zero");
            store.there().await?;
            store.write(Some(setting.limit)).await?;
            emit(&format!("Sync limit updated\n{}", store.about(setting.limit)))?;
        }
        Command::Get(_) => emit(&store.about(store.there().await?))?,
        Command::Delete(_) => {
            store.there().await?;
            store.write(None).await?;
            emit("Sync limit deleted\n")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Store {
    api: Api,
    place: Place,
}

impl Store {
    fn path(&self) -> String {
        format!(
            "/api/v1/namespaces/{}/configmaps/{}",
            self.api.namespace,
            encode(&self.place.cm_name)
        )
    }

    /// The limit; `None` when the ConfigMap or the key is not there.
    async fn read(&self) -> anyhow::Result<Option<i32>> {
        let map: Value = match self.api.read(&self.path()).await {
            Err(error) if error.is_not_found() => return Ok(None),
            done => done?,
        };
        let text = map["data"][&self.place.key].as_str();
        text.map(|t| {
            t.parse()
                .with_context(|| format!("sync limit {}: \"{t}\" is no number", self.place.key))
        })
        .transpose()
    }

    async fn there(&self) -> anyhow::Result<i32> {
        let found = self.read().await?;
        found.ok_or_else(|| {
            anyhow::anyhow!(
                "sync limit {} not found in ConfigMap {}",
                self.place.key,
                self.place.cm_name
            )
        })
    }

    async fn write(&self, limit: Option<i32>) -> anyhow::Result<()> {
        let data = json!({ &self.place.key: limit.map(|l| l.to_string()) });
        match self
            .api
            .merge::<Value>(&self.path(), &json!({ "data": data }))
            .await
        {
            Err(error) if error.is_not_found() && limit.is_some() => {
                let map = json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self.place.cm_name}, "data": data,
                });
                let path = format!("/api/v1/namespaces/{}/configmaps", self.api.namespace);
                self.api.post::<_, Value>(&path, &map).await?;
            }
            done => drop(done?),
        }
        Ok(())
    }

    fn about(&self, limit: i32) -> String {
        let Place { key, kind, cm_name } = &self.place;
        let namespace = &self.api.namespace;
        format!(
            "Key: {key}\nType: {kind}\nConfigMap Name: {cm_name}\nNamespace: {namespace}\nLimit: {limit}\n"
        )
    }
}
