//! HTTP(S), WebDAV and Artifactory against nginx, HDFS against a stand-in that follows WebHDFS as
//! documented (rules X-HTA-01 to X-HTA-04, X-HDFS-01, X-HDFS-02).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use argosy_artifact::{Error, Secrets, Store, open};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::behaviour::{is_missing, read};
use super::programs::{Program, again, is_inside, start};
use super::s3::options;
use super::stand_in::{Answer, Request, StandIn};

/// Secrets by name; keys do not matter.
struct Named;

#[async_trait::async_trait]
impl Secrets for Named {
    async fn get(&self, name: &str, _key: &str) -> std::io::Result<String> {
        match name.strip_prefix('/') {
            Some(_) => std::fs::read_to_string(name),
            None => Ok(format!("{name}\n")),
        }
    }
}

async fn store(location: Value) -> Box<dyn Store> {
    let location = serde_json::from_value(location).unwrap();
    open(&location, &Named, &options()).await.unwrap()
}

fn secret(name: &str) -> Value {
    json!({"name": name, "key": "k"})
}

/// A server with a place for each way to log in.
struct Nginx {
    program: Program,
    root: TempDir,
}

impl Nginx {
    fn start() -> Self {
        let root = tempdir().unwrap();
        let path = root.path();
        for folder in ["open", "basic", "token", "jfrog", "tmp", "logs"] {
            std::fs::create_dir(path.join(folder)).unwrap();
        }
        std::fs::write(path.join("users"), "user:{PLAIN}password\n").unwrap();
        let ca = rcgen::KeyPair::generate().unwrap();
        let mut about = rcgen::CertificateParams::new(Vec::new()).unwrap();
        about
            .distinguished_name
            .push(rcgen::DnType::CommonName, "authority");
        about.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = about.self_signed(&ca).unwrap();
        let issuer = rcgen::Issuer::new(about, ca);
        std::fs::write(path.join("ca.pem"), authority.pem()).unwrap();
        for name in ["localhost", "client"] {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut about = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
            about.distinguished_name.push(rcgen::DnType::CommonName, name);
            let made = about.signed_by(&key, &issuer).unwrap();
            std::fs::write(path.join(format!("{name}.pem")), made.pem()).unwrap();
            std::fs::write(path.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        let program = start("nginx", |command, port| {
            let config = path.join("nginx.conf");
            std::fs::write(&config, configuration(path, port)).unwrap();
            command
                .arg("-p")
                .arg(path)
                .arg("-c")
                .arg(config)
                .args(["-e", "stderr"]);
        });
        Self { program, root }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.program.port)
    }
}

fn configuration(root: &Path, port: u16) -> String {
    let root = root.display();
    format!(
        "daemon off; master_process off; pid {root}/pid; events {{}}
        http {{
          access_log off; client_body_temp_path {root}/tmp; client_max_body_size 0;
          server {{
            listen 127.0.0.1:{port} ssl; server_name localhost; root {root};
            ssl_certificate {root}/localhost.pem; ssl_certificate_key {root}/localhost.key;
            ssl_client_certificate {root}/ca.pem; ssl_verify_client optional;
            dav_methods PUT DELETE; create_full_put_path on;
            location /open/ {{ }}
            location /basic/ {{ auth_basic x; auth_basic_user_file {root}/users; }}
            location /jfrog/ {{ auth_basic x; auth_basic_user_file {root}/users; }}
            location /token/ {{ if ($http_authorization != \"Bearer the-token\") {{ return 401; }} }}
            location /header/ {{ if ($http_x_own != \"own value\") {{ return 403; }} alias {root}/open/; }}
            location /certificate/ {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} alias {root}/open/; }}
            location /moved/ {{ rewrite ^/moved/(.*)$ /open/$1 redirect; }}
            location /elsewhere/ {{ return 307 https://localhost:{port}/open/by-redirect; }}
            location /circle/ {{ return 307 https://localhost:{port}/circle/; }}
            location /broken/ {{ return 503; }}
          }}
        }}"
    )
}

const TEST: &str = "web::x_hta_01_to_03_http_and_artifactory";

#[tokio::test]
async fn x_hta_01_to_03_http_and_artifactory() {
    if is_inside() {
        let url = std::env::var("ARGOSY_TEST_URL").unwrap();
        return at(&url, &std::env::var("ARGOSY_TEST_ROOT").unwrap()).await;
    }
    let server = Nginx::start();
    let root = server.root.path();
    // The machine's certificates are replaced by the test's.
    let variables = [
        (
            "SSL_CERT_FILE",
            root.join("ca.pem").to_string_lossy().into_owned(),
        ),
        ("ARGOSY_TEST_URL", server.url("")),
        ("ARGOSY_TEST_ROOT", root.to_string_lossy().into_owned()),
    ];
    again(TEST, &variables).unwrap();
    let stored = std::fs::read(root.join("open/by-redirect")).unwrap();
    assert_eq!(stored, b"text", "X-HTA-03: what is put elsewhere is sent there");
}

/// Everything that nginx is asked, with its certificate trusted.
async fn at(url: &str, root: &str) {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let tokens = StandIn::start(give_token);
    let basic =
        json!({"basicAuth": {"usernameSecret": secret("user"), "passwordSecret": secret("password")}});
    let oauth = json!({"oauth2": {
        "clientIDSecret": secret("id"), "clientSecretSecret": secret("secret"),
        "tokenURLSecret": secret(&tokens.url("/token")).clone(), "scopes": ["a", "b"],
        "endpointParams": [{"key": "audience", "value": "us"}],
    }});
    let certificate = json!({"clientCert": {
        "clientCertSecret": secret(&format!("{root}/client.pem")),
        "clientKeySecret": secret(&format!("{root}/client.key")),
    }});
    let header = json!([{"name": "x-own", "value": "own value"}]);
    let none = Value::Null;
    for (path, auth, headers, good) in [
        ("/open/a/b", &none, &none, true),
        ("/basic/f", &basic, &none, true),
        ("/basic/g", &none, &none, false),
        ("/token/f", &oauth, &none, true),
        ("/token/g", &basic, &none, false),
        ("/header/f", &none, &header, true),
        ("/header/g", &none, &none, false),
        ("/certificate/f", &certificate, &none, true),
        ("/certificate/g", &none, &none, false),
    ] {
        let mut place = json!({"url": format!("{url}{path}"), "auth": auth, "headers": headers});
        place.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let store = store(json!({"http": place})).await;
        let saved = store.save(&file).await;
        assert_eq!(saved.is_ok(), good, "{path}: {saved:?}");
        if good {
            assert_eq!(read(&*store).await, b"text", "{path}");
            let to = folder.path().join("to");
            store.load(&to).await.unwrap();
            assert_eq!(std::fs::read(&to).unwrap(), b"text");
        }
    }
    let asked = tokens.asked();
    let fields = asked.last().unwrap().text();
    for word in ["scope=a%20b", "audience=us", "client_secret=secret"] {
        assert!(fields.contains(word), "{word}: {fields}");
    }
    others(url, &file).await;
}

/// Addresses that lead elsewhere, or nowhere, and Artifactory.
async fn others(url: &str, file: &Path) {
    let folder = tempdir().unwrap();
    let plain = async |path: &str| store(json!({"http": {"url": format!("{url}{path}")}})).await;
    is_missing(&*plain("/open/none").await, &folder.path().join("none")).await;
    assert_eq!(read(&*plain("/moved/a/b").await).await, b"text");
    plain("/elsewhere/").await.save(file).await.unwrap();
    let error = plain("/circle/")
        .await
        .load(&folder.path().join("none"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "more than 10 redirects");
    let error = plain("/broken/")
        .await
        .load(&folder.path().join("none"))
        .await
        .unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("503"),
        "{error}"
    );
    let error = plain("/open/x").await.save(folder.path()).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    let error = plain("/open/x").await.delete().await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("delete not supported for this artifact storage"),
        "{error}"
    );

    let jfrog = store(json!({"artifactory": {
        "url": format!("{url}/jfrog/repo/f.tgz"),
        "usernameSecret": secret("user"), "passwordSecret": secret("password"),
    }}))
    .await;
    jfrog.save(file).await.unwrap();
    assert_eq!(read(&*jfrog).await, b"text");
}

/// Gives a token to a client that says who it is in the form, which is the second try.
fn give_token(request: &Request) -> Answer {
    if request.body.contains("client_id=id") {
        Answer::ok(r#"{"access_token": "the-token", "token_type": "Bearer"}"#)
    } else {
        Answer::of("401 Unauthorized", "{}")
    }
}

/// A name node, one on standby, and a data node, with files in memory.
fn hadoop() -> StandIn {
    let files = Mutex::new(BTreeMap::<String, String>::new());
    StandIn::start(move |request| {
        let mut files = files.lock().unwrap();
        let (path, query) = request.target.split_once('?').unwrap();
        let query: BTreeMap<&str, &str> = query.split('&').filter_map(|p| p.split_once('=')).collect();
        if let Some(path) = path.strip_prefix("/standby/webhdfs/v1") {
            let message = format!("Operation category READ is not supported in state standby: {path}");
            return Answer::of("403 Forbidden", exception("StandbyException", &message));
        }
        if let Some(path) = path.strip_prefix("/data") {
            files.insert(path.to_owned(), request.body.clone());
            return Answer::of("201 Created", "");
        }
        let path = path.strip_prefix("/webhdfs/v1").unwrap();
        let done = |done: bool| Answer::ok(json!({"boolean": done}).to_string());
        let place = |host: &str| format!("http://{host}/data{path}?x=y");
        let host = request
            .head
            .lines()
            .find_map(|l| l.strip_prefix("host: "))
            .unwrap();
        assert_eq!(query["user.name"], "me");
        match (request.method.as_str(), query["op"], files.get(path)) {
            ("GET", "GETFILESTATUS", _) if path == "/folder" => {
                Answer::ok(json!({"FileStatus": {"type": "DIRECTORY"}}).to_string())
            }
            ("GET", "GETFILESTATUS", Some(_)) => {
                Answer::ok(json!({"FileStatus": {"type": "FILE"}}).to_string())
            }
            ("GET", "OPEN", Some(content)) => Answer::ok(content.clone()),
            ("GET", ..) => Answer::of(
                "404 Not Found",
                exception("FileNotFoundException", "File does not exist"),
            ),
            ("PUT", "MKDIRS", _) => done(true),
            ("PUT", "CREATE", _) => Answer::of("307 Temporary Redirect", "").field("location", &place(host)),
            ("PUT", "RENAME", _) => {
                let content = files.remove(path);
                let to = query["destination"].replace("%2F", "/");
                done(content.is_some_and(|content| files.insert(to, content).is_none()))
            }
            ("DELETE", "DELETE", _) => done(files.remove(path).is_some()),
            other => panic!("{other:?}"),
        }
    })
}

fn exception(name: &str, message: &str) -> String {
    json!({"RemoteException": {"exception": name, "message": message}}).to_string()
}

#[tokio::test]
async fn x_hdfs_01_02_files_by_webhdfs() {
    let server = hadoop();
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let addresses = json!([server.url("/standby"), server.url("")]);
    let open = async |path: &str, force: bool| {
        store(json!({"hdfs": {"addresses": addresses, "hdfsUser": "me", "path": path, "force": force}})).await
    };
    let first = open("/a/b.txt", false).await;
    is_missing(&*first, &folder.path().join("none")).await;
    first.save(&file).await.unwrap();
    assert_eq!(read(&*first).await, b"text");
    let error = first.save(&file).await.unwrap_err();
    assert_eq!(error.to_string(), "/a/b.txt exists already (force is not set)");
    std::fs::write(&file, "other").unwrap();
    open("/a/b.txt", true).await.save(&file).await.unwrap();
    assert_eq!(read(&*first).await, b"other");
    let error = open("/folder", false)
        .await
        .load(&folder.path().join("to"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    let order: Vec<_> = server
        .asked()
        .iter()
        .filter(|r| r.method == "PUT")
        .map(|r| r.target.clone())
        .collect();
    let written = order
        .iter()
        .position(|t| t.starts_with("/data/a/b.txt._COPYING_"))
        .unwrap();
    let named = order.iter().position(|t| t.contains("op=RENAME")).unwrap();
    assert!(
        written < named,
        "a file gets its name when it is whole: {order:?}"
    );
}
