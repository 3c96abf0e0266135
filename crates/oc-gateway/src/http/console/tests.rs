use super::super::route::{self, Route};
use super::*;
use crate::settings::{self, Flags, Resolved, Settings};

fn settings(control_ui: serde_json::Value) -> Settings {
    let token = "made-up-token-0123456789abcdef";
    let config =
        serde_json::json!({"gateway": {"mode": "local", "auth": {"token": token}, "controlUi": control_ui}});
    let tree = oc_types::Node::from_json(&config, &oc_types::Origin::Builtin);
    let token = Some(oc_types::Secret::new(token.to_owned()));
    let resolved = Resolved { token, password: None, hooks: None, failed: Vec::new() };
    settings::read(&tree, &oc_config::Environment::from_process([]), &Flags::default(), &resolved).unwrap()
}

/// What a request for a path gets: status, and the kind of the content.
fn got(path: &str, settings: &Settings) -> (u16, String) {
    let Ok(path) = route::canonical(path) else { return (400, String::new()) };
    let Route::Console(file) = route::of(&path, settings) else { return (404, String::new()) };
    let response = respond(&Method::GET, &file, &settings.control_ui);
    let kind = response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    (response.status().as_u16(), kind.to_owned())
}

#[test]
fn sp_342_the_console_serves_its_own_files_and_nothing_else() {
    let root = settings(serde_json::json!({}));
    for page in
        ["/", "/approvals", "/access", "/audit", "/reach", "/explain", "/sessions", "/ledger", "/logs"]
    {
        assert_eq!(got(page, &root), (200, "text/html; charset=utf-8".to_owned()), "{page}");
    }
    assert_eq!(got("/app.js", &root), (200, SCRIPT.to_owned()));
    for path in [
        "/.env",
        "/openclaw.json",
        "/.openclaw/openclaw.json",
        "/app.js.map",
        "/console.rs",
        "/etc/passwd.txt",
        "/credentials/oauth.json",
        "/index.htm",
        "/APP.JS",
    ] {
        assert_eq!(got(path, &root).0, 404, "{path}");
    }
    for path in [
        "/../openclaw.json",
        "/./app.js",
        "/a/../app.js",
        "/%2e%2e/openclaw.json",
        "/%2E%2E%2Fetc",
        "/..%2fetc",
        "/a%2fb",
        "/a\\..\\b",
        "//etc/passwd",
        "/a//b",
        "/%00",
        "/a%00.js",
        "/%252e%252e/",
        "/%c0%ae%c0%ae/",
        "/%5c..%5c",
    ] {
        assert_eq!(got(path, &root).0, 400, "{path}");
    }
    for path in ["/v1/app.js", "/tools/app.js", "/__openclaw__/app.js"] {
        assert_eq!(got(path, &root).0, 404, "{path}");
    }
    let below = settings(serde_json::json!({"basePath": "/desk"}));
    assert_eq!((got("/desk/audit", &below).0, got("/desk/app.js", &below).0), (200, 200));
    assert_eq!((got("/audit", &below).0, got("/app.js", &below).0, got("/desks", &below).0), (404, 404, 404));
    let off = settings(serde_json::json!({"enabled": false}));
    assert_eq!((got("/", &off).0, got("/app.js", &off).0), (404, 404));
    assert_eq!(respond(&Method::POST, "app.js", &root.control_ui).status(), 405);
}

#[test]
fn sp_356_every_answer_is_strict_and_no_file_needs_less() {
    let control_ui = settings(serde_json::json!({})).control_ui;
    for path in ["", "app.js", "style.css", "icon.svg", "approvals", "no-such.js"] {
        let response = respond(&Method::GET, path, &control_ui);
        let header =
            |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "style-src 'self';",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("data:") && !policy.contains('*'), "{policy}");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("permissions-policy").contains("camera=()"));
        assert_eq!(header("access-control-allow-origin"), "");
        assert_eq!(header("set-cookie"), "");
    }
    for (name, _, content) in FILES {
        let text = String::from_utf8_lossy(content);
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setAttribute(\"style\"",
            "javascript:",
        ] {
            assert!(!text.contains(word), "{name}: {word}");
        }
        if name == "index.html" {
            assert!(!text.contains("<style") && !text.contains("style="), "{text}");
            assert!(!["onload=", "onclick=", "onerror="].iter().any(|a| text.contains(a)), "{text}");
            assert_eq!(text.matches("<script").count(), text.matches("<script src=").count());
        }
    }
}

#[test]
fn sp_343_the_pages_put_no_secret_into_an_address_and_take_no_gateway_from_one() {
    for (name, _, content) in FILES {
        let text = String::from_utf8_lossy(content);
        assert!(!text.contains("location.search") && !text.contains("searchParams"), "{name} reads a query");
        let loads = text.matches("http://").count() + text.matches("https://").count();
        let names =
            text.matches("http://www.w3.org/").count() + text.matches("http://127.0.0.1:${port}").count();
        assert_eq!(loads, names, "{name} names another server");
        assert_eq!(text.contains("new WebSocket("), name == "wire.js", "{name}");
        assert!(!text.contains("localStorage"), "{name}");
    }
}
