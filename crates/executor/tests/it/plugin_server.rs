//! An artifact plugin as its author would write it: gRPC by a library that the driver does not use, objects in the
//! folder that the artifact's configuration names. The tests of it are in `plugin.rs`.

use std::convert::Infallible;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;
use tower::service_fn;

/// Set in the process that is the plugin.
pub const VARIABLE: &str = "ARGOSY_TEST_PLUGIN";
/// Value of the variable for a plugin that takes streams.
pub const STREAMS: &str = "streams";

#[derive(Clone, PartialEq, Message)]
struct Place {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    configuration: String,
    #[prost(int32, tag = "3")]
    connection_timeout_seconds: i32,
    #[prost(string, tag = "4")]
    key: String,
}

#[derive(Clone, PartialEq, Message)]
struct Artifact {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    path: String,
    #[prost(int32, tag = "3")]
    mode: i32,
    #[prost(string, tag = "4")]
    from: String,
    #[prost(message, optional, tag = "5")]
    plugin: Option<Place>,
    #[prost(bool, tag = "6")]
    optional: bool,
    #[prost(string, tag = "7")]
    sub_path: String,
    #[prost(bool, tag = "8")]
    recurse_mode: bool,
    #[prost(string, tag = "9")]
    from_expression: String,
    #[prost(bool, tag = "10")]
    deleted: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Load {
    #[prost(message, optional, tag = "1")]
    input_artifact: Option<Artifact>,
    #[prost(string, tag = "2")]
    path: String,
}

#[derive(Clone, PartialEq, Message)]
struct Save {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(message, optional, tag = "2")]
    output_artifact: Option<Artifact>,
}

#[derive(Clone, PartialEq, Message)]
struct SaveStream {
    #[prost(message, optional, tag = "1")]
    output_artifact: Option<Artifact>,
    #[prost(bytes = "vec", tag = "2")]
    chunk: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Of {
    #[prost(message, optional, tag = "1")]
    artifact: Option<Artifact>,
}

#[derive(Clone, PartialEq, Message)]
struct Nothing {}

/// Answers of all calls but two: success, is a folder, takes streams.
#[derive(Clone, PartialEq, Message)]
struct Yes {
    #[prost(bool, tag = "1")]
    yes: bool,
    #[prost(string, tag = "2")]
    error: String,
}

#[derive(Clone, PartialEq, Message)]
struct Objects {
    #[prost(string, repeated, tag = "1")]
    objects: Vec<String>,
    #[prost(string, tag = "2")]
    error: String,
}

#[derive(Clone, PartialEq, Message)]
struct Piece {
    #[prost(bytes = "vec", tag = "1")]
    data: Vec<u8>,
    #[prost(bool, tag = "2")]
    is_end: bool,
    #[prost(string, tag = "3")]
    error: String,
}

/// Not a test: the plugin's process, started by tests as this program with this test's name.
#[test]
fn a_plugin_process() {
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    let socket = std::env::args().next_back().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        tokio::select! {
            () = serve(&socket) => {}
            _ = end.recv() => {}
        }
    });
}

async fn serve(socket: &str) {
    let listener = tokio::net::UnixListener::bind(socket).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service =
            hyper::service::service_fn(|request| async { Ok::<_, Infallible>(answer(request).await) });
        let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        tokio::spawn(serving.serve_connection(TokioIo::new(stream), service));
    }
}

type Asked<M> = tonic::Request<M>;
type Answered<M> = Result<tonic::Response<M>, Status>;

fn codec<A: Message + Default + 'static, Q: Message + Default + 'static>() -> Grpc<ProstCodec<A, Q>> {
    Grpc::new(ProstCodec::default())
}

async fn answer(request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let method = path
        .strip_prefix("/artifact.ArtifactService/")
        .unwrap_or_default();
    let service = async |call: Call, request| {
        let call =
            service_fn(
                move |asked: Asked<Of>| async move { yes(call(&object(&asked.into_inner().artifact))) },
            );
        codec().unary(call, request).await
    };
    match method {
        "Load" => codec().unary(service_fn(load), request).await,
        "Save" => codec().unary(service_fn(save), request).await,
        "Delete" => service(|o| remove(o).map(|()| true), request).await,
        "IsDirectory" => service(|o| Ok(o.is_dir()), request).await,
        "ListObjects" => codec().unary(service_fn(list), request).await,
        "OpenStream" => codec().server_streaming(service_fn(open_stream), request).await,
        "GetCapabilities" => codec().unary(service_fn(capabilities), request).await,
        "SaveStream" => codec().client_streaming(service_fn(save_stream), request).await,
        _ => Status::unimplemented(path).into_http(),
    }
}

type Call = fn(&Path) -> std::io::Result<bool>;

fn yes(result: std::io::Result<bool>) -> Answered<Yes> {
    let (yes, error) = match result {
        Ok(yes) => (yes, String::new()),
        Err(error) => (false, error.to_string()),
    };
    Ok(tonic::Response::new(Yes { yes, error }))
}

/// The object of an artifact; what the plugin was told is kept beside the objects.
fn object(artifact: &Option<Artifact>) -> PathBuf {
    let artifact = artifact.clone().unwrap();
    let place = artifact.plugin.clone().unwrap();
    let root = PathBuf::from(&place.configuration);
    let mut told = std::fs::OpenOptions::new();
    let mut told = told.create(true).append(true).open(root.join("told")).unwrap();
    writeln!(told, "{artifact:?}").unwrap();
    root.join(place.key)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent)?;
    }
    if !from.is_dir() {
        return std::fs::copy(from, to).map(drop);
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn remove(object: &Path) -> std::io::Result<()> {
    if object.is_dir() {
        std::fs::remove_dir_all(object)
    } else {
        std::fs::remove_file(object)
    }
}

async fn load(asked: Asked<Load>) -> Answered<Yes> {
    let Load { input_artifact, path } = asked.into_inner();
    let object = object(&input_artifact);
    if object.ends_with("refused") {
        return Err(Status::permission_denied("not for you: 100 % sure"));
    }
    yes(copy(&object, Path::new(&path)).map(|()| true))
}

async fn save(asked: Asked<Save>) -> Answered<Yes> {
    let Save {
        path,
        output_artifact,
    } = asked.into_inner();
    let object = object(&output_artifact);
    if object.ends_with("silent") {
        return yes(Ok(false));
    }
    yes(copy(Path::new(&path), &object).map(|()| true))
}

async fn list(asked: Asked<Of>) -> Answered<Objects> {
    let object = object(&asked.into_inner().artifact);
    let mut objects: Vec<_> = match object.read_dir() {
        Ok(entries) => entries.map(|e| e.unwrap().path().display().to_string()).collect(),
        Err(_) => Vec::new(),
    };
    objects.sort();
    Ok(tonic::Response::new(Objects {
        objects,
        error: String::new(),
    }))
}

async fn open_stream(
    asked: Asked<Of>,
) -> Answered<futures::stream::BoxStream<'static, Result<Piece, Status>>> {
    let object = object(&asked.into_inner().artifact);
    let bytes = std::fs::read(&object).map_err(|e| Status::not_found(e.to_string()))?;
    let mut pieces: Vec<_> = bytes
        .chunks(100_000)
        .map(|data| Piece {
            data: data.to_vec(),
            ..Piece::default()
        })
        .collect();
    let last = if object.ends_with("broken") {
        Piece {
            error: "the disk broke".to_owned(),
            ..Piece::default()
        }
    } else {
        Piece {
            is_end: true,
            ..Piece::default()
        }
    };
    pieces.push(last);
    Ok(tonic::Response::new(
        futures::stream::iter(pieces.into_iter().map(Ok)).boxed(),
    ))
}

async fn capabilities(_: Asked<Nothing>) -> Answered<Yes> {
    if std::env::var(VARIABLE).as_deref() == Ok(STREAMS) {
        return yes(Ok(true));
    }
    Err(Status::unimplemented("GetCapabilities"))
}

async fn save_stream(asked: Asked<Streaming<SaveStream>>) -> Answered<Yes> {
    let mut pieces = asked.into_inner();
    let first = pieces.message().await?.unwrap();
    assert!(first.chunk.is_empty());
    let object = object(&first.output_artifact);
    let half = object.with_extension("half");
    std::fs::create_dir_all(object.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create(&half).unwrap();
    while let Some(piece) = pieces.message().await? {
        assert!(piece.chunk.len() <= 2 * 1024 * 1024);
        file.write_all(&piece.chunk).unwrap();
    }
    yes(std::fs::rename(half, object).map(|()| true))
}
