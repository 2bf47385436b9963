//! Metrics that workflows define, as a scraper sees them.

use argosy_controller::{Controller, Options};
use serde_json::json;

use crate::{Stage, until};

/// The value of a line of the text for Prometheus.
fn value(controller: &Controller, series: &str) -> Option<f64> {
    let text = controller.metrics().text(&[]);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok())
}

#[tokio::test]
async fn c_met_10_gauges_in_real_time_grow_as_long_as_the_workflow_runs() {
    let stage = Stage::new();
    let mut controller = Controller::start(stage.client.clone(), Options::default());
    let gauge = |name: &str, value: &str| {
        json!({"prometheus": [{
            "name": name, "help": "h", "labels": [{"key": "of", "value": "{{workflow.name}}"}],
            "gauge": {"realtime": true, "value": value},
        }]})
    };
    stage
        .submit(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {
                "entrypoint": "main", "metrics": gauge("whole", "{{workflow.duration}}"),
                "templates": [{
                    "name": "main", "container": {"image": "i", "command": ["c"]}, "metrics": gauge("part", "{{duration}}"),
                }],
            },
        }))
        .await;
    let pod = stage.pods_when(1).await[0].clone();
    let (whole, part) = ("argo_workflows_whole{of=\"w\"}", "argo_workflows_part{of=\"w\"}");
    for series in [whole, part] {
        let first = until(series, async || value(&controller, series)).await;
        until("a later value", async || {
            value(&controller, series).filter(|now| *now > first)
        })
        .await;
    }
    // Another controller makes them of what is stored.
    controller.stop().await;
    controller = Controller::start(stage.client.clone(), Options::default());
    for series in [whole, part] {
        until(series, async || value(&controller, series)).await;
    }
    stage.end(&pod, 0).await;
    for series in [whole, part] {
        until("its end", async || {
            value(&controller, series).is_none().then_some(())
        })
        .await;
    }
    controller.stop().await;
}

#[tokio::test]
async fn c_met_10_a_gauge_in_real_time_of_something_else_is_told() {
    for (text, wanted) in [
        ("1", "real time metrics can only be used with metric variables"),
        ("{{status}}", "'status' is not available as a real time metric"),
    ] {
        let stage = Stage::new();
        let controller = Controller::start(stage.client.clone(), Options::default());
        stage
            .submit(json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
                "spec": {"entrypoint": "main", "templates": [{
                    "name": "main", "container": {"image": "i", "command": ["c"]},
                    "metrics": {"prometheus": [{"name": "m", "help": "h", "gauge": {"realtime": true, "value": text}}]},
                }]},
            }))
            .await;
        let pod = stage.pods_when(1).await[0].clone();
        stage.end(&pod, 0).await;
        let ended = until("the end", async || {
            let workflow = stage.workflow("w").await;
            (workflow["status"]["phase"] == "Succeeded").then_some(workflow)
        });
        let conditions = ended.await["status"]["conditions"].clone();
        let conditions = conditions.as_array().cloned().unwrap_or_default();
        let told = conditions.iter().find(|c| c["type"] == "MetricsError");
        assert_eq!(
            told.map(|c| c["message"].clone()),
            Some(json!(wanted)),
            "{conditions:#?}"
        );
        controller.stop().await;
    }
}
