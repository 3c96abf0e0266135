//! The first request of a connection: who the client is and what it asks for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::VERSION;
use super::frame::{Close, Code, Failure};

#[cfg(test)]
mod tests;

/// `connect` parameters, exactly as sent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connect {
    /// Oldest version the client speaks.
    pub min_protocol: u32,
    /// Newest version the client speaks.
    pub max_protocol: u32,
    /// The program.
    pub client: Client,
    /// What it can handle (`tool-events`).
    #[serde(default)]
    pub caps: Vec<String>,
    /// Commands that a node offers.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Permissions that a node's system gave it.
    #[serde(default)]
    pub permissions: BTreeMap<String, bool>,
    /// A node's search path.
    #[serde(default)]
    pub path_env: Option<String>,
    /// `operator` or `node`.
    #[serde(default)]
    pub role: Option<String>,
    /// Scopes that are asked for.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// The device's proof.
    #[serde(default)]
    pub device: Option<DeviceProof>,
    /// Shared secrets and device tokens.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Language.
    #[serde(default)]
    pub locale: Option<String>,
    /// A browser's name.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// The program that connects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// One of the known ids.
    pub id: ClientId,
    /// For lists.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Its version.
    pub version: String,
    /// Its system.
    pub platform: String,
    /// Kind of device.
    #[serde(default)]
    pub device_family: Option<String>,
    /// Model of the device.
    #[serde(default)]
    pub model_identifier: Option<String>,
    /// How it is used.
    pub mode: ClientMode,
    /// One running copy of it.
    #[serde(default)]
    pub instance_id: Option<String>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
        #[expect(missing_docs, reason = "the words of the protocol name themselves")]
        pub enum $name { $(#[serde(rename = $word)] $variant,)* }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// Programs that may connect.
    ClientId {
        WebchatUi = "webchat-ui",
        ControlUi = "openclaw-control-ui",
        Webchat = "webchat",
        Cli = "cli",
        GatewayClient = "gateway-client",
        MacOs = "openclaw-macos",
        Ios = "openclaw-ios",
        Android = "openclaw-android",
        NodeHost = "node-host",
        Test = "test",
        Fingerprint = "fingerprint",
        Probe = "openclaw-probe",
    }
}

words! {
    /// How a program is used.
    ClientMode {
        Webchat = "webchat",
        Cli = "cli",
        Ui = "ui",
        Backend = "backend",
        Node = "node",
        Probe = "probe",
        Test = "test",
    }
}

/// The device's proof, checked by [`crate::entrance::device`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceProof {
    /// SHA-256 of the key, hexadecimal.
    pub id: String,
    /// The key, base64url.
    pub public_key: String,
    /// The signature, base64url.
    pub signature: String,
    /// When it was signed, in milliseconds since 1970.
    pub signed_at: u64,
    /// The challenge it answers.
    #[serde(default)]
    pub nonce: Option<String>,
}

/// What the client shows. There is no `Debug`, so that it cannot reach a log by accident.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Auth {
    /// The shared token, or a device token.
    #[serde(default)]
    pub token: Option<String>,
    /// The shared password.
    #[serde(default)]
    pub password: Option<String>,
    /// A device token, as newer clients send it.
    #[serde(default)]
    pub device_token: Option<String>,
    /// Newer clients send it; it is not used.
    #[serde(default)]
    pub bootstrap_token: Option<String>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Auth(not shown)")
    }
}

/// Which side of the gateway a connection is on. Their methods are disjoint (SP-347).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A person's client.
    Operator,
    /// A device that offers commands.
    Node,
}

impl Role {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Node => "node",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "operator" => Some(Self::Operator),
            "node" => Some(Self::Node),
            _ => None,
        }
    }
}

/// A handshake that is refused before any credential is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The answer.
    pub failure: Failure,
    /// How the socket is closed then.
    pub close: Close,
    /// The log's cause.
    pub cause: &'static str,
}

impl Connect {
    /// Reads the parameters and settles version and role: the first three rows of the handshake table.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(params: Value) -> Result<(Self, Role), Box<Refused>> {
        let refuse = |message: &str, close, cause| {
            Box::new(Refused { failure: Failure::new(Code::InvalidRequest, message), close, cause })
        };
        let connect: Self = serde_json::from_value(params).map_err(|_| {
            refuse(
                "the connect parameters are not as the protocol wants them",
                Close::Policy,
                "invalid-handshake",
            )
        })?;
        if connect.min_protocol == 0 || !(connect.min_protocol..=connect.max_protocol).contains(&VERSION) {
            let mut refused = refuse("protocol mismatch", Close::Protocol, "protocol-mismatch");
            refused.failure.details = Some(serde_json::json!({"expectedProtocol": VERSION}));
            return Err(refused);
        }
        let role = connect.role.as_deref().map_or(Some(Role::Operator), Role::parse);
        let role =
            role.ok_or_else(|| refuse("the role is operator or node", Close::Policy, "invalid-role"))?;
        Ok((connect, role))
    }
}
