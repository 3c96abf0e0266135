use super::commands::{Platform, allowed};
use crate::protocol::connect::{Client, ClientId, ClientMode};
use crate::settings::NodeRules;

fn client(platform: &str, family: Option<&str>) -> Client {
    Client {
        id: ClientId::NodeHost,
        display_name: None,
        version: "1".to_owned(),
        platform: platform.to_owned(),
        device_family: family.map(str::to_owned),
        model_identifier: None,
        mode: ClientMode::Node,
        instance_id: None,
    }
}

#[test]
fn sp_346_the_platform_decides_and_the_unknown_get_no_system_commands() {
    let rules = NodeRules::default();
    let has = |platform: &str, command: &str| allowed(&client(platform, None), &rules).contains(command);
    for platform in ["linux", "Linux 6.1", "darwin", "macOS 15", "win32"] {
        assert!(has(platform, "system.run"), "{platform}");
    }
    for platform in ["ios 18", "android", "haiku", "", "ｌinux", "lіnux"] {
        assert!(!has(platform, "system.run"), "{platform}");
        assert!(!has(platform, "camera.snap"), "{platform}: dangerous commands are off");
    }
    assert_eq!(Platform::of(&client("unknown", Some("iPad"))), Platform::Ios);
}

#[test]
fn refusing_wins_and_the_browser_switch_is_a_refusal() {
    let rules = NodeRules {
        allow: vec!["camera.snap".to_owned(), "system.run".to_owned()],
        deny: vec!["system.run".to_owned()],
        browser_off: true,
    };
    let got = allowed(&client("linux", None), &rules);
    assert!(got.contains("camera.snap"));
    assert!(!got.contains("system.run") && !got.contains("browser.proxy"));
}
