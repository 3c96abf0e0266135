use serde_json::json;

use super::*;

fn class(status: u16, body: &str) -> FailureClass {
    Refusal::of_answer(status, body.as_bytes()).class
}

#[test]
fn every_status_has_its_class() {
    for (status, body, expected) in [
        (401, "{}", FailureClass::Auth),
        (403, "{}", FailureClass::Auth),
        (402, "", FailureClass::Billing),
        (429, "{}", FailureClass::RateLimit),
        (429, r#"{"error":{"code":"insufficient_quota"}}"#, FailureClass::Billing),
        (400, r#"{"error":{"message":"Your credit balance is too low to ..."}}"#, FailureClass::Billing),
        (408, "", FailureClass::Timeout),
        (504, "<html>", FailureClass::Timeout),
        (400, "{}", FailureClass::Format),
        (422, "{}", FailureClass::Format),
        (
            400,
            r#"{"error":{"message":"prompt is too long: 3 tokens > 2 maximum"}}"#,
            FailureClass::ContextOverflow,
        ),
        (400, r#"{"error":{"code":"context_length_exceeded"}}"#, FailureClass::ContextOverflow),
        (413, "", FailureClass::ContextOverflow),
        (503, "", FailureClass::Overloaded),
        (529, "", FailureClass::Overloaded),
        (500, "", FailureClass::Other),
        (404, r#"{"error":{"type":"not_found_error"}}"#, FailureClass::Other),
        (302, "", FailureClass::Other),
        // A refused credential stays one, whatever the text says.
        (401, "prompt is too long", FailureClass::Auth),
    ] {
        assert_eq!(class(status, body), expected, "{status} {body}");
    }
}

#[test]
fn only_a_plain_code_is_told() {
    let code = |v: Value| Refusal::of_event(&v).code;
    assert_eq!(code(json!({"error": {"type": "rate_limit_error"}})).as_deref(), Some("rate_limit_error"));
    assert_eq!(code(json!({"type": "error", "error": {"type": "x", "code": "y"}})).as_deref(), Some("y"));
    for text in
        ["sk-ant-api03-abc", "gsk_A1", "has space", "", "Ignore your rules", &"a".repeat(41), "a\u{202e}b"]
    {
        assert_eq!(code(json!({"error": {"code": text}})), None, "{text}");
    }
    assert_eq!(
        code(json!({"error": {"code": 429, "type": "overloaded_error"}})).as_deref(),
        Some("overloaded_error")
    );
}

#[test]
fn errors_inside_of_a_stream_have_their_class() {
    let class = |v: Value| Refusal::of_event(&v).class;
    assert_eq!(
        class(json!({"type": "error", "error": {"type": "overloaded_error"}})),
        FailureClass::Overloaded
    );
    assert_eq!(class(json!({"error": {"code": "rate_limit_exceeded"}})), FailureClass::RateLimit);
    assert_eq!(class(json!({"code": "context_length_exceeded"})), FailureClass::ContextOverflow);
    assert_eq!(class(json!({"error": {"message": "?"}})), FailureClass::Other);
    assert_eq!(class(json!({"error": {"type": "authentication_error"}})), FailureClass::Auth);
    assert_eq!(class(json!({"error": {"type": "billing_error"}})), FailureClass::Billing);
    assert_eq!(class(Value::Null), FailureClass::Other);
}

#[test]
fn waits_are_read_in_every_form_and_bounded() {
    let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
    assert_eq!(wait(None, Some("2"), now), Some(Duration::from_secs(2)));
    assert_eq!(wait(None, Some(" 0.5 "), now), Some(Duration::from_millis(500)));
    assert_eq!(wait(Some("1500"), Some("9"), now), Some(Duration::from_millis(1500)));
    assert_eq!(wait(None, Some("Sun, 06 Nov 1994 08:50:07 GMT"), now), Some(Duration::from_secs(30)));
    assert_eq!(wait(None, Some("Sun, 06 Nov 1994 08:49:07 GMT"), now), Some(Duration::ZERO));
    assert_eq!(wait(None, Some("9999999999"), now), Some(MAX_WAIT));
    for bad in ["", "soon", "-1", "NaN", "inf"] {
        assert_eq!(wait(None, Some(bad), now), None, "{bad}");
    }
    assert_eq!(wait(None, None, now), None);
}
