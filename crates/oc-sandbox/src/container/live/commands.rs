//! Commands in a container.

use serde_json::json;

use super::setting::{run, shell};
use super::{Setting, engine};

#[tokio::test]
async fn a_command_runs_with_streams_apart_and_its_exit_code() {
    let Some(engine) = engine().await else { return };
    let setting = Setting::new(engine);
    let executor = setting.executor("agent:main:main", &json!({}));
    let done = run(&executor, shell("echo out; echo err >&2; pwd; exit 7")).await.expect("it runs");
    assert_eq!((done.out.as_str(), done.err.as_str(), done.exit.code), ("out\n/workspace\n", "err\n", 7));
}
