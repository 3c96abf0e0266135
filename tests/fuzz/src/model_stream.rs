//! What must hold for any bytes that a model provider sends. Run by the fuzz target, and over the committed corpus by a test of `oc-agent`.

use oc_agent::message::{Answer, Arguments, Block, Message, Request, StopReason, Thinking};
use oc_agent::model::Delta;
use oc_agent::model::reading::{Fault, Reading};
use oc_agent::model::wire::{Api, Quirks, Target};
use serde_json::Value;

/// The first byte chooses the format and where the stream is cut; the rest is the stream.
pub fn stream(data: &[u8]) {
    let Some((choice, stream)) = data.split_first() else { return };
    let api = Api::ALL[usize::from(*choice) % Api::ALL.len()];
    let (whole, said) = read(api, &[stream]);
    // However the bytes are cut, what is read is the same.
    let cut = stream.len() * usize::from(*choice) / 256;
    let (first, second) = stream.split_at(cut);
    assert_eq!(read(api, &[first, second]), (whole.clone(), said.clone()));
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(read(api, &bytes), (whole.clone(), said.clone()));

    let answer = match whole {
        Ok(answer) => {
            assert!(!matches!(answer.stop, StopReason::Error | StopReason::Aborted));
            answer
        }
        Err((fault, partial)) => {
            let told = fault.to_string();
            assert!(told.len() < 200 && told.is_ascii(), "{told}");
            let Some(partial) = partial else { return };
            assert_eq!(partial.stop, StopReason::Error);
            *partial
        }
    };
    // Calls have ids that differ; their arguments are an object or said to be none.
    let ids: Vec<&str> = answer.tool_calls().map(|c| c.id.as_str()).collect();
    for (nth, id) in ids.iter().enumerate() {
        assert!(!id.is_empty() && !ids[..nth].contains(id));
    }
    goes_back(&answer);
}

type Read = (Result<Answer, (Fault, Option<Box<Answer>>)>, String);

fn target(api: Api) -> Target {
    Target {
        api,
        provider: "p".to_owned(),
        model: "m".to_owned(),
        images: true,
        reasoning: true,
        max_tokens: 1000,
        temperature: None,
        quirks: Quirks::default(),
    }
}

fn read(api: Api, pieces: &[&[u8]]) -> Read {
    let mut said = String::new();
    let mut hear = |delta: Delta| match delta {
        Delta::Text(text) | Delta::Thinking(text) => said.push_str(&text),
        Delta::Restart => panic!("a stream does not begin again by itself"),
    };
    let mut reading = Reading::new(target(api));
    for piece in pieces {
        if let Err(fault) = reading.push(piece, &mut hear) {
            let partial = reading.partial();
            return (Err((fault, partial)), said);
        }
    }
    let end = reading.end(&mut hear);
    (end, said)
}

/// Whatever was read can be sent to every provider: each call is answered right after it, under the same id.
fn goes_back(answer: &Answer) {
    let calls = answer.tool_calls().count();
    let request = Request {
        system: String::new(),
        messages: vec![Message::User(vec![Block::Text("hi".to_owned())]), Message::Assistant(answer.clone())],
        tools: Vec::new(),
        max_tokens: 10,
        thinking: Thinking::Low,
    };
    for api in Api::ALL {
        let body = target(api).body(&request);
        let mut asked = Vec::new();
        let mut answered = Vec::new();
        let text = |v: &Value| v.as_str().expect("an id").to_owned();
        for message in body["messages"].as_array().or(body["input"].as_array()).expect("messages") {
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                asked.push(text(&call["id"]));
                let arguments = call["function"]["arguments"].as_str().expect("text");
                assert!(serde_json::from_str::<Value>(arguments).expect("JSON").is_object());
            }
            for block in message["content"].as_array().into_iter().flatten() {
                match block["type"].as_str() {
                    Some("tool_use") => asked.push(text(&block["id"])),
                    Some("tool_result") => answered.push(text(&block["tool_use_id"])),
                    _ => {}
                }
            }
            match message["type"].as_str() {
                Some("function_call") => asked.push(text(&message["call_id"])),
                Some("function_call_output") => answered.push(text(&message["call_id"])),
                _ => {}
            }
            if message["role"] == "tool" {
                answered.push(text(&message["tool_call_id"]));
            }
        }
        assert_eq!((asked.len(), &asked), (calls, &answered), "{body}");
    }
    for call in answer.tool_calls() {
        if let Arguments::Invalid { why, .. } = &call.arguments {
            assert!(!why.is_empty());
        }
    }
}
