use super::*;
use crate::model::wire::Quirks;

fn target(api: Api) -> Target {
    Target {
        api,
        provider: "p".to_owned(),
        model: "m".to_owned(),
        images: false,
        reasoning: false,
        max_tokens: 100,
        temperature: None,
        quirks: Quirks::default(),
    }
}

#[test]
fn a_partial_answer_says_that_it_is_one() {
    let mut reading = Reading::new(target(Api::OpenAiCompletions));
    reading.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n", &mut |_| {}).unwrap();
    assert!(!reading.is_whole());
    let (fault, partial) = reading.end(&mut |_| {}).unwrap_err();
    assert_eq!(
        (fault.class(), fault.to_string().as_str()),
        (FailureClass::BrokenOff, "the answer broke off")
    );
    let partial = partial.unwrap();
    assert_eq!((partial.text().as_str(), partial.stop), ("half", StopReason::Error));
    assert_eq!(Reading::new(target(Api::OpenAiCompletions)).end(&mut |_| {}).unwrap_err().1, None);
}

#[test]
fn too_much_is_a_fault_of_its_own() {
    let mut reading = Reading::new(target(Api::AnthropicMessages));
    let line = vec![b'x'; crate::model::event_stream::MAX_LINE + 1];
    let fault = reading.push(&line, &mut |_| {}).unwrap_err();
    assert_eq!((fault.clone(), fault.class()), (Fault::Limit(StreamLimit::Line), FailureClass::Other));
}

#[test]
fn sp_016_a_deep_event_is_refused_and_not_followed() {
    let deep = format!("data: {}\n\n", "[".repeat(100_000));
    let fault = Reading::new(target(Api::OpenAiResponses)).push(deep.as_bytes(), &mut |_| {}).unwrap_err();
    assert_eq!(fault, Fault::Malformed(Api::OpenAiResponses));
}
