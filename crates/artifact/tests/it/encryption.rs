//! What the S3 driver asks of a server that is to encrypt, field by field as documented (rule X-S3-06): no server that
//! tests can start knows all three ways.

use argosy_artifact::{Store, open};
use serde_json::{Value, json};

use super::s3::{Fixed, options};
use super::stand_in::{Answer, Request, StandIn};

/// Says yes to everything an upload in one piece or in parts, and a download, ask.
fn answer(request: &Request) -> Answer {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    if request.method == "POST" && query.starts_with("uploads") {
        let begun = "<Bucket>bucket</Bucket><Key>k</Key><UploadId>id</UploadId>";
        return Answer::ok(format!(
            "<InitiateMultipartUploadResult>{begun}</InitiateMultipartUploadResult>"
        ));
    }
    if request.method == "POST" {
        let done = "<Bucket>bucket</Bucket><Key>k</Key><ETag>\"e\"</ETag>";
        return Answer::ok(format!(
            "<CompleteMultipartUploadResult>{done}</CompleteMultipartUploadResult>"
        ));
    }
    Answer::ok("").field("etag", "\"e\"")
}

fn field(request: &Request, name: &str) -> Option<String> {
    let of_line = |line: &str| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    request.head.lines().find_map(of_line)
}

/// Puts a small file, then one in parts, and reads; gives the requests by what they do.
async fn requests(encryption: &Value) -> Vec<(&'static str, Request)> {
    let (server, ca) = StandIn::start_tls(answer);
    let folder = tempfile::tempdir().unwrap();
    let place = json!({"s3": {
        "endpoint": format!("localhost:{}", server.port), "bucket": "bucket", "key": "a/key", "region": "us-east-1",
        "accessKeySecret": {"name": "s", "key": "user"}, "secretKeySecret": {"name": "s", "key": "password"},
        "caSecret": {"name": "s", "key": ca}, "encryptionOptions": encryption,
    }});
    let location = serde_json::from_value(place).unwrap();
    let store: Box<dyn Store> = open(&location, &Fixed, &options()).await.unwrap();
    for size in [4, 6 * 1024 * 1024] {
        let file = folder.path().join("f");
        std::fs::write(&file, vec![b'x'; size]).unwrap();
        store.save(&file).await.unwrap();
    }
    store.load(&folder.path().join("to")).await.unwrap();
    let kind = |request: &Request| match (request.method.as_str(), &request.target) {
        ("POST", target) if target.contains("uploads") => "begin",
        ("POST", _) => "complete",
        ("PUT", target) if target.contains("partNumber") => "part",
        ("PUT", _) => "put",
        _ => "get",
    };
    server.asked().into_iter().map(|r| (kind(&r), r)).collect()
}

/// Fields of these names are in requests of these kinds with these values, and nowhere else.
fn check(requests: &[(&'static str, Request)], kinds: &[&str], fields: &[(&str, &str)]) {
    let name = "x-amz-server-side-encryption";
    for (kind, request) in requests {
        let is_meant = kinds.contains(kind);
        for (rest, value) in fields {
            let got = field(request, &format!("{name}{rest}"));
            assert_eq!(got.as_deref(), is_meant.then_some(*value), "{kind} {rest}");
        }
        let sent = request
            .head
            .lines()
            .filter(|l| l.to_ascii_lowercase().starts_with(name))
            .count();
        assert_eq!(
            sent,
            if is_meant { fields.len() } else { 0 },
            "{kind}: {}",
            request.head
        );
    }
    for kind in ["put", "begin", "part", "complete", "get"] {
        assert!(requests.iter().any(|(k, _)| *k == kind), "{kind}");
    }
}

#[tokio::test]
async fn x_s3_06_what_is_asked_of_the_server() {
    let plain = requests(&json!({"enableEncryption": false, "kmsKeyId": "unused"})).await;
    check(&plain, &[], &[]);
    let own = requests(&json!({"enableEncryption": true})).await;
    check(&own, &["put", "begin"], &[("", "AES256")]);
    let kms = json!({"enableEncryption": true, "kmsKeyId": "key-1", "kmsEncryptionContext": "{\"a\":\"b\"}"});
    let kms = requests(&kms).await;
    let fields = [
        ("", "aws:kms"),
        ("-aws-kms-key-id", "key-1"),
        ("-context", "eyJhIjoiYiJ9"),
    ];
    check(&kms, &["put", "begin"], &fields);
    let customer =
        json!({"enableEncryption": true, "serverSideCustomerKeySecret": {"name": "s", "key": "password"}});
    let customer = requests(&customer).await;
    // argon2 "bucketa/key" -id -t 1 -k 65536 -p 4 -l 32, and its sum: the same in every request about the object's bytes.
    let of_first = |rest: &str| {
        field(
            &customer[0].1,
            &format!("x-amz-server-side-encryption-customer-{rest}"),
        )
    };
    let (key, sum) = (of_first("key").unwrap(), of_first("key-md5").unwrap());
    assert_eq!((key.len(), sum.len()), (44, 24), "256 bits, and MD5, in base64");
    let fields = [
        ("-customer-algorithm", "AES256"),
        ("-customer-key", &key),
        ("-customer-key-md5", &sum),
    ];
    check(&customer, &["put", "begin", "part", "get"], &fields);
}
