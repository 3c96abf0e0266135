use oc_types::Origin;
use serde_json::{Value, json};

use super::*;

fn reach(policy: Value) -> Reach {
    Reach::of(Some(&Node::from_json(&policy, &Origin::Default)))
}

/// A host that resolves to an address: both looks that the guard takes.
fn reaches(reach: &Reach, host: &str, address: &str) -> bool {
    reach.permits_host(host) && reach.permits_address(host, address.parse().unwrap())
}

#[test]
fn without_a_word_of_the_owner_only_the_public_internet_is_reached() {
    for reach in [
        Reach::default(),
        reach(json!({})),
        reach(json!({"allowedHostnames": [7], "dangerouslyAllowPrivateNetwork": "yes"})),
    ] {
        assert!(reaches(&reach, "example.org", "93.184.216.34"));
        for (host, address) in [
            ("example.org", "127.0.0.1"),
            ("example.org", "10.0.0.1"),
            ("example.org", "169.254.169.254"),
            ("example.org", "::ffff:192.168.0.1"),
            ("localhost", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("printer.local", "93.184.216.34"),
            ("0x7f.1", "93.184.216.34"),
            ("metadata.google.internal", "93.184.216.34"),
        ] {
            assert!(!reaches(&reach, host, address), "{host} {address}");
        }
    }
}

#[test]
fn a_named_host_may_be_inside_and_no_other() {
    let reach = reach(json!({"allowedHostnames": ["Wiki.Corp.Example.", "127.0.0.1"]}));
    assert!(reaches(&reach, "wiki.corp.example", "10.0.0.7"));
    assert!(reaches(&reach, "127.0.0.1", "127.0.0.1"));
    assert!(reaches(&reach, "[::ffff:127.0.0.1]", "127.0.0.1"));
    for (host, address) in [
        ("other.corp.example", "10.0.0.7"),
        ("localhost", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("wiki.corp.example", "169.254.169.254"),
        ("wiki.corp.example", "0.0.0.0"),
    ] {
        assert!(!reaches(&reach, host, address), "{host} {address}");
    }
}

#[test]
fn the_private_network_is_opened_by_its_key_but_never_the_metadata_service() {
    let reach = reach(json!({"dangerouslyAllowPrivateNetwork": true}));
    for (host, address) in
        [("localhost", "127.0.0.1"), ("printer.local", "192.168.1.9"), ("10.1.2.3", "10.1.2.3")]
    {
        assert!(reaches(&reach, host, address), "{host} {address}");
    }
    for (host, address) in [
        ("169.254.169.254", "169.254.169.254"),
        ("metadata.google.internal", "169.254.169.254"),
        ("x.example", "fe80::1"),
        ("x.example", "224.0.0.1"),
    ] {
        assert!(!reaches(&reach, host, address), "{host} {address}");
    }
}

#[test]
fn a_list_of_hosts_leaves_only_those() {
    let reach =
        reach(json!({"hostnameAllowlist": ["*.example.org", "example.net"], "allowedHostnames": ["box"]}));
    for host in ["a.example.org", "b.a.example.org", "example.net"] {
        assert!(reaches(&reach, host, "93.184.216.34"), "{host}");
    }
    assert!(reaches(&reach, "box", "10.0.0.1"));
    for host in ["example.org", "badexample.org", "x.example.net", "93.184.216.34"] {
        assert!(!reaches(&reach, host, "93.184.216.34"), "{host}");
    }
    assert!(!reaches(&reach, "a.example.org", "10.0.0.1"));
}

#[test]
fn a_list_of_hosts_in_which_nothing_can_be_used_leaves_none_and_an_empty_one_is_none() {
    for list in [json!(["", "  "]), json!([7]), json!([null]), json!("example.org"), json!({})] {
        let of = reach(json!({"hostnameAllowlist": list, "allowedHostnames": ["box"]}));
        assert!(!reaches(&of, "example.org", "93.184.216.34"), "{list}");
        assert!(reaches(&of, "box", "93.184.216.34"), "{list}");
    }
    for list in [json!([]), json!(null)] {
        assert!(
            reaches(&reach(json!({"hostnameAllowlist": list})), "example.org", "93.184.216.34"),
            "{list}"
        );
    }
}

#[test]
fn the_metadata_services_inside_private_ranges_are_not_reached_whatever_is_switched_on() {
    let all = json!({
        "dangerouslyAllowPrivateNetwork": true,
        "allowedHostnames": ["x.example", "100.100.100.200", "fd00:ec2::254"],
    });
    let reach = reach(all);
    for (host, address) in [
        ("x.example", "100.100.100.200"),
        ("x.example", "fd00:ec2::254"),
        ("x.example", "::ffff:100.100.100.200"),
        ("100.100.100.200", "100.100.100.200"),
        ("[fd00:ec2::254]", "fd00:ec2::254"),
    ] {
        assert!(!reaches(&reach, host, address), "{host} {address}");
    }
    for (host, address) in [("x.example", "100.100.100.201"), ("x.example", "fd00:ec2::253")] {
        assert!(reaches(&reach, host, address), "{host} {address}");
    }
}
