//! Keys for Alibaba's object storage (rule X-OSS-01): from secrets, or from where Alibaba's
//! libraries look for them: the environment, a service account's token, the machine's role.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::environment::{self, get};
use crate::store::Error;
use crate::{rest, xml};

use super::sign::Keys;

const STS: &str = "https://sts.aliyuncs.com";
const METADATA: &str = "http://100.100.100.200/latest/meta-data/ram/security-credentials/";
/// Temporary keys are fetched anew so long before they run out.
const MARGIN: Duration = Duration::from_secs(300);

/// Where keys come from.
pub(super) enum Access {
    Fixed(Keys),
    Machine {
        client: Client,
        kept: Mutex<Option<(Keys, Timestamp)>>,
    },
}

impl Access {
    pub async fn keys(&self) -> Result<Keys, Error> {
        let (client, kept) = match self {
            Self::Fixed(keys) => return Ok(keys.clone()),
            Self::Machine { client, kept } => (client, kept),
        };
        let mut kept = kept.lock().await;
        if let Some((keys, until)) = &*kept
            && Timestamp::now() < *until
        {
            return Ok(keys.clone());
        }
        let (keys, until) = fetch(client).await?;
        let until = until.checked_sub(MARGIN).unwrap_or(until);
        *kept = Some((keys.clone(), until));
        Ok(keys)
    }
}

async fn fetch(client: &Client) -> Result<(Keys, Timestamp), Error> {
    if let (Some(id), Some(secret)) = (get(environment::ALIBABA_KEY), get(environment::ALIBABA_SECRET)) {
        let token = get(environment::ALIBABA_TOKEN).unwrap_or_default();
        return Ok((Keys { id, secret, token }, Timestamp::MAX));
    }
    let of_account = (
        get(environment::ALIBABA_ROLE),
        get(environment::ALIBABA_PROVIDER),
        get(environment::ALIBABA_TOKEN_FILE),
    );
    match of_account {
        (Some(role), Some(provider), Some(file)) => assume(client, role, provider, &file).await,
        _ => of_machine(client).await,
    }
}

/// Exchanges a service account's token for keys.
async fn assume(
    client: &Client,
    role: String,
    provider: String,
    file: &str,
) -> Result<(Keys, Timestamp), Error> {
    let token = std::fs::read_to_string(file).map_err(|e| Error::io("read", file.as_ref(), e))?;
    let host = get(environment::ALIBABA_STS).unwrap_or_else(|| STS.to_owned());
    let url = if host.contains("://") {
        host
    } else {
        format!("https://{host}")
    };
    let form = [
        ("Action", "AssumeRoleWithOIDC".to_owned()),
        ("Format", "XML".to_owned()),
        ("Version", "2015-04-01".to_owned()),
        (
            "Timestamp",
            Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        ),
        ("RoleArn", role),
        ("OIDCProviderArn", provider),
        ("OIDCToken", token.trim().to_owned()),
        ("RoleSessionName", "argosy".to_owned()),
    ];
    let answer = rest::send(rest::form(client.post(url), &form)).await?;
    let text = rest::text(rest::accept(answer).await.map_err(Error::not_missing)?).await?;
    let field = |name: &str| xml::text(&text, name);
    keys_of(
        [
            field("AccessKeyId"),
            field("AccessKeySecret"),
            field("SecurityToken"),
        ],
        field("Expiration"),
    )
}

/// The keys of the role that the machine has.
async fn of_machine(client: &Client) -> Result<(Keys, Timestamp), Error> {
    let role = ask(client, METADATA.to_owned()).await?;
    let role = role.lines().next().unwrap_or_default().trim();
    let text = ask(client, format!("{METADATA}{role}")).await?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let field = |name: &str| answer[name].as_str().map(str::to_owned);
    keys_of(
        [
            field("AccessKeyId"),
            field("AccessKeySecret"),
            field("SecurityToken"),
        ],
        field("Expiration"),
    )
}

async fn ask(client: &Client, url: String) -> Result<String, Error> {
    let request = client.get(url).timeout(Duration::from_secs(10));
    let answer = rest::accept(rest::send(request).await?).await;
    rest::text(answer.map_err(Error::not_missing)?).await
}

fn keys_of(found: [Option<String>; 3], until: Option<String>) -> Result<(Keys, Timestamp), Error> {
    let [Some(id), Some(secret), token] = found else {
        return Err(Error::Store {
            message: "the answer about credentials has no access key".to_owned(),
            is_transient: false,
        });
    };
    let usual = Timestamp::now() + Duration::from_secs(900);
    let until = until.and_then(|text| text.parse().ok()).unwrap_or(usual);
    let token = token.unwrap_or_default();
    Ok((Keys { id, secret, token }, until))
}
