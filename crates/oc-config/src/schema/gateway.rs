//! `gateway`, `discovery`, `canvasHost`, `nodeHost`, `web`: what listens, for whom, and how it is found.

use super::kind::*;

/// `gateway`.
pub(super) const GATEWAY: Kind = object(&[
    key("port", Kind::Port),
    key("mode", word(&["local", "remote"])),
    key("bind", word(&["auto", "lan", "loopback", "custom", "tailnet"])),
    key(
        "controlUi",
        object(&[
            key("enabled", BOOL),
            key("basePath", TEXT),
            key("root", TEXT),
            key("allowedOrigins", TEXTS).dangerous(Lowered::Word("*")),
            key("allowInsecureAuth", BOOL).dangerous(Lowered::On),
            key("dangerouslyDisableDeviceAuth", BOOL).dangerous(Lowered::On),
            key("dangerouslyAllowHostHeaderOriginFallback", BOOL).product().dangerous(Lowered::On),
        ]),
    ),
    key(
        "auth",
        object(&[
            key("mode", either(&[word(&["token", "password"]), product_word(&["none", "trusted-proxy"])]))
                .dangerous(Lowered::Word("none")),
            key("token", SECRET),
            key("password", SECRET),
            key("allowTailscale", BOOL),
            key(
                "rateLimit",
                object(&[
                    key("maxAttempts", POSITIVE),
                    key("windowMs", POSITIVE),
                    key("lockoutMs", POSITIVE),
                    key("exemptLoopback", BOOL),
                ]),
            )
            .product(),
            key(
                "trustedProxy",
                object(&[
                    key("userHeader", TEXT),
                    key("requiredHeaders", TEXTS),
                    key("allowUsers", TEXTS),
                    key("allowLoopback", BOOL).dangerous(Lowered::On),
                    key(
                        "deviceAutoApprove",
                        object(&[key("enabled", BOOL).dangerous(Lowered::On), key("scopes", TEXTS)]),
                    ),
                ]),
            )
            .product(),
        ]),
    ),
    key("customBindHost", TEXT).product(),
    key("allowRealIpFallback", BOOL).product().dangerous(Lowered::On),
    key("tools", object(&[key("allow", TEXTS), key("deny", TEXTS)])).product(),
    key("trustedProxies", TEXTS),
    key("tailscale", object(&[key("mode", word(&["off", "serve", "funnel"])), key("resetOnExit", BOOL)])),
    key(
        "remote",
        object(&[
            key("url", TEXT),
            key("transport", word(&["ssh", "direct"])),
            key("token", SECRET),
            key("password", SECRET),
            key("tlsFingerprint", TEXT),
            key("sshTarget", TEXT),
            key("sshIdentity", TEXT),
        ]),
    ),
    key(
        "reload",
        object(&[key("mode", word(&["off", "restart", "hot", "hybrid"])), key("debounceMs", COUNT)]),
    ),
    key(
        "tls",
        object(&[
            key("enabled", BOOL),
            key("autoGenerate", BOOL),
            key("certPath", TEXT),
            key("keyPath", TEXT),
            key("caPath", TEXT),
        ]),
    ),
    key(
        "http",
        object(&[key(
            "endpoints",
            object(&[
                key("chatCompletions", object(&[key("enabled", BOOL)])),
                key(
                    "responses",
                    object(&[
                        key("enabled", BOOL),
                        key("maxBodyBytes", POSITIVE),
                        key(
                            "files",
                            object(&[
                                key("allowUrl", BOOL),
                                key("allowedMimes", TEXTS),
                                key("maxBytes", POSITIVE),
                                key("maxChars", POSITIVE),
                                key("maxRedirects", COUNT),
                                key("timeoutMs", POSITIVE),
                                key(
                                    "pdf",
                                    object(&[
                                        key("maxPages", POSITIVE),
                                        key("maxPixels", POSITIVE),
                                        key("minTextChars", COUNT),
                                    ]),
                                ),
                            ]),
                        ),
                        key(
                            "images",
                            object(&[
                                key("allowUrl", BOOL),
                                key("allowedMimes", TEXTS),
                                key("maxBytes", POSITIVE),
                                key("maxRedirects", COUNT),
                                key("timeoutMs", POSITIVE),
                            ]),
                        ),
                    ]),
                ),
            ]),
        )]),
    ),
    key(
        "nodes",
        object(&[
            key("browser", object(&[key("mode", word(&["auto", "manual", "off"])), key("node", TEXT)])),
            key("commands", object(&[key("allow", TEXTS), key("deny", TEXTS)])).product(),
            key("allowCommands", TEXTS),
            key("denyCommands", TEXTS),
        ]),
    ),
]);

/// `discovery`.
pub(super) const DISCOVERY: Kind = object(&[
    key("wideArea", object(&[key("enabled", BOOL), key("domain", TEXT).product()])),
    key("mdns", object(&[key("mode", word(&["off", "minimal", "full"]))])),
]);

/// `canvasHost`.
pub(super) const CANVAS_HOST: Kind =
    object(&[key("enabled", BOOL), key("root", TEXT), key("port", Kind::Port), key("liveReload", BOOL)]);

/// `nodeHost`.
pub(super) const NODE_HOST: Kind =
    object(&[key("browserProxy", object(&[key("enabled", BOOL), key("allowProfiles", TEXTS)]))]);

/// `web`.
pub(super) const WEB: Kind = object(&[
    key("enabled", BOOL),
    key("heartbeatSeconds", POSITIVE),
    key(
        "reconnect",
        object(&[
            key("initialMs", ABOVE_ZERO),
            key("maxMs", ABOVE_ZERO),
            key("factor", ABOVE_ZERO),
            key("jitter", SHARE),
            key("maxAttempts", COUNT),
        ]),
    ),
]);
