//! Where metrics and spans go, as OpenTelemetry's variables say (opentelemetry.io/docs/specs/otel/protocol/exporter and
//! /configuration/sdk-environment-variables).

use std::time::Duration;

/// A variable that holds nothing usable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment variable {name}: \"{value}\" is no {wanted}")]
pub struct Error {
    name: String,
    value: String,
    wanted: &'static str,
}

/// How requests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Protocol buffers by gRPC.
    Grpc,
    /// Protocol buffers by HTTP.
    Http,
}

/// Where one signal goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Address, without the path of the signal for gRPC and with it for HTTP.
    pub endpoint: String,
    /// How requests are written. Default gRPC.
    pub protocol: Protocol,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// How long a request may take. Default 10 s.
    pub timeout: Duration,
}

/// What is sent where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where metrics go, if anywhere.
    pub metrics: Option<Target>,
    /// Where spans go, if anywhere.
    pub traces: Option<Target>,
    /// How often metrics are sent. Default 60 s.
    pub interval: Duration,
    /// Who sends: attributes of the resource. Default a `service.name` of `workflows-controller`, and our version.
    pub resource: Vec<(String, String)>,
}

impl Settings {
    /// Reads the variables by this function. Without an endpoint nothing is sent.
    ///
    /// # Errors
    /// A variable that holds nothing usable.
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let service = get("OTEL_SERVICE_NAME");
        let mut resource = match get("OTEL_RESOURCE_ATTRIBUTES") {
            Some(text) => pairs("OTEL_RESOURCE_ATTRIBUTES", &text)?,
            None => Vec::new(),
        };
        if service.is_some() || !resource.iter().any(|(name, _)| name == "service.name") {
            resource.retain(|(name, _)| name != "service.name");
            let name = service.unwrap_or_else(|| "workflows-controller".to_owned());
            resource.push(("service.name".to_owned(), name));
        }
        resource.push(("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
        Ok(Self {
            metrics: target("METRICS", "/v1/metrics", &get)?,
            traces: target("TRACES", "/v1/traces", &get)?,
            interval: match get("OTEL_METRIC_EXPORT_INTERVAL") {
                Some(text) => millis("OTEL_METRIC_EXPORT_INTERVAL", &text)?,
                None => Duration::from_secs(60),
            },
            resource,
        })
    }
}

fn target(signal: &str, path: &str, get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Target>, Error> {
    // What is said of one signal counts before what is said of all.
    let find = |what: &str| {
        let own = format!("OTEL_EXPORTER_OTLP_{signal}_{what}");
        let all = format!("OTEL_EXPORTER_OTLP_{what}");
        let found = get(&own).map(|value| (own, value));
        found.or_else(|| get(&all).map(|value| (all, value)))
    };
    let Some((name, endpoint)) = find("ENDPOINT") else {
        return Ok(None);
    };
    let is_address = ["http://", "https://"]
        .iter()
        .any(|scheme| endpoint.starts_with(scheme));
    if !is_address || endpoint.parse::<http::Uri>().is_err() {
        return Err(Error {
            name,
            value: endpoint,
            wanted: "address that begins with http:// or https://",
        });
    }
    let protocol = match find("PROTOCOL") {
        None => Protocol::Grpc,
        Some((name, value)) => match value.as_str() {
            "grpc" => Protocol::Grpc,
            "http/protobuf" => Protocol::Http,
            _ => {
                return Err(Error {
                    name,
                    value,
                    wanted: "protocol that is known: grpc or http/protobuf",
                });
            }
        },
    };
    let of_all = name == "OTEL_EXPORTER_OTLP_ENDPOINT";
    let endpoint = match protocol {
        Protocol::Http if of_all => format!("{}{path}", endpoint.trim_end_matches('/')),
        _ => endpoint,
    };
    let headers = match find("HEADERS") {
        Some((name, text)) => pairs(&name, &text)?,
        None => Vec::new(),
    };
    let timeout = match find("TIMEOUT") {
        Some((name, text)) => millis(&name, &text)?,
        None => Duration::from_secs(10),
    };
    Ok(Some(Target {
        endpoint,
        protocol,
        headers,
        timeout,
    }))
}

/// `a=1,b=2`, values written as in addresses.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, String)>, Error> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim())
            .decode_utf8()
            .ok()?;
        Some((key.trim().to_owned(), value.into_owned()))
    };
    let parts = text.split(',').filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            pair(part).ok_or_else(|| Error {
                name: name.to_owned(),
                // It may hold a token.
                value: part.split('=').next().unwrap_or_default().to_owned(),
                wanted: "list of the form a=1,b=2",
            })
        })
        .collect()
}

fn millis(name: &str, text: &str) -> Result<Duration, Error> {
    match text.parse::<u64>() {
        Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(Error {
            name: name.to_owned(),
            value: text.to_owned(),
            wanted: "number of milliseconds above 0",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Settings, Error> {
        let find = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::read(&find)
    }

    #[test]
    fn variables_say_what_goes_where() {
        let nothing = read(&[]).expect("nothing set");
        assert_eq!((nothing.metrics, nothing.traces), (None, None));
        let check = |set: &[(&str, &str)],
                     metrics: Option<(&str, Protocol)>,
                     traces: Option<(&str, Protocol)>| {
            let settings = read(set).expect("usable variables");
            let short = |target: &Option<Target>| target.as_ref().map(|t| (t.endpoint.clone(), t.protocol));
            let long = |target: Option<(&str, Protocol)>| target.map(|(e, p)| (e.to_owned(), p));
            assert_eq!(short(&settings.metrics), long(metrics), "{set:?}");
            assert_eq!(short(&settings.traces), long(traces), "{set:?}");
        };
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
        let grpc = Some(("http://c:4317", Protocol::Grpc));
        check(&[all], grpc, grpc);
        check(
            &[all, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")],
            Some(("http://c:4317/v1/metrics", Protocol::Http)),
            Some(("http://c:4317/v1/traces", Protocol::Http)),
        );
        check(
            &[
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/as/it/is"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ],
            None,
            Some(("https://t/as/it/is", Protocol::Http)),
        );
    }

    #[test]
    fn faults_name_their_variable() {
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
        for (set, wanted) in [
            (
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317")],
                "OTEL_EXPORTER_OTLP_ENDPOINT: \"c:4317\"",
            ),
            (
                vec![all, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
                "PROTOCOL: \"http/json\"",
            ),
            (
                vec![all, ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "soon")],
                "METRICS_TIMEOUT: \"soon\"",
            ),
            (
                vec![all, ("OTEL_EXPORTER_OTLP_HEADERS", "token")],
                "HEADERS: \"token\"",
            ),
            (vec![("OTEL_METRIC_EXPORT_INTERVAL", "0")], "INTERVAL: \"0\""),
        ] {
            let text = read(&set).expect_err("a fault").to_string();
            assert!(text.contains(wanted), "{set:?}: {text}");
        }
    }
}
