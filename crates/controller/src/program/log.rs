//! The log of the program: its form, its level, and how many lines of each level there were.

use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use super::args::{Format, Level};
use crate::metrics::Registry;

/// Starts logging to standard error.
///
/// # Errors
/// When something else logs already.
pub fn start(level: Level, format: Format, registry: Arc<Registry>) -> anyhow::Result<()> {
    // Libraries only tell what needs an eye, unless everything was asked for.
    let filter = match level {
        Level::Debug => "debug,hyper=info,rustls=info,h2=info,tower=info".to_owned(),
        level => format!("{0},hyper=warn,rustls=warn,tower=warn,kube=warn", level.as_str()),
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Text => lines.with_ansi(false).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(EnvFilter::new(filter))
        .with(lines)
        .with(Count(registry))
        .try_init()?;
    Ok(())
}

/// Counts lines by level.
struct Count(Arc<Registry>);

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => "error",
            tracing::Level::WARN => "warning",
            tracing::Level::INFO => "info",
            _ => "debug",
        };
        self.0.add("log_messages", &[("level", level)], 1.0);
    }
}
