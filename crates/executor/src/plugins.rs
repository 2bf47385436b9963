//! Artifact plugins as processes of the pod: started where input artifacts are loaded, ended when outputs are saved
//! (rules X-APLG-20, X-APLG-24). Talking to them is in crate `artifact`; running one beside main is the emissary's.

use std::os::unix::fs::DirBuilderExt as _;
use std::time::Duration;

use crate::args::Line;
use crate::containers::Others;
use crate::env;
use crate::inputs::{self, Keeper};
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::retry;
use crate::startup::Pod;
use crate::task::template_text;
use crate::text::{failed, reason};

/// `artifact-plugin-init`: starts a plugin and loads its input artifacts. The plugin ends with this container.
///
/// # Errors
/// No plugin or command is named, the plugin does not run, or an artifact cannot be loaded.
pub async fn init(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    let name = line.value("plugin-name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::new("required flag(s) \"plugin-name\" not set"))?;
    let [program, args @ ..] = line.rest.as_slice() else {
        return Err(Failure::new("requires at least 1 arg(s), only received 0"));
    };
    let pod = Pod::read(layout, template_text(layout)?)?;
    crate::sys::clear_umask();
    let folder = layout.plugins().join(name);
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&folder);
    made.map_err(|e| Failure::new(failed("mkdir", &folder, &e)))?;
    let mut plugin = tokio::process::Command::new(program)
        .args(args)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| Failure::new(failed("failed to start plugin: fork/exec", program.as_ref(), &e)))?;
    let options = retry::store_options(layout)?;
    tokio::select! {
        loaded = inputs::load(&pod, &options, Keeper::Plugin(name)) => loaded.map(|()| 0),
        ended = plugin.wait() => Err(Failure::new(match ended {
            Ok(status) => format!("plugin {name} ended before artifacts were loaded: {status}"),
            Err(error) => format!("plugin {name}: {}", reason(&error)),
        })),
    }
}

/// Names in a variable that holds them with commas between them; blank ones do not count.
pub fn names(variable: &str) -> Vec<String> {
    let text = env::text(variable).unwrap_or_default();
    let names = text.split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Names of the plugins that run beside main.
pub fn sidecars() -> Vec<String> {
    names("ARGO_ARTIFACT_PLUGIN_NAMES")
}

/// Ends plugins that ran beside main. One that does not end is only logged: everything is saved and reported.
pub async fn stop(names: &[String], layout: &Layout, grace: Duration) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let sidecars = Others::new(layout, names.iter().map(String::as_str))?;
    if !sidecars.stop(grace).await {
        log::warn("plugins did not end although they were killed", &[]);
    }
    Ok(())
}
