//! Starts the parts in order, and stops them in the opposite one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argosy_apiserver::ApiServer;
use argosy_controller::Controller;
use argosy_engine::Config;
use argosy_node::images::{ImageConfig, ProvidedFile, ProvidedImage};
use argosy_node::{Bridge, Node, RuntimeChoice};
use kube::Client;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::debug;

use crate::error::Error;
use crate::folder::{Folder, Kept, write_private};
use crate::options::{Options, find_pod_programs};
use crate::{apply, artifacts, definitions, fallback, images, kubelet, network};

/// The node's name.
const NODE: &str = "argosy";

/// The image of executor containers; provided by the platform, never pulled.
const EXECUTOR_IMAGE: &str = "argosy.local/executor:builtin";

/// A running platform: API, node, controller and artifact store in this process.
pub struct Platform {
    client: Client,
    namespace: String,
    url: String,
    token: String,
    api: Arc<ApiServer>,
    node: Arc<Node>,
    controller: Controller,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    notices: Vec<String>,
    /// Removed when dropped, if temporary.
    folder: Folder,
}

impl Platform {
    /// Starts everything.
    ///
    /// # Errors
    /// One variant of [`Error`] per part; what was started before is stopped.
    pub async fn start(options: Options) -> Result<Self, Error> {
        // The first provider stays; a second call only says that there is one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let Options {
            data,
            images,
            pull,
            wanted_images,
            pod_programs,
            runtime,
            network,
            node_labels,
            namespace,
            config,
            limits,
            conduct,
            listen,
        } = options;
        let programs = pod_programs.map_or_else(find_pod_programs, Ok);
        let programs = programs.map_err(Error::PodPrograms)?;
        let folder = Folder::open(data)?;
        let data_dir = folder.path.clone();
        let mut kept = folder.kept()?;
        let (runtime, without_images) = match runtime {
            RuntimeChoice::Auto => fallback::choose(&images, &wanted_images, &pull).await,
            chosen => (chosen, None),
        };
        let (bridge, without_bridge) = network::open(network, &data_dir).await?;
        let notices = without_images.into_iter().chain(without_bridge).collect();
        let (stop, stopped) = watch::channel(false);
        let front = Front::open(&namespace, listen, &folder, &kept, bridge.get(), &stopped).await?;
        let client = Client::new(front.api.service(), namespace.as_str());
        let store = artifacts::serve(&data_dir.join("artifacts"), front.pods.ip(), &kept, stopped)
            .await
            .map_err(Error::Artifacts)?;
        kept.api = Some(front.address);
        kept.artifacts = Some(store.address);
        leave_word(&folder, &kept, &front)?;
        prepare(&client, &namespace, &store).await?;
        let config = complete(config, &namespace, store.repository());

        let mut node_options = argosy_node::Options::new(NODE, &data_dir);
        node_options.images_dir = Some(images);
        node_options.pull = pull;
        node_options.runtime = runtime;
        node_options.network = network;
        node_options.labels = node_labels;
        node_options.bridge = bridge.get().cloned();
        node_options.provided_images = vec![executor_image(&programs)];
        node_options.keep_running = folder.stays();
        front.tell(&mut node_options);
        let node = Node::start(client.clone(), node_options).await;
        let node = Arc::new(node.map_err(Error::Node)?);
        bridge.hand_over();
        front.api.set_kubelet(Arc::new(kubelet::Bridge(node.clone())));

        let options = argosy_controller::Options {
            config,
            limits,
            conduct,
            images: Arc::new(images::OfNode(node.clone())),
            // Somebody looks on, and a write costs next to nothing.
            store_pause: std::time::Duration::ZERO,
            ..Default::default()
        };
        let controller = Controller::start(client.clone(), options);
        debug!(url = front.url, data = %data_dir.display(), "Platform started");
        let (url, api, mut servers) = (front.url, front.api, front.servers);
        servers.push(store.server);
        Ok(Self {
            client,
            namespace,
            url,
            token: kept.token,
            api,
            node,
            controller,
            stop,
            servers,
            notices,
            folder,
        })
    }

    /// A client for the platform's API, without limits.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The namespace that exists for workflows.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where the API listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the user must know about how pods run, where it is not what they would expect.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The folder that holds everything.
    pub fn data(&self) -> &Path {
        &self.folder.path
    }

    /// The kubeconfig that was written into a data folder that stays.
    pub fn kubeconfig_file(&self) -> Option<PathBuf> {
        self.folder.stays().then(|| self.folder.kubeconfig())
    }

    /// A kubeconfig for other programs, as long as the platform runs.
    pub fn kubeconfig(&self) -> String {
        self.api.kubeconfig(&self.url, &self.token)
    }

    /// Takes the images of a docker archive or OCI layout and gives their names.
    ///
    /// # Errors
    /// When the file can't be read or holds no image.
    pub async fn import_images(&self, path: &Path) -> Result<Vec<String>, argosy_node::images::Error> {
        let (store, path) = (self.node.images().clone(), path.to_owned());
        tokio::task::spawn_blocking(move || store.import(&path))
            .await
            .unwrap_or_else(|failure| {
                Err(argosy_node::images::Error::Damaged(format!(
                    "the import broke off: {failure}"
                )))
            })
    }

    /// How many pods run at the moment, as far as the API knows.
    ///
    /// # Errors
    /// The API's refusal.
    pub async fn running_pods(&self) -> Result<usize, kube::Error> {
        let request = kube::core::Request::new("/api/v1/pods")
            .list(&kube::api::ListParams::default().fields("status.phase=Running"))
            .map_err(kube::Error::BuildRequest)?;
        let list: Value = self.client.request(request).await?;
        Ok(list["items"].as_array().map_or(0, Vec::len))
    }

    /// Stops everything: nobody decides any more, then the node, then the API. Containers of a temporary platform end;
    /// those of a data folder that stays go on, and the next platform in it finds them again.
    pub async fn stop(self) {
        self.controller.stop().await;
        self.node.shutdown().await;
        let _ = self.stop.send(true);
        for server in self.servers {
            server.abort();
        }
        let api = self.api;
        if tokio::task::spawn_blocking(move || api.close()).await.is_err() {
            tracing::error!("The API could not be closed");
        }
    }
}

/// The API and where it listens.
struct Front {
    api: Arc<ApiServer>,
    /// Where it listens.
    address: SocketAddr,
    /// Where pods reach it.
    pods: SocketAddr,
    /// Where users reach it.
    url: String,
    servers: Vec<JoinHandle<()>>,
}

impl Front {
    async fn open(
        namespace: &str,
        listen: Option<SocketAddr>,
        folder: &Folder,
        kept: &Kept,
        bridge: Option<&Arc<Bridge>>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let wanted = listen.or(kept.api).unwrap_or(ANY_PORT);
        let refused = |source| Error::Listen {
            address: wanted,
            kept: listen.is_none() && kept.api.is_some(),
            source,
        };
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        // The same, unless it listens on every address of the machine.
        let mut reached = address;
        if address.ip().is_unspecified() {
            reached.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let mut pods = reached;
        let mut listeners = vec![listener];
        if let Some(bridge) = bridge {
            pods.set_ip(bridge.gateway().into());
            if !address.ip().is_unspecified() {
                let source = |source| Error::Listen {
                    address: pods,
                    kept: false,
                    source,
                };
                listeners.push(TcpListener::bind(pods).await.map_err(source)?);
            }
        }
        let api = new_api(namespace, folder, &kept.token, &[reached.ip(), pods.ip()])?;
        let servers = listeners.into_iter().map(|l| serve(api.clone(), l, stop.clone()));
        Ok(Self {
            servers: servers.collect(),
            api,
            address,
            pods,
            url: format!("https://{reached}"),
        })
    }

    /// How pods reach the API, and what they trust.
    fn tell(&self, node: &mut argosy_node::Options) {
        node.api_address = Some((self.pods.ip().to_string(), self.pods.port()));
        node.ca_pem = Some(self.api.ca_pem().to_owned());
    }
}

/// Writes into a folder that stays what the next start and other programs need to know.
fn leave_word(folder: &Folder, kept: &Kept, front: &Front) -> Result<(), Error> {
    if !folder.stays() {
        return Ok(());
    }
    folder.keep(kept)?;
    let path = folder.kubeconfig();
    write_private(&path, &front.api.kubeconfig(&front.url, &kept.token))
        .map_err(|source| Error::Folder { path, source })
}

/// Makes the objects that every namespace of workflows relies on.
async fn prepare(client: &Client, namespace: &str, store: &artifacts::Store) -> Result<(), Error> {
    let prepared = async {
        store.publish_keys(client, namespace).await?;
        apply::agent_token(client, namespace).await?;
        apply::rights(client, namespace).await
    };
    prepared.await.map_err(Error::Prepare)
}

/// Any free port, reachable from this machine alone.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn new_api(namespace: &str, folder: &Folder, token: &str, own: &[IpAddr]) -> Result<Arc<ApiServer>, Error> {
    let options = argosy_apiserver::Options {
        definitions: definitions::all(),
        namespaces: vec![namespace.to_owned()],
        admin_token: Some(token.to_owned()),
        hosts: own.iter().map(ToString::to_string).collect(),
        file: folder.state_file(),
        rbac: true,
        ..argosy_apiserver::Options::default()
    };
    ApiServer::new(options).map_err(Error::Api)
}

fn serve(api: Arc<ApiServer>, listener: TcpListener, mut stop: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let stopped = async move { drop(stop.wait_for(|stopped| *stopped).await) };
        if let Err(error) = api.serve(listener, stopped).await {
            tracing::error!(%error, "The API's listener failed");
        }
    })
}

/// The image of executor containers: two static programs and nothing else.
fn executor_image(programs: &Path) -> ProvidedImage {
    let file = |name: &str, target: &str| ProvidedFile {
        source: programs.join(name),
        target: target.into(),
    };
    ProvidedImage {
        reference: EXECUTOR_IMAGE.to_owned(),
        files: vec![
            file("argosy-executor", "/bin/argoexec"),
            file("argosy-emissary", "/bin/argosy-emissary"),
        ],
        config: ImageConfig {
            entrypoint: vec!["argoexec".to_owned()],
            env: vec!["PATH=/bin:/usr/bin:/usr/local/bin".to_owned()],
            ..ImageConfig::default()
        },
    }
}

/// The key of a repository that says nothing about its place.
const ARCHIVE_LOGS: &str = "archiveLogs";

/// Fills in what the platform provides where the caller chose nothing.
fn complete(mut config: Config, namespace: &str, repository: Value) -> Config {
    let untouched = Config::default();
    if config.executor_image == untouched.executor_image {
        EXECUTOR_IMAGE.clone_into(&mut config.executor_image);
    }
    if config.namespace == untouched.namespace {
        namespace.clone_into(&mut config.namespace);
    }
    // Whoever runs workflows here owns the machine.
    config.executor_plugins = true;
    config.workflow_plugins = true;
    let chosen = config.artifact_repository.as_object();
    if !chosen.is_some_and(|fields| fields.keys().any(|key| key != ARCHIVE_LOGS)) {
        let archive_logs = chosen.and_then(|fields| fields.get(ARCHIVE_LOGS)).cloned();
        config.artifact_repository = repository;
        if let Some(archive_logs) = archive_logs {
            config.artifact_repository[ARCHIVE_LOGS] = archive_logs;
        }
    }
    config
}

/// A text nobody can guess: 32 bytes from the system.
pub(crate) fn random_text() -> String {
    use std::fmt::Write as _;
    let mut bytes = [0u8; 32];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the system always gives random bytes");
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
