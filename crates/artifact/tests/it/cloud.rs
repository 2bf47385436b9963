//! Google's and Azure's storage against the stand-ins that their users test with, fake-gcs-server
//! and Azurite (rules X-GCS-01 to X-GCS-04, X-AZ-01 to X-AZ-04).

use argosy_artifact::{Error, Store, open};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::behaviour::{bad_sources, files, folders, read};
use super::programs::{Program, again, is_inside, start};
use super::s3::{Fixed, options};
use super::stand_in::{Answer, StandIn};

const KEYS: [&str; 4] = ["plain", "empty", "in/parts", "with space & <signs>?=+ä%41"];

async fn gcs(key: &str, more: &Value) -> Box<dyn Store> {
    let mut place = json!({"bucket": "bucket", "key": key});
    if !more.is_null() {
        place["serviceAccountKeySecret"] = more.clone();
    }
    let location = serde_json::from_value(json!({"gcs": place})).unwrap();
    open(&location, &Fixed, &options()).await.unwrap()
}

fn gcs_server() -> (Program, TempDir) {
    let root = tempdir().unwrap();
    std::fs::create_dir(root.path().join("bucket")).unwrap();
    let program = start("fake-gcs-server", |command, port| {
        let url = format!("http://127.0.0.1:{port}");
        command
            .args(["-scheme", "http", "-host", "127.0.0.1", "-backend", "memory"])
            .args(["-port", &port.to_string(), "-external-url", &url])
            .args(["-public-host", &format!("127.0.0.1:{port}")])
            .arg("-data")
            .arg(root.path());
    });
    (program, root)
}

#[tokio::test]
async fn x_gcs_01_to_04_google() {
    if is_inside() {
        files(&KEYS, async |key| gcs(key, &Value::Null).await).await;
        folders(1100, true, async |key| gcs(key, &Value::Null).await).await;
        bad_sources(async |key| gcs(key, &Value::Null).await).await;
        return;
    }
    let (server, _root) = gcs_server();
    let host = format!("127.0.0.1:{}", server.port);
    again("cloud::x_gcs_01_to_04_google", &[("STORAGE_EMULATOR_HOST", host)]).unwrap();
}

/// A service account's key is exchanged for a token, once.
#[tokio::test]
async fn x_gcs_01_keys_of_accounts() {
    if is_inside() {
        let key = std::env::var("ARGOSY_TEST_KEY").unwrap();
        let folder = tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        let store = gcs("k", &json!({"name": "s", "key": key})).await;
        store.save(&file).await.unwrap();
        assert_eq!(read(&*store).await, b"text");
        return;
    }
    let (server, _root) = gcs_server();
    let tokens = StandIn::start(|_| Answer::ok(r#"{"access_token": "the-token", "expires_in": 3600}"#));
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = STANDARD.encode(der.as_ref());
    let key = json!({
        "type": "service_account", "client_email": "a@b", "private_key_id": "id", "token_uri": tokens.url("/token"),
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n"),
    });
    let variables = [
        ("STORAGE_EMULATOR_HOST", format!("127.0.0.1:{}", server.port)),
        ("ARGOSY_TEST_KEY", key.to_string()),
    ];
    again("cloud::x_gcs_01_keys_of_accounts", &variables).unwrap();
    let asked = tokens.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let (_, jwt) = asked[0].body.split_once("assertion=").unwrap();
    let parts: Vec<_> = jwt.split('.').collect();
    let decode = |part: &str| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(part)
            .unwrap()
    };
    let claims: Value = serde_json::from_slice(&decode(parts[1])).unwrap();
    assert_eq!(claims["iss"], "a@b");
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair);
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
        public.as_ref(),
    );
    let signed = format!("{}.{}", parts[0], parts[1]);
    public.verify(signed.as_bytes(), &decode(parts[2])).unwrap();
}

/// Azurite's account, as its documentation gives it.
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

struct Azurite {
    program: Program,
    _root: TempDir,
}

impl Azurite {
    async fn start() -> Self {
        let root = tempdir().unwrap();
        let program = start("azurite-blob", |command, port| {
            command
                .args(["--blobHost", "127.0.0.1", "--silent", "--skipApiVersionCheck"])
                .args([
                    "--blobPort",
                    &port.to_string(),
                    "--disableTelemetry",
                    "--location",
                ])
                .arg(root.path());
        });
        let azurite = Self { program, _root: root };
        azurite.make_container().await;
        azurite
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.program.port)
    }

    /// The driver makes no containers, so that the test does.
    async fn make_container(&self) {
        let date = jiff::Timestamp::now()
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        let text = format!(
            "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2020-10-02\n\
             /{ACCOUNT}/{ACCOUNT}/container\nrestype:container"
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(ACCOUNT_KEY).unwrap());
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let request = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let request = request
            .put(format!("{}/container?restype=container", self.endpoint()))
            .header("x-ms-date", date)
            .header("x-ms-version", "2020-10-02")
            .header("authorization", format!("SharedKey {ACCOUNT}:{signature}"))
            .header("content-length", 0);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
    }

    async fn open_with(&self, container: &str, blob: &str, secret: &str) -> Result<Box<dyn Store>, Error> {
        let place = json!({
            "endpoint": self.endpoint(), "container": container, "blob": blob,
            "accountKeySecret": {"name": "s", "key": secret},
        });
        let location = serde_json::from_value(json!({"azure": place})).unwrap();
        open(&location, &Fixed, &options()).await
    }

    async fn open(&self, blob: &str) -> Box<dyn Store> {
        self.open_with("container", blob, ACCOUNT_KEY).await.unwrap()
    }
}

#[tokio::test]
async fn x_az_01_to_04_azure() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let server = Azurite::start().await;
    files(&KEYS, async |key| server.open(key).await).await;
    folders(120, false, async |key| server.open(key).await).await;
    bad_sources(async |key| server.open(key).await).await;
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    // A container that is not there is no missing artifact.
    let elsewhere = server.open_with("elsewhere", "b", ACCOUNT_KEY).await.unwrap();
    let error = elsewhere.save(&file).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Store {
                is_transient: false,
                ..
            }
        ),
        "{error:?}"
    );
    let wrong = server.open_with("container", "b", "d3Jvbmc=").await.unwrap();
    let error = wrong.save(&file).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Store {
                is_transient: false,
                ..
            }
        ),
        "{error:?}"
    );
    let error = server
        .open_with("container", "b", "no base64!")
        .await
        .map(drop)
        .unwrap_err();
    assert!(error.to_string().contains("no base64"), "{error}");
}
