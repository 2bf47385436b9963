//! The strategic merge: order, directives and lists by key (C-MRG-04).

use argosy_engine::merge::schema::{self, Type};
use argosy_engine::merge::strategic;
use serde_json::{Value, json};

fn check(schema: Type, original: Value, patch: Value, expected: Result<Value, &str>) {
    let got = strategic::merge(&original, &patch, schema).map_err(|error| error.to_string());
    assert_eq!(got, expected.map_err(str::to_owned));
}

#[test]
fn items_of_the_patch_come_in_its_order_and_others_keep_their_place() {
    check(
        schema::pod_spec,
        json!({"containers": [{"name": "wait"}, {"name": "main"}, {"name": "s"}]}),
        json!({"containers": [{"name": "s", "image": "i"}, {"name": "new"}, {"name": "wait"}]}),
        Ok(
            json!({"containers": [{"name": "main"}, {"name": "s", "image": "i"}, {"name": "new"}, {"name": "wait"}]}),
        ),
    );
}

#[test]
fn directives_delete_replace_and_retain() {
    check(
        schema::container,
        json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "resources": {"limits": {"cpu": "1"}}}),
        json!({"env": [{"name": "A", "$patch": "delete"}], "resources": {"$patch": "replace", "requests": {"cpu": "2"}}}),
        Ok(json!({"env": [{"name": "B", "value": "2"}], "resources": {"requests": {"cpu": "2"}}})),
    );
    check(
        schema::pod_spec,
        json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
        json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/h"}}]}),
        Ok(json!({"volumes": [{"name": "v", "hostPath": {"path": "/h"}}]})),
    );
    check(
        schema::pod_spec,
        json!({"hostNetwork": true}),
        json!({"hostNetwork": null}),
        Ok(json!({})),
    );
    check(
        schema::pod_spec,
        json!({"a": 1}),
        json!({"$patch": "nonsense"}),
        Err("Unknown patch type found: nonsense"),
    );
}

#[test]
fn lists_without_a_key_are_replaced_and_sets_are_joined() {
    check(
        schema::pod_spec,
        json!({"tolerations": [{"key": "a"}]}),
        json!({"tolerations": [{"key": "b"}]}),
        Ok(json!({"tolerations": [{"key": "b"}]})),
    );
    check(
        schema::workflow,
        json!({"metadata": {"finalizers": ["a", "b"]}}),
        json!({"metadata": {"finalizers": ["c", "a"]}}),
        Ok(json!({"metadata": {"finalizers": ["c", "a", "b"]}})),
    );
}

#[test]
fn a_list_that_the_lower_layer_lacks_stays_as_it_is() {
    let twice = json!({"templates": [{"name": "a"}, {"name": "a"}]});
    check(schema::workflow_spec, json!({}), twice.clone(), Ok(twice));
}

#[test]
fn an_item_without_its_key_is_an_error() {
    check(
        schema::pod_spec,
        json!({"containers": [{"name": "main"}]}),
        json!({"containers": [{"image": "i"}]}),
        Err("map: {\"image\":\"i\"} does not contain declared merge key: name"),
    );
}
