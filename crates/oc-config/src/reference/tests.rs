use super::*;

const BEGIN: &str = "<!-- keys: generated, see crates/oc-config/src/reference.rs -->\n";
const END: &str = "<!-- keys: end -->\n";

#[test]
fn the_reference_page_lists_the_keys_of_the_tables() {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    let wanted = format!("\n{}\n", keys_markdown());
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        std::fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(listed, wanted, "run the tests of oc-config once with INSTA_UPDATE=always");
}
