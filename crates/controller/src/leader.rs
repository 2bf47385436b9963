//! Who of several controllers works: the holder of a Lease (C-PROC-10 to C-PROC-12).
//!
//! The rules are those of Kubernetes' own components, so that ours and the peer's controller exclude each other. Not
//! here: what is started and stopped by it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::api::{self, Failure, Resource};
use crate::fence::Fence;

const LEASES: Resource = Resource {
    group: "coordination.k8s.io",
    version: "v1",
    plural: "leases",
};

/// Which lease, and how it is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Namespace of the lease: the controller's own.
    pub namespace: String,
    /// Name of the lease.
    pub name: String,
    /// Who we are; no two controllers may say the same.
    pub identity: String,
    /// For how long others wait after the last renewal. Default 15 s.
    pub duration: Duration,
    /// When renewing has failed for so long, we stop leading. Default 10 s; must be shorter than `duration`.
    pub deadline: Duration,
    /// How often it is renewed and asked for. Default 5 s.
    pub retry: Duration,
}

/// Takes part in the election until it is told to stop. `leading` becomes true when we win, and false for good when we
/// lose, after which this returns; the fence is open exactly as long as nobody else can have the lease.
pub async fn run(
    client: Client,
    options: Options,
    fence: Fence,
    leading: watch::Sender<bool>,
    stop: CancellationToken,
) {
    let mut seen = Observed::default();
    loop {
        match attempt(&client, &options, &mut seen).await {
            Ok(true) => break,
            Ok(false) => debug!(lease = %options.name, holder = %seen.holder, "Somebody else leads"),
            Err(failure) => warn!(lease = %options.name, error = %failure, "The lease can't be had"),
        }
        tokio::select! {
            () = tokio::time::sleep(options.retry) => {}
            () = stop.cancelled() => return,
        }
    }
    info!(lease = %options.name, identity = %options.identity, "Leading");
    fence.open_until(seen.asked + options.deadline);
    leading.send_replace(true);
    let lost = keep(&client, &options, &fence, &mut seen, &stop).await;
    if lost {
        fence.shut();
        warn!(lease = %options.name, "The lease is lost");
    }
    leading.send_replace(false);
}

/// Gives the lease back, so that the next controller need not wait; only after everything else has stopped.
pub async fn release(client: &Client, options: &Options) {
    let Ok(lease) = api::get::<Lease>(client, &LEASES, &options.namespace, &options.name).await else {
        return;
    };
    let spec = lease.spec.unwrap_or_default();
    if spec.holder_identity.as_deref() != Some(options.identity.as_str()) {
        return;
    }
    let patch = json!({
        "metadata": {"resourceVersion": lease.metadata.resource_version},
        "spec": {"holderIdentity": "", "leaseDurationSeconds": 1},
    });
    if let Err(failure) =
        api::merge_patch::<Value>(client, &LEASES, &options.namespace, &options.name, &patch).await
    {
        debug!(error = %failure, "The lease was not given back");
    }
}

/// Renews until it fails for too long (true) or we are told to stop (false).
async fn keep(
    client: &Client,
    options: &Options,
    fence: &Fence,
    seen: &mut Observed,
    stop: &CancellationToken,
) -> bool {
    let mut renewed = seen.asked;
    loop {
        tokio::select! {
            () = tokio::time::sleep(options.retry.min(left(renewed, options.deadline))) => {}
            () = stop.cancelled() => return false,
        }
        let attempt = tokio::time::timeout(left(renewed, options.deadline), attempt(client, options, seen));
        match attempt.await {
            Ok(Ok(true)) => {
                renewed = seen.asked;
                fence.open_until(renewed + options.deadline);
            }
            Ok(Ok(false)) => return true,
            Ok(Err(failure)) => warn!(lease = %options.name, error = %failure, "Renewing the lease failed"),
            Err(_) => warn!(lease = %options.name, "Renewing the lease got no answer"),
        }
        if left(renewed, options.deadline).is_zero() {
            return true;
        }
    }
}

fn left(since: Instant, limit: Duration) -> Duration {
    limit.saturating_sub(since.elapsed())
}

/// What we know of the lease, by our own clock: clocks of other machines are not trusted.
#[derive(Debug)]
struct Observed {
    holder: String,
    version: String,
    /// When this version was first seen.
    since: Instant,
    /// When the last successful attempt was begun: the lease runs at least from here.
    asked: Instant,
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            holder: String::new(),
            version: String::new(),
            since: Instant::now(),
            asked: Instant::now(),
        }
    }
}

/// Takes or renews the lease; false when somebody else has it.
async fn attempt(client: &Client, options: &Options, seen: &mut Observed) -> Result<bool, Failure> {
    let asked = Instant::now();
    let found: Lease = match api::get(client, &LEASES, &options.namespace, &options.name).await {
        Ok(lease) => lease,
        Err(Failure::NotFound(_)) => return make(client, options, seen, asked).await,
        Err(failure) => return Err(failure),
    };
    let version = found.metadata.resource_version.unwrap_or_default();
    let spec = found.spec.unwrap_or_default();
    let holder = spec.holder_identity.unwrap_or_default();
    if version != seen.version {
        seen.version.clone_from(&version);
        seen.since = Instant::now();
    }
    seen.holder.clone_from(&holder);
    let ours = holder == options.identity;
    let theirs = Duration::from_secs(u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0));
    if !ours && !holder.is_empty() && seen.since.elapsed() < theirs {
        return Ok(false);
    }
    let changes = spec.lease_transitions.unwrap_or(0) + i32::from(!ours);
    let mut patch = json!({
        "metadata": {"resourceVersion": version},
        "spec": holding(options, changes, !ours),
    });
    patch["metadata"]["name"] = json!(options.name);
    match api::merge_patch::<Lease>(client, &LEASES, &options.namespace, &options.name, &patch).await {
        Ok(stored) => {
            seen.version = stored.metadata.resource_version.unwrap_or_default();
            seen.holder.clone_from(&options.identity);
            seen.asked = asked;
            Ok(true)
        }
        // Somebody was quicker: whoever it was is seen by the next attempt.
        Err(Failure::Conflict(_)) if !ours => Ok(false),
        Err(failure) => Err(failure),
    }
}

async fn make(
    client: &Client,
    options: &Options,
    seen: &mut Observed,
    asked: Instant,
) -> Result<bool, Failure> {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": options.name, "namespace": options.namespace},
        "spec": holding(options, 0, true),
    });
    match api::create::<_, Lease>(client, &LEASES, &options.namespace, &lease).await {
        Ok(_) => {
            seen.asked = asked;
            Ok(true)
        }
        Err(Failure::AlreadyExists(_)) => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn holding(options: &Options, changes: i32, acquired: bool) -> Value {
    let now = argosy_model::k8s::MicroTime(Timestamp::now());
    let mut spec = json!({
        "holderIdentity": options.identity,
        "leaseDurationSeconds": options.duration.as_secs(),
        "renewTime": now,
        "leaseTransitions": changes,
    });
    if acquired {
        spec["acquireTime"] = json!(now);
    }
    spec
}
