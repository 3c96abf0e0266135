use super::Profile;
use crate::safe_bin::catalogue::built_in_texts;

#[test]
fn every_built_in_profile_is_read_and_names_itself() {
    for (names, text) in built_in_texts() {
        let profile = Profile::parse(text).unwrap_or_else(|e| panic!("{names:?}: {e}"));
        assert_eq!(profile.names().collect::<Vec<_>>(), names);
        assert!(profile.says().ends_with('.'), "{names:?}");
        assert!(text.lines().count() <= 130, "{names:?}: more than a screen");
    }
}
