//! Every way by which a pod gets keys for S3 (rule X-S3-02), with stand-ins for the services that
//! give them and a server that checks them. Each way is a process of its own, since the ways are
//! chosen by environment variables.

use argosy_artifact::open;
use serde_json::{Value, json};
use tempfile::tempdir;

use super::behaviour::read;
use super::programs::{again, is_inside};
use super::s3::{Fixed, options, start};
use super::stand_in::{Answer, Request, StandIn};

/// What the inner test stores.
const PLACE: &str = "ARGOSY_TEST_PLACE";

/// The keys that the stand-ins give, which are the server's.
const KEYS: &str = r#"{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "user", "SecretAccessKey": "password",
    "Token": "session", "Expiration": "2999-01-01T00:00:00Z", "LastUpdated": "2020-01-01T00:00:00Z"}"#;

/// Answers requests for keys as Amazon's services do.
fn answer(request: &Request) -> Answer {
    let assumed = |action: &str| {
        format!(
            "<{action}Response><{action}Result><Credentials><AccessKeyId>user</AccessKeyId>\
             <SecretAccessKey>password</SecretAccessKey><SessionToken>session</SessionToken>\
             <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser>\
             <Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>i:s</AssumedRoleId></AssumedRoleUser>\
             </{action}Result></{action}Response>"
        )
    };
    let body = match request.target.as_str() {
        _ if request.body.contains("Action=AssumeRoleWithWebIdentity") => {
            assumed("AssumeRoleWithWebIdentity")
        }
        _ if request.body.contains("Action=AssumeRole") => assumed("AssumeRole"),
        "/latest/api/token" => "token".to_owned(),
        target if target.ends_with("/security-credentials/") => "role".to_owned(),
        _ => KEYS.to_owned(),
    };
    Answer::ok(body).field("x-aws-ec2-metadata-token-ttl-seconds", "60")
}

// The server answers while this thread waits for the other process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x_s3_02_routes_to_keys() {
    if is_inside() {
        return use_place().await;
    }
    // A server that does not know the stand-ins' session tokens, but checks the keys.
    let (_root, endpoint) = start().await;
    let giver = StandIn::start(answer);
    let folder = tempdir().unwrap();
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let file = path(
        "file",
        "[default]\naws_access_key_id = user\naws_secret_access_key = password\n",
    );
    let token = path("token", "the-token");
    let sts = ("AWS_ENDPOINT_URL_STS", giver.url(""));
    let no_instance = ("AWS_EC2_METADATA_DISABLED", "true".to_owned());
    let set = |name: &'static str, value: &str| (name, value.to_owned());
    let own = vec![
        set("AWS_ACCESS_KEY_ID", "user"),
        set("AWS_SECRET_ACCESS_KEY", "password"),
    ];
    let base = vec![
        set("AWS_ACCESS_KEY_ID", "base"),
        set("AWS_SECRET_ACCESS_KEY", "base"),
        sts.clone(),
    ];
    let sdk = json!({"useSDKCreds": true});
    let role = json!({"roleARN": "arn:aws:iam::1:role/r"});
    let web = vec![
        set("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
        set("AWS_ROLE_ARN", "arn:aws:iam::1:role/w"),
        set("AWS_REGION", "eu-west-1"),
        sts,
    ];
    let container = vec![
        set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &giver.url("/container")),
        set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
        no_instance.clone(),
    ];
    let instance = vec![set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &giver.url(""))];
    for (what, more, variables, asked) in [
        ("environment", &sdk, own.clone(), ""),
        ("file", &sdk, vec![set("AWS_SHARED_CREDENTIALS_FILE", &file)], ""),
        ("role", &role, base, "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"),
        (
            "web identity",
            &json!({}),
            web.clone(),
            "WebIdentityToken=the-token",
        ),
        (
            "web identity by the chain",
            &sdk,
            web,
            "WebIdentityToken=the-token",
        ),
        ("container", &json!({}), container, "the-token"),
        (
            "instance",
            &json!({}),
            instance,
            "/latest/meta-data/iam/security-credentials/role",
        ),
    ] {
        let mut variables = variables;
        variables.push((PLACE, place(&endpoint, more)));
        again("credentials::x_s3_02_routes_to_keys", &variables).unwrap_or_else(|e| panic!("{what}: {e}"));
        let requests = giver.asked();
        let is_asked = asked.is_empty() || requests.iter().any(|r| r.text().contains(asked));
        assert!(is_asked, "{what}: {requests:?}");
    }
    refuses(&endpoint, own, no_instance);
}

/// Keys of the environment belong to the SDK's chain, which is not asked for here.
fn refuses(endpoint: &str, own: Vec<(&str, String)>, no_instance: (&'static str, String)) {
    let mut variables = own;
    variables.push(no_instance);
    variables.push((PLACE, place(endpoint, &json!({}))));
    let error = again("credentials::x_s3_02_routes_to_keys", &variables).unwrap_err();
    assert!(
        error.contains("Store { message: \"no credentials found in chain"),
        "{error}"
    );
}

fn place(endpoint: &str, more: &Value) -> String {
    let mut place = json!({"endpoint": endpoint, "bucket": "bucket", "insecure": true, "key": "k"});
    for (name, value) in more.as_object().unwrap() {
        place[name] = value.clone();
    }
    json!({"s3": place}).to_string()
}

async fn use_place() {
    let location = serde_json::from_str(&std::env::var(PLACE).unwrap()).unwrap();
    let store = open(&location, &Fixed, &options()).await.unwrap();
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    store.save(&file).await.unwrap();
    assert_eq!(read(&*store).await, b"text");
}
