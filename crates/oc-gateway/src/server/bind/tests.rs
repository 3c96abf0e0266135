use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn sp_009_loopback_is_loopback_and_lan_is_asked_for_by_name() {
    let found = addresses(BindMode::Loopback, None, &[ip("192.168.1.5")]).unwrap();
    assert!(found.iter().all(|(a, _)| a.is_loopback()));
    assert_eq!(addresses(BindMode::Auto, None, &[]).unwrap(), found);
    assert_eq!(addresses(BindMode::Lan, None, &[]).unwrap(), [(ip("0.0.0.0"), true)]);
}

#[test]
fn tailnet_takes_the_tailnet_address_and_nothing_wider() {
    let found = addresses(BindMode::Tailnet, None, &[ip("10.0.0.2"), ip("100.101.102.103")]).unwrap();
    assert_eq!(found.first(), Some(&(ip("100.101.102.103"), true)));
    assert!(found.iter().skip(1).all(|(a, needed)| a.is_loopback() && !needed));
    let without = addresses(BindMode::Tailnet, None, &[ip("10.0.0.2")]).unwrap();
    assert!(without.iter().all(|(a, _)| a.is_loopback()));
}

#[test]
fn a_custom_host_has_to_be_an_address() {
    assert_eq!(addresses(BindMode::Custom, Some("10.1.2.3"), &[]).unwrap(), [(ip("10.1.2.3"), true)]);
    for bad in [None, Some("localhost"), Some("::1"), Some("")] {
        let error = addresses(BindMode::Custom, bad, &[]).unwrap_err().to_string();
        assert!(error.contains("gateway.customBindHost"), "{error}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_this_machines_is_an_error_not_a_wider_bind() {
    let error = listen(&[(ip("192.0.2.1"), true)], 0).await.unwrap_err().to_string();
    assert!(error.contains("192.0.2.1") && error.contains("not widened"), "{error}");
}

#[tokio::test]
async fn a_taken_port_says_what_to_do() {
    let first = listen(&[(ip("127.0.0.1"), true)], 0).await.unwrap();
    let port = first[0].local_addr().unwrap().port();
    let error = listen(&[(ip("127.0.0.1"), true)], port).await.unwrap_err().to_string();
    assert!(error.contains("in use") && error.contains("openclaw gateway stop"), "{error}");
}
