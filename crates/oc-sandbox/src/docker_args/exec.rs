//! `exec` of one command in a running container.

use oc_policy::sandbox::Docker;

use crate::context::Context;

/// The `PATH` inside a sandbox. The host's value is never passed on.
pub const SANDBOX_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One command to run.
#[derive(Clone, Copy, Debug)]
pub struct ExecRequest<'a> {
    /// The program and its arguments; a shell line is `["sh", "-lc", line]`.
    pub argv: &'a [String],
    /// Working directory inside the container; `None` is the container's.
    pub workdir: Option<&'a str>,
    /// Environment of this call, over `docker.env`.
    pub env: &'a [(String, String)],
    /// Whether a terminal is attached.
    pub tty: bool,
}

/// The argument vector of a command. Environment: `PATH` (fixed), `HOME` (the working directory), `docker.env`, then the call's; a later
/// value of the same name wins. Nothing of the host's environment is inherited.
#[must_use]
pub fn exec_command(docker: &Docker, context: &Context, request: &ExecRequest<'_>) -> Vec<String> {
    let mut env: Vec<(&str, &str)> = vec![("PATH", SANDBOX_PATH), ("HOME", &context.container_workdir)];
    let configured = docker.env.iter().map(|(k, v)| (k.as_str(), v.value.as_str()));
    for (name, value) in configured.chain(request.env.iter().map(|(k, v)| (k.as_str(), v.as_str()))) {
        env.retain(|(n, _)| *n != name);
        env.push((name, value));
    }
    let mut out = vec!["exec".to_owned(), "-i".to_owned()];
    if request.tty {
        out.push("-t".to_owned());
    }
    out.extend(["-w".to_owned(), request.workdir.unwrap_or(&context.container_workdir).to_owned()]);
    for (name, value) in env {
        out.extend(["-e".to_owned(), format!("{name}={value}")]);
    }
    out.push(context.container_name.clone());
    out.extend(request.argv.iter().cloned());
    out
}
