//! Starts the parts in order, and stops them in the opposite one.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argosy_apiserver::ApiServer;
use argosy_controller::Controller;
use argosy_engine::Config;
use argosy_node::images::{ImageConfig, ProvidedFile, ProvidedImage};
use argosy_node::{Node, RuntimeChoice};
use kube::Client;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::debug;

use crate::folder::Folder;
use crate::options::{Options, POD_PROGRAMS, find_pod_programs};
use crate::{artifacts, definitions, fallback, images, kubelet, link};

/// The node's name.
const NODE: &str = "argosy";

/// The image of executor containers; provided by the platform, never pulled.
const EXECUTOR_IMAGE: &str = "argosy.local/executor:builtin";

/// Why the platform did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The programs that go into pods are missing.
    #[error("the programs {} are not in any of: {}", POD_PROGRAMS.join(" and "), list(.0))]
    PodPrograms(Vec<PathBuf>),
    /// A folder can't be made or written.
    #[error("folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address can't be listened on.
    #[error("listening on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The API did not start.
    #[error("starting the API")]
    Api(#[source] argosy_apiserver::StartError),
    /// A client for it could not be made.
    #[error("connecting to the API")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store for artifacts did not start.
    #[error("starting the artifact store")]
    Artifacts(#[source] std::io::Error),
    /// An object that everything relies on could not be made.
    #[error("preparing the namespace")]
    Prepare(#[source] kube::Error),
    /// The node did not start.
    #[error("starting the node")]
    Node(#[source] argosy_node::Error),
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|p| p.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

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
    notice: Option<String>,
    /// Removed when dropped, if temporary.
    _folder: Folder,
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
            wanted_images,
            pod_programs,
            runtime,
            network,
            namespace,
            config,
            limits,
            listen,
        } = options;
        let programs = match pod_programs {
            Some(folder) => folder,
            None => find_pod_programs().map_err(Error::PodPrograms)?,
        };
        let folder = Folder::open(data)?;
        let data_dir = folder.path.clone();
        share_images(&data_dir, &images)?;
        let (runtime, notice) = match runtime {
            RuntimeChoice::Auto => fallback::choose(&data_dir, &wanted_images).await,
            chosen => (chosen, None),
        };
        let (stop, stopped) = watch::channel(false);
        let front = Front::open(&namespace, listen, &stopped).await?;
        let client = front.client(&namespace).await?;
        let store = artifacts::serve(&data_dir.join("artifacts"), front.address.ip(), stopped)
            .await
            .map_err(Error::Artifacts)?;
        store
            .publish_keys(&client, &namespace)
            .await
            .map_err(Error::Prepare)?;
        let config = complete(config, &namespace, store.repository());

        let mut node_options = argosy_node::Options::new(NODE, &data_dir);
        node_options.runtime = runtime;
        node_options.network = network;
        node_options.provided_images = vec![executor_image(&programs)];
        node_options.api_address = Some((front.address.ip().to_string(), front.address.port()));
        node_options.ca_pem = Some(front.api.ca_pem().to_owned());
        let node = Arc::new(
            Node::start(client.clone(), node_options)
                .await
                .map_err(Error::Node)?,
        );
        front.api.set_kubelet(Arc::new(kubelet::Bridge(node.clone())));

        let images: Arc<dyn argosy_controller::Images> = Arc::new(images::OfNode(node.clone()));
        let options = argosy_controller::Options {
            config,
            limits,
            images,
            ..Default::default()
        };
        let controller = Controller::start(client.clone(), options);
        debug!(url = front.url, data = %data_dir.display(), "Platform started");
        let servers = vec![front.server, store.server];
        let Front { url, token, api, .. } = front;
        Ok(Self {
            client,
            namespace,
            url,
            token,
            api,
            node,
            controller,
            stop,
            servers,
            notice,
            _folder: folder,
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

    /// What the user must know about how containers are made, if it is not what they would expect.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
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

    /// Stops everything: nobody decides any more, then all containers end, then the API closes.
    pub async fn stop(self) {
        self.controller.stop().await;
        self.node.shutdown().await;
        let _ = self.stop.send(true);
        for server in self.servers {
            server.abort();
        }
    }
}

/// The API and where it listens.
struct Front {
    api: Arc<ApiServer>,
    address: SocketAddr,
    url: String,
    token: String,
    server: JoinHandle<()>,
}

impl Front {
    async fn open(namespace: &str, listen: SocketAddr, stop: &watch::Receiver<bool>) -> Result<Self, Error> {
        let refused = |source| Error::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let token = random_text();
        let api = new_api(namespace, &token, address.ip())?;
        let server = serve(api.clone(), listener, stop.clone());
        Ok(Self {
            api,
            address,
            url: format!("https://{address}"),
            token,
            server,
        })
    }

    async fn client(&self, namespace: &str) -> Result<Client, Error> {
        let socket = socket_client(&self.api, &self.url, &self.token, namespace).await?;
        Ok(link::client(&self.api, socket, namespace))
    }
}

/// Images are big and never change: all platforms of a user share one store.
fn share_images(data_dir: &Path, images: &Path) -> Result<(), Error> {
    let link = data_dir.join("images");
    if link.exists() {
        return Ok(());
    }
    let refused = |source| Error::Folder {
        path: images.to_owned(),
        source,
    };
    std::fs::create_dir_all(images).map_err(refused)?;
    std::os::unix::fs::symlink(images, &link).map_err(refused)
}

fn new_api(namespace: &str, token: &str, own: IpAddr) -> Result<Arc<ApiServer>, Error> {
    let options = argosy_apiserver::Options {
        definitions: definitions::all(),
        namespaces: vec![namespace.to_owned()],
        bind_to_node: Some(NODE.to_owned()),
        admin_token: Some(token.to_owned()),
        hosts: vec![own.to_string()],
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

async fn socket_client(
    api: &Arc<ApiServer>,
    url: &str,
    token: &str,
    namespace: &str,
) -> Result<Client, Error> {
    let boxed = |e: Box<dyn std::error::Error + Send + Sync>| Error::Client(e);
    let text = api.kubeconfig(url, token);
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&text).map_err(|e| boxed(e.into()))?;
    let options = kube::config::KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|e| boxed(e.into()))?;
    namespace.clone_into(&mut config.default_namespace);
    Client::try_from(config).map_err(|e| boxed(e.into()))
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

/// Fills in what the platform provides where the caller chose nothing.
fn complete(mut config: Config, namespace: &str, repository: Value) -> Config {
    let untouched = Config::default();
    if config.executor_image == untouched.executor_image {
        EXECUTOR_IMAGE.clone_into(&mut config.executor_image);
    }
    if config.namespace == untouched.namespace {
        namespace.clone_into(&mut config.namespace);
    }
    if config.artifact_repository.is_null() {
        config.artifact_repository = repository;
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
