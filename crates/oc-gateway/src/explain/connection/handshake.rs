//! A handshake like the one in the question, signed with a key that exists for the answer only.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::{Asked, ClientIs, DeviceIs, shown};
use crate::authority::{Scope, Scopes};
use crate::devices::{Actor, Ask, Devices};
use crate::entrance::device::{Device, device_id};
use crate::protocol::connect::{Client, ClientId, ClientMode, Connect, DeviceProof, Role};

/// The challenge of the pretended socket.
pub(super) const CHALLENGE: &str = "the challenge";
/// The moment of the pretended handshake, in milliseconds since 1970.
pub(super) const NOW: u64 = 1_700_000_000_000;
/// The key of the pretended device.
const SEED: [u8; 32] = [7; 32];

/// The handshake, and what is paired.
pub(super) struct Made {
    pub(super) connect: Connect,
    pub(super) devices: Devices,
}

/// Makes it.
pub(super) fn make(asked: &Asked<'_>) -> Made {
    let (id, mode) = match asked.question.client {
        ClientIs::Cli => (ClientId::Cli, ClientMode::Cli),
        ClientIs::ControlUi => (ClientId::ControlUi, ClientMode::Ui),
        ClientIs::Node => (ClientId::NodeHost, ClientMode::Node),
        ClientIs::Backend => (ClientId::GatewayClient, ClientMode::Backend),
    };
    let scopes = match asked.role {
        Role::Operator => vec![Scope::Admin.word().to_owned()],
        Role::Node => Vec::new(),
    };
    let (token, password) = shown(asked.question.auth);
    let auth = json!({ "token": token, "password": password });
    let mut connect = Connect {
        min_protocol: crate::protocol::VERSION,
        max_protocol: crate::protocol::VERSION,
        client: Client {
            id,
            display_name: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: std::env::consts::OS.to_owned(),
            device_family: None,
            model_identifier: None,
            mode,
            instance_id: None,
        },
        caps: Vec::new(),
        commands: Vec::new(),
        permissions: std::collections::BTreeMap::new(),
        path_env: None,
        role: Some(asked.role.word().to_owned()),
        scopes: Some(scopes.clone()),
        device: None,
        auth: serde_json::from_value(auth).ok(),
        locale: None,
        user_agent: None,
    };
    let mut devices = Devices::default();
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).ok();
    let key = pair.as_ref().and_then(|p| <[u8; 32]>::try_from(p.public_key().as_ref()).ok());
    if let (Some(pair), Some(key), DeviceIs::New | DeviceIs::Paired) = (pair, key, asked.question.device) {
        let device = Device { id: device_id(&key), public_key: BASE64URL_NOPAD.encode(&key) };
        let text = format!(
            "v2|{}|{}|{}|{}|{}|{NOW}|{}|{CHALLENGE}",
            device.id,
            id.word(),
            mode.word(),
            asked.role.word(),
            scopes.join(","),
            token.unwrap_or_default(),
        );
        connect.device = Some(DeviceProof {
            id: device.id.clone(),
            public_key: device.public_key.clone(),
            signature: BASE64URL_NOPAD.encode(pair.sign(text.as_bytes()).as_ref()),
            signed_at: NOW,
            nonce: Some(CHALLENGE.to_owned()),
        });
        if asked.question.device == DeviceIs::Paired {
            approve(&mut devices, device, asked.role, &scopes);
        }
    }
    Made { connect, devices }
}

fn approve(devices: &mut Devices, device: Device, role: Role, scopes: &[String]) {
    let ask = Ask {
        device,
        role,
        scopes: Scopes::read(scopes.iter().map(String::as_str)),
        display_name: None,
        platform: std::env::consts::OS.to_owned(),
        client_id: String::new(),
        client_mode: String::new(),
        commands: None,
        remote_ip: None,
        silent: false,
    };
    let admin = Actor { scopes: Scopes::from_iter([Scope::Admin]), device: None };
    if let Ok((id, _)) = devices.ask(ask, "request".to_owned(), NOW) {
        let _ = devices.approve(&id, &admin, "a token of the pretended device".to_owned(), NOW);
    }
}
