//! Alibaba's object storage against a stand-in that follows the documentation: signatures of version 1 are computed
//! again from what arrived, objects and lists are answered as documented (rules X-OSS-01 to X-OSS-04). Never met: a
//! real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use argosy_artifact::{Error, Store, open};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::behaviour::{files, folders};
use super::s3::{Fixed, options};
use super::stand_in::{Answer, Request, StandIn};

/// Objects of one bucket, by key.
type Objects = Arc<Mutex<BTreeMap<String, String>>>;

fn server() -> (StandIn, Objects) {
    let objects = Objects::default();
    let held = objects.clone();
    let server = StandIn::start(move |request| {
        if let Some(problem) = wrong_signature(request) {
            return failure("403 Forbidden", "SignatureDoesNotMatch", &problem);
        }
        answer(request, &mut held.lock().unwrap())
    });
    (server, objects)
}

fn field(request: &Request, name: &str) -> String {
    let of_line = |line: &str| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    request.head.lines().find_map(of_line).unwrap_or_default()
}

/// Path and query, unescaped.
fn asked(request: &Request) -> (String, BTreeMap<String, String>) {
    let plain = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            let digits = (byte == b'%').then(|| [rest.next().unwrap(), rest.next().unwrap()]);
            bytes.push(digits.map_or(byte, |d| {
                u8::from_str_radix(std::str::from_utf8(&d).unwrap(), 16).unwrap()
            }));
        }
        String::from_utf8(bytes).unwrap()
    };
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (plain(name), plain(value))
    };
    let query = query.split('&').filter(|p| !p.is_empty()).map(pair).collect();
    (plain(path), query)
}

/// What is wrong with a signature: verb, sum, type, date, fields of Alibaba's own, resource, each on its line.
fn wrong_signature(request: &Request) -> Option<String> {
    let (path, query) = asked(request);
    let mut fields: Vec<String> = request
        .head
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = name.to_ascii_lowercase();
            name.starts_with("x-oss-")
                .then(|| format!("{name}:{}\n", value.trim()))
        })
        .collect();
    fields.sort();
    let part = |name: &str| query.get(name).map(|value| format!("{name}={value}"));
    let parts: Vec<_> = ["partNumber", "uploadId"].into_iter().filter_map(part).collect();
    let resource = match ("lifecycle", "uploads") {
        (lifecycle, _) if query.contains_key(lifecycle) => format!("{path}?lifecycle"),
        (_, uploads) if query.contains_key(uploads) => format!("{path}?uploads"),
        _ if !parts.is_empty() => format!("{path}?{}", parts.join("&")),
        _ => path,
    };
    let [sum, kind, date] = ["content-md5", "content-type", "date"].map(|name| field(request, name));
    let text = format!(
        "{}\n{sum}\n{kind}\n{date}\n{}{resource}",
        request.method,
        fields.concat()
    );
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"secret");
    let want = format!("OSS id:{}", STANDARD.encode(hmac::sign(&key, text.as_bytes())));
    let got = field(request, "authorization");
    (got != want).then(|| format!("{got} is not {want} of {text:?}"))
}

fn failure(status: &'static str, code: &str, message: &str) -> Answer {
    Answer::of(
        status,
        format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
    )
}

fn answer(request: &Request, objects: &mut BTreeMap<String, String>) -> Answer {
    let (path, query) = asked(request);
    let Some(key) = path.strip_prefix("/bucket/") else {
        return failure(
            "404 Not Found",
            "NoSuchBucket",
            "The specified bucket does not exist.",
        );
    };
    match (request.method.as_str(), key) {
        ("GET", "") => list(&query, objects),
        ("PUT", "") => Answer::ok(""),
        ("PUT", key) if query.contains_key("uploadId") => {
            objects.insert(part(key, &query["partNumber"]), request.body.clone());
            Answer::ok("").field("etag", &format!("\"{}\"", query["partNumber"]))
        }
        ("PUT", key) => {
            objects.insert(key.to_owned(), request.body.clone());
            Answer::ok("")
        }
        ("DELETE", key) => {
            objects.remove(key);
            Answer::of("204 No Content", "")
        }
        ("POST", key) if query.contains_key("uploads") => Answer::ok(format!(
            "<InitiateMultipartUploadResult><Key>{key}</Key><UploadId>0A</UploadId></InitiateMultipartUploadResult>"
        )),
        ("POST", key) => {
            assert_eq!(query["uploadId"], "0A");
            let numbers = request.body.split("<PartNumber>").skip(1);
            let numbers = numbers.map(|rest| rest.split('<').next().unwrap());
            let whole = numbers
                .map(|number| objects.remove(&part(key, number)).unwrap())
                .collect();
            objects.insert(key.to_owned(), whole);
            Answer::ok("<CompleteMultipartUploadResult/>")
        }
        (_, key) => match objects.get(key) {
            Some(body) => Answer::ok(body.clone()),
            None => failure("404 Not Found", "NoSuchKey", "The specified key does not exist."),
        },
    }
}

/// Where a part waits for its object.
fn part(key: &str, number: &str) -> String {
    format!("part {number} of {key}")
}

/// Pages of a hundred keys, fewer than were asked for, as a server may answer.
fn list(query: &BTreeMap<String, String>, objects: &BTreeMap<String, String>) -> Answer {
    assert_eq!(query["list-type"], "2");
    let after = query.get("continuation-token").cloned().unwrap_or_default();
    let keys = objects
        .keys()
        .filter(|k| k.starts_with(&query["prefix"]) && **k > after);
    let keys: Vec<_> = keys.take(100).collect();
    let escaped = |key: &str| {
        key.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let entries: String = keys
        .iter()
        .map(|k| format!("<Contents><Key>{}</Key></Contents>", escaped(k)))
        .collect();
    let next = match keys.last() {
        Some(last) if keys.len() == 100 => {
            format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(last))
        }
        _ => String::new(),
    };
    Answer::ok(format!("<ListBucketResult>{entries}{next}</ListBucketResult>"))
}

async fn store(server: &StandIn, key: &str, more: Value) -> Result<Box<dyn Store>, Error> {
    let mut place = json!({
        "endpoint": server.url(""), "bucket": "bucket", "key": key,
        "accessKeySecret": {"name": "s", "key": "id"}, "secretKeySecret": {"name": "s", "key": "secret"},
    });
    for (name, value) in more.as_object().unwrap() {
        place[name] = value.clone();
    }
    let location = serde_json::from_value(json!({"oss": place})).unwrap();
    open(&location, &Fixed, &options()).await
}

#[tokio::test]
async fn x_oss_01_to_03_objects_and_folders() {
    let (server, objects) = server();
    let open = async |key: &str| store(&server, key, json!({})).await.unwrap();
    files(
        &["plain", "empty", "in/parts", "with space & <signs>?=+ä%41"],
        open,
    )
    .await;
    folders(250, true, open).await;
    assert!(objects.lock().unwrap().is_empty(), "all was deleted");
}

#[tokio::test]
async fn x_oss_01_02_tokens_buckets_and_rules() {
    let (server, _) = server();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    std::fs::write(&file, "text").unwrap();
    let rule = json!({"markInfrequentAccessAfterDays": 3, "markDeletionAfterDays": 5});
    let more = json!({"securityToken": "tok", "createBucketIfNotPresent": true, "lifecycleRule": rule});
    store(&server, "k", more)
        .await
        .unwrap()
        .save(&file)
        .await
        .unwrap();
    let asked = server.asked();
    let shown: Vec<_> = asked
        .iter()
        .map(|r| format!("{} {}", r.method, r.target))
        .collect();
    assert!(shown.iter().any(|r| r == "PUT /bucket/"), "{shown:?}");
    let rules = asked.iter().find(|r| r.target.contains("lifecycle")).unwrap();
    for part in [
        "<Prefix>k</Prefix>",
        "<Days>5</Days>",
        "<Days>3</Days>",
        "<StorageClass>IA</StorageClass>",
    ] {
        assert!(rules.body.contains(part), "{part} in {}", rules.body);
    }
    assert!(asked.iter().all(|r| field(r, "x-oss-security-token") == "tok"));
    let (_, refused) = (&asked, json!({"secretKeySecret": {"name": "s", "key": "wrong"}}));
    let error = store(&server, "k", refused)
        .await
        .unwrap()
        .save(&file)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("is not OSS id:") && !error.is_transient(),
        "{error}"
    );
    let nowhere = store(&server, "k", json!({"bucket": "other"})).await.unwrap();
    let error = nowhere.save(&file).await.unwrap_err();
    assert!(
        matches!(error, Error::Store { .. }),
        "a missing bucket is no missing artifact: {error:?}"
    );
    let rule = json!({"lifecycleRule": {"markInfrequentAccessAfterDays": 6, "markDeletionAfterDays": 5}});
    assert!(store(&server, "k", rule).await.is_err());
}
