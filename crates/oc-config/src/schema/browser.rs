//! `browser`: the browser that tools drive.

use super::kind::*;

/// `browser`.
pub(super) const BROWSER: Kind = object(&[
    key("enabled", BOOL),
    key("evaluateEnabled", BOOL),
    key("cdpUrl", TEXT),
    key("remoteCdpTimeoutMs", COUNT),
    key("remoteCdpHandshakeTimeoutMs", COUNT),
    key("relayBindHost", TEXT).product(),
    key(
        "ssrfPolicy",
        object(&[
            key("dangerouslyAllowPrivateNetwork", BOOL).dangerous(Lowered::On),
            key("allowedHostnames", TEXTS),
            key("hostnameAllowlist", TEXTS),
        ]),
    )
    .product(),
    key(
        "extensionRelay",
        object(&[key("enabled", BOOL), key("allowLegacyAuth", BOOL).dangerous(Lowered::On)]),
    )
    .product(),
    key("color", TEXT),
    key("executablePath", TEXT),
    key("headless", BOOL),
    key("noSandbox", BOOL),
    key("attachOnly", BOOL),
    key("defaultProfile", TEXT),
    key("snapshotDefaults", object(&[key("mode", word(&["efficient"]))])),
    key(
        "profiles",
        map(&object(&[
            key("cdpPort", integer(1.0, 65_535.0)),
            key("cdpUrl", TEXT),
            key("userDataDir", TEXT).product(),
            key(
                "driver",
                either(&[word(&["clawd", "extension"]), product_word(&["openclaw", "existing-session"])]),
            ),
            key("color", form(Form::HexColor)).required(),
        ])),
    ),
]);
