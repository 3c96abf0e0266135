//! What Chromium is started with: its switches and its variables. Pure.

use std::path::Path;

use crate::places::USER_DATA;

/// Features of Chromium that talk to somebody by themselves, or to people who are not there.
const FEATURES_OFF: &str = "--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,CertificateTransparencyComponentUpdater,\
     DialMediaRouteProvider,InterestFeedContentSuggestions,PasswordManagerOnboarding,NetworkTimeServiceQuerying,WebOTP,DnsOverHttps";

/// Switches that never change.
const ALWAYS: [&str; 33] = [
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--no-pings",
    "--disable-sync",
    "--allow-browser-signin=false",
    "--password-store=basic",
    "--use-mock-keychain",
    "--disable-save-password-bubble",
    "--disable-extensions",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps",
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-field-trial-config",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--metrics-recording-only",
    "--disable-prompt-on-repost",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-search-engine-choice-screen",
    "--disable-notifications",
    "--disable-print-preview",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    FEATURES_OFF,
];

/// Whether it shows a window, and whether its own sandbox is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looks {
    /// No window.
    pub headless: bool,
    /// Without Chromium's own sandbox.
    pub no_sandbox: bool,
}

/// The switches for a profile behind a guard.
pub(crate) fn switches(user_data: &Path, guard: u16, looks: Looks) -> Vec<String> {
    let mut out: Vec<String> = ALWAYS.iter().map(|s| (*s).to_owned()).collect();
    out.push(format!("{USER_DATA}{}", user_data.display()));
    out.push(format!("--proxy-server=http://127.0.0.1:{guard}"));
    // Loopback too goes through the guard.
    out.push("--proxy-bypass-list=<-loopback>".to_owned());
    out.push("--window-size=1280,900".to_owned());
    if looks.headless {
        out.push("--headless=new".to_owned());
        out.push("--hide-scrollbars".to_owned());
        out.push("--mute-audio".to_owned());
    }
    if looks.no_sandbox {
        out.push("--no-sandbox".to_owned());
    }
    out.push("about:blank".to_owned());
    out
}

/// Variables that a window needs.
const DISPLAY: [&str; 4] = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR"];
/// Variables that are handed on always.
const PLAIN: [&str; 5] = ["PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// Whether there is a display.
pub(crate) fn has_display(environment: &[(String, String)]) -> bool {
    environment.iter().any(|(name, value)| DISPLAY.iter().take(2).any(|d| d == name) && !value.is_empty())
}

/// The variables: nothing of the owner's but what is listed, and a home of its own.
pub(crate) fn variables(
    environment: &[(String, String)],
    home: &Path,
    headless: bool,
) -> Vec<(String, String)> {
    let wanted = |name: &str| PLAIN.contains(&name) || (!headless && DISPLAY.contains(&name));
    let mut out: Vec<(String, String)> =
        environment.iter().filter(|(name, _)| wanted(name)).cloned().collect();
    let home = home.to_string_lossy().into_owned();
    for (name, below) in [
        ("HOME", ""),
        ("XDG_CONFIG_HOME", "/.config"),
        ("XDG_CACHE_HOME", "/.cache"),
        ("XDG_DATA_HOME", "/.local/share"),
    ] {
        out.push((name.to_owned(), format!("{home}{below}")));
    }
    // No keyring, no portal, no notification service of the owner's session.
    out.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), "disabled:".to_owned()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_no_port_no_sync_no_passwords_and_its_own_profile() {
        let looks = Looks { headless: true, no_sandbox: false };
        let got = switches(Path::new("/s/browser/openclaw/user-data"), 4242, looks);
        for wanted in [
            "--remote-debugging-pipe",
            "--disable-sync",
            "--password-store=basic",
            "--disable-background-networking",
            "--no-first-run",
            "--proxy-server=http://127.0.0.1:4242",
            "--proxy-bypass-list=<-loopback>",
            "--user-data-dir=/s/browser/openclaw/user-data",
            "--headless=new",
        ] {
            assert!(got.iter().any(|s| s == wanted), "{wanted}");
        }
        assert!(
            !got.iter()
                .any(|s| s.contains("debugging-port") || s == "--no-sandbox" || s.contains("load-extension"))
        );
        assert!(
            switches(Path::new("/x"), 1, Looks { headless: false, no_sandbox: true })
                .contains(&"--no-sandbox".to_owned())
        );
    }

    #[test]
    fn the_owners_variables_stay_behind() {
        let own = [
            ("PATH", "/usr/bin"),
            ("HOME", "/home/me"),
            ("ANTHROPIC_API_KEY", "sk-x"),
            ("HTTPS_PROXY", "http://elsewhere"),
            ("DISPLAY", ":0"),
            ("LD_PRELOAD", "/x.so"),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/bus"),
            ("CHROMIUM_FLAGS", "--remote-debugging-port=9222"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
        let got = variables(&own, Path::new("/s/home"), true);
        let names: Vec<&str> = got.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(
            names,
            [
                "PATH",
                "HOME",
                "XDG_CONFIG_HOME",
                "XDG_CACHE_HOME",
                "XDG_DATA_HOME",
                "DBUS_SESSION_BUS_ADDRESS"
            ]
        );
        assert!(got.contains(&("HOME".to_owned(), "/s/home".to_owned())));
        assert!(
            variables(&own, Path::new("/s/home"), false).contains(&("DISPLAY".to_owned(), ":0".to_owned()))
        );
        assert!(has_display(&own) && !has_display(&own[..4]));
    }
}
