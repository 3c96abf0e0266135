//! What the profile is set to before every start: no sync, no password manager, no prompts, downloads in their own folder.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::failure::BrowserFailure;
use crate::places::Places;

/// Largest file of preferences that is read, in bytes; Chromium's own grow to some hundred kilobytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// The settings, by dotted name.
fn wanted(downloads: &Path) -> Vec<(&'static str, Value)> {
    let folder = downloads.to_string_lossy().into_owned();
    // 2 is "blocked".
    let blocked = json!({
        "geolocation": 2, "notifications": 2, "media_stream_camera": 2, "media_stream_mic": 2, "midi_sysex": 2, "usb_guard": 2,
        "serial_guard": 2, "hid_guard": 2, "bluetooth_guard": 2, "clipboard": 2, "file_system_write_guard": 2, "local_fonts": 2,
        "window_placement": 2, "idle_detection": 2,
    });
    vec![
        ("signin.allowed", false.into()),
        ("signin.allowed_on_next_startup", false.into()),
        ("sync.requested", false.into()),
        ("credentials_enable_service", false.into()),
        ("credentials_enable_autosignin", false.into()),
        ("profile.password_manager_enabled", false.into()),
        ("profile.password_manager_leak_detection", false.into()),
        ("profile.default_content_setting_values", blocked),
        ("autofill.profile_enabled", false.into()),
        ("autofill.credit_card_enabled", false.into()),
        ("payments.can_make_payment_enabled", false.into()),
        ("search.suggest_enabled", false.into()),
        ("alternate_error_pages.enabled", false.into()),
        ("net.network_prediction_options", 2.into()),
        ("webrtc.ip_handling_policy", "disable_non_proxied_udp".into()),
        ("translate.enabled", false.into()),
        ("download.default_directory", folder.clone().into()),
        ("download.prompt_for_download", false.into()),
        ("savefile.default_directory", folder.into()),
        ("plugins.always_open_pdf_externally", true.into()),
        ("browser.check_default_browser", false.into()),
        ("background_mode.enabled", false.into()),
    ]
}

/// Writes them into the profile; what else stands there stays. Blocking.
pub(crate) fn write(places: &Places) -> Result<(), BrowserFailure> {
    let failed = |e: &dyn std::fmt::Display| BrowserFailure::Profile(oc_text::visible(&e.to_string(), 300));
    let folder = places.user_data.join("Default");
    oc_fs::mode::create_directories(&folder).map_err(|e| failed(&e))?;
    let file = folder.join("Preferences");
    // A file that cannot be read holds no setting that would be missed.
    let text = oc_fs::bounded_read::text(&file, LARGEST).unwrap_or_default();
    let mut all: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    for (name, value) in wanted(&places.downloads) {
        set(&mut all, name, value);
    }
    let text = Value::Object(all).to_string();
    oc_fs::atomic::replace(&file, text.as_bytes()).map_err(|e| failed(&e))
}

fn set(all: &mut Map<String, Value>, name: &str, value: Value) {
    let Some((first, rest)) = name.split_once('.') else {
        all.insert(name.to_owned(), value);
        return;
    };
    let inner = all.entry(first).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    if let Value::Object(inner) = inner {
        set(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_puts_the_settings_back_and_keeps_the_rest() {
        let tmp = tempfile::tempdir().unwrap();
        let places = Places::prepare(tmp.path()).unwrap();
        let file = places.user_data.join("Default/Preferences");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let before = json!({"credentials_enable_service": true, "profile": {"name": "x"}, "signin": 1});
        std::fs::write(&file, before.to_string()).unwrap();
        write(&places).unwrap();
        let after: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(after["credentials_enable_service"], false);
        assert_eq!(after["profile"]["name"], "x");
        assert_eq!(after["profile"]["password_manager_enabled"], false);
        assert_eq!(after["signin"]["allowed"], false);
        assert_eq!(after["download"]["default_directory"], json!(places.downloads));
        std::fs::write(&file, "no JSON").unwrap();
        write(&places).unwrap();
        assert!(serde_json::from_str::<Value>(&std::fs::read_to_string(&file).unwrap()).is_ok());
    }
}
