//! The file: what survives the end of a server, and files that cannot be used.
//!
//! Deliberately absent: killing processes; a server that is dropped in the middle stands for it here.

use std::path::Path;
use std::sync::Arc;

use argosy_apiserver::{ApiServer, Options, StartError, definition};
use serde_json::{Value, json};

use crate::common::{check_on, delete, get, merge, post};

const CM: &str = "/api/v1/namespaces/default/configmaps";

fn start(path: &Path) -> Arc<ApiServer> {
    let definitions = vec![definition("example.com", "v1", "widgets", "Widget", true)];
    ApiServer::new(Options {
        file: Some(path.to_owned()),
        definitions,
        ..Options::default()
    })
    .expect("a server")
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let server = start(&file);
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let thing = json!({"apiVersion": "new.io/v1", "kind": "Thing", "metadata": {"name": "t"}, "x": 1});
    check_on(
        &server,
        vec![
            post(CM, json!({"metadata": {"name": "a"}, "data": {"n": "1"}})).gives(201, json!({})),
            post(CM, json!({"metadata": {"name": "b"}})).gives(201, json!({})),
            post(CM, json!({"metadata": {"name": "held", "finalizers": ["x/y"]}})).gives(201, json!({})),
            merge(&format!("{CM}/a"), json!({"data": {"n": "2"}})),
            delete(&format!("{CM}/b"), Value::Null),
            delete(&format!("{CM}/held"), Value::Null),
            merge(&format!("{CM}/held"), json!({"metadata": {"finalizers": null}})),
            post(crds, definition("new.io", "v1", "things", "Thing", false)).gives(201, json!({})),
            post("/apis/new.io/v1/things", thing).gives(201, json!({})),
        ],
    )
    .await;
    let ca = server.ca_pem().to_owned();
    drop(server);
    let server = start(&file);
    assert_eq!(server.ca_pem(), ca);
    check_on(
        &server,
        vec![
            get(&format!("{CM}/a"))
                .gives(200, json!({"data": {"n": "2"}}))
                .keeps("/metadata/resourceVersion", "r"),
            get(&format!("{CM}/b")).gives(404, json!({})),
            get(&format!("{CM}/held")).gives(404, json!({})),
            get("/apis/new.io/v1/things/t").gives(200, json!({"x": 1})),
            // The past of the last process is not kept, so its versions cannot be watched from.
            get(&format!("{CM}?resourceVersion={{r}}&resourceVersionMatch=Exact"))
                .gives(410, json!({"reason": "Expired"})),
            merge(
                &format!("{CM}/a"),
                json!({"data": {"n": "3"}, "metadata": {"resourceVersion": "{r}"}}),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn deletions_are_finished_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let server = start(&file);
    let owned = json!({"metadata": {"name": "child", "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "{uid}"},
    ]}});
    check_on(
        &server,
        vec![
            post(CM, json!({"metadata": {"name": "owner"}}))
                .gives(201, json!({}))
                .keeps("/metadata/uid", "uid"),
            post(CM, owned).gives(201, json!({})),
        ],
    )
    .await;
    drop(server);
    // As if the process had ended between the owner's deletion and its child's.
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection
        .execute("DELETE FROM objects WHERE name = 'owner'", [])
        .unwrap();
    drop(connection);
    check_on(
        &start(&file),
        vec![get(&format!("{CM}/child")).gives(404, json!({}))],
    )
    .await;
}

#[test]
fn files_that_cannot_be_used_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let refused = |file: &Path| {
        let options = Options {
            file: Some(file.to_owned()),
            ..Options::default()
        };
        match ApiServer::new(options) {
            Err(StartError::Store(error)) => error.to_string(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{} was taken", file.display()),
        }
    };
    let first = start(&file);
    assert!(refused(&file).contains("in use by another process"));
    drop(first);
    let broken = folder.path().join("broken.db");
    std::fs::write(&broken, "this is no database, and never was one".repeat(100)).unwrap();
    assert!(refused(&broken).contains("is damaged"), "{}", refused(&broken));
    assert!(
        std::fs::read_to_string(&broken)
            .unwrap()
            .starts_with("this is no database")
    );
    let newer = folder.path().join("newer.db");
    let connection = rusqlite::Connection::open(&newer).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(refused(&newer).contains("has form 99"));
    assert!(refused(&folder.path().join("none/store.db")).contains("cannot be written"));
}
