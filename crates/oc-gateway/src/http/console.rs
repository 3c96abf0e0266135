//! The web console's files: a fixed set inside the program, no folder on the disk (SP-342, SP-356).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, X_FRAME_OPTIONS};
use hyper::{Method, Response};

use super::answer;
use crate::settings::ControlUi;

#[cfg(test)]
mod tests;

/// What a page of the console may load and do: its own files, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self' ws: wss:; form-action 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";
/// What a page may ask of the browser.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

/// The kind of every module.
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files: name, kind, content.
const FILES: [(&str, &str, &[u8]); 19] = [
    ("index.html", "text/html; charset=utf-8", include_bytes!("../../console/index.html")),
    ("style.css", "text/css; charset=utf-8", include_bytes!("../../console/style.css")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../console/icon.svg")),
    ("app.js", SCRIPT, include_bytes!("../../console/app.js")),
    ("dom.js", SCRIPT, include_bytes!("../../console/dom.js")),
    ("parts.js", SCRIPT, include_bytes!("../../console/parts.js")),
    ("identity.js", SCRIPT, include_bytes!("../../console/identity.js")),
    ("wire.js", SCRIPT, include_bytes!("../../console/wire.js")),
    ("sign_in.js", SCRIPT, include_bytes!("../../console/sign_in.js")),
    ("approvals.js", SCRIPT, include_bytes!("../../console/approvals.js")),
    ("chat.js", SCRIPT, include_bytes!("../../console/chat.js")),
    ("said.js", SCRIPT, include_bytes!("../../console/said.js")),
    ("access.js", SCRIPT, include_bytes!("../../console/access.js")),
    ("audit.js", SCRIPT, include_bytes!("../../console/audit.js")),
    ("reach.js", SCRIPT, include_bytes!("../../console/reach.js")),
    ("explain.js", SCRIPT, include_bytes!("../../console/explain.js")),
    ("sessions.js", SCRIPT, include_bytes!("../../console/sessions.js")),
    ("ledger.js", SCRIPT, include_bytes!("../../console/ledger.js")),
    ("logs.js", SCRIPT, include_bytes!("../../console/logs.js")),
];

/// Answers. A path that names no file and has no dot is a page of the console: the one document.
#[must_use]
pub fn respond(method: &Method, path: &str, settings: &ControlUi) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return dressed(answer::not_allowed("GET, HEAD"));
    }
    if path == "ui" && settings.base_path.is_empty() {
        return dressed(answer::plain(404, "Not Found"));
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let named = FILES.iter().find(|(file, _, _)| *file == path || *file == name && !name.is_empty());
    let page = || FILES.iter().find(|(file, _, _)| *file == "index.html");
    match named.or_else(|| (!name.contains('.')).then(page).flatten()) {
        Some((_, kind, content)) => dressed(answer::typed(200, kind, Bytes::from_static(content))),
        None => dressed(answer::plain(404, "Not Found")),
    }
}

fn dressed(response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let response = answer::with(response, CONTENT_SECURITY_POLICY, POLICY);
    let response = answer::with(response, X_FRAME_OPTIONS, "DENY");
    let response = answer::with(response, HeaderName::from_static("permissions-policy"), PERMISSIONS);
    answer::with(response, CACHE_CONTROL, "no-cache")
}
