use oc_policy::sandbox::{Place, Plan, plan};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use super::*;
use crate::docker_args::{Baseline, build, harden};

fn spec_of(docker: &Value) -> Result<ContainerSpec, SpecError> {
    let config = json!({"agents": {"defaults": {"sandbox": {"mode": "all", "docker": docker}}}});
    let place = Place { home: "/home/u".to_owned(), state_dir: "/home/u/.openclaw".to_owned() };
    let config = Node::from_json(&config, &Origin::Default);
    let Plan::Sandbox(plan) = plan(&config, Some("agent:main:main"), &place).expect("a plan") else {
        panic!("sandboxed")
    };
    let context = crate::context::context(&plan, "/home/u/w", |_| None).expect("a name");
    let docker = &plan.settings.docker;
    let baseline = Baseline { owner: "o", owner_uid: 5, owner_gid: 6, runner: None };
    let command = harden(build(docker, &context, 7), docker, &context, &baseline);
    ContainerSpec::read(&command, &|path| match path {
        "/profile" => Ok("{ \"defaultAction\":\n \"SCMP_ACT_ERRNO\" }".to_owned()),
        _ => Err("not there".to_owned()),
    })
}

#[test]
fn sp_234_the_body_has_the_baseline() {
    let spec = spec_of(&json!({})).expect("a spec");
    let host = spec.body.host_config.expect("a host configuration");
    assert!(spec.name.starts_with("openclaw-sbx-"));
    assert_eq!(host.readonly_rootfs, Some(true));
    assert_eq!(host.network_mode.as_deref(), Some("none"));
    assert_eq!(host.cap_drop.as_deref(), Some(["ALL".to_owned()].as_slice()));
    assert_eq!(host.security_opt.as_deref(), Some(["no-new-privileges".to_owned()].as_slice()));
    assert_eq!((host.pids_limit, host.init), (Some(256), Some(true)));
    assert_eq!(spec.body.user.as_deref(), Some("5:6"));
    assert_eq!((host.privileged, host.cap_add, host.pid_mode, host.devices), (None, None, None, None));
}

#[test]
fn sp_233_values_arrive_as_they_are_written() {
    let nasty = "a b; $(id) \"x\"";
    let spec = spec_of(&json!({"user": nasty, "tmpfs": ["/t:mode=1777"], "seccompProfile": "/profile"}))
        .expect("a spec");
    let host = spec.body.host_config.expect("a host configuration");
    assert_eq!(spec.body.user.as_deref(), Some(nasty));
    assert_eq!(host.tmpfs.expect("memory file systems")["/t"], "mode=1777");
    let options = host.security_opt.expect("options");
    assert!(options.contains(&"seccomp={\"defaultAction\":\"SCMP_ACT_ERRNO\"}".to_owned()), "{options:?}");
}

#[test]
fn what_the_engine_would_not_understand_is_refused_with_its_option() {
    for (docker, option) in [
        (json!({"memory": "lots"}), "--memory"),
        (json!({"cpus": 0.000_000_000_1}), "--cpus"),
        (json!({"tmpfs": ["relative"]}), "--tmpfs"),
        (json!({"ulimits": {"nofile": {"soft": 9, "hard": 5}}}), "--ulimit"),
        (json!({"seccompProfile": "/nothing"}), "--security-opt"),
    ] {
        let refused = spec_of(&docker).expect_err("refused").to_string();
        assert!(refused.starts_with(option), "{refused}");
    }
    let unknown = CreateCommand {
        options: vec!["--privileged".to_owned(), "x".to_owned()],
        image: "i".to_owned(),
        command: Vec::new(),
    };
    assert!(ContainerSpec::read(&unknown, &|_| Ok(String::new())).is_err());
}
