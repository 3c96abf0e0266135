//! What comes back, in every format.

use oc_agent::message::{Arguments, Block, Message, StopReason, Usage};
use serde_json::json;

use crate::scripted_provider::{Reply, ScriptedProvider};
use crate::setting::{APIS, KEY, Setting, ask, hello, saying};

#[tokio::test]
async fn text_thinking_and_calls_come_in_every_format_and_in_pieces_of_any_size() {
    for api in APIS {
        for piece in [1, 7, 4096] {
            let reply = Reply::text("Grüße 🦀!")
                .and_thinking("let me see")
                .and_call("c1", "read", &json!({"path": "a.txt"}))
                .and_call("c2", "read", &json!({"path": "ä"}))
                .in_pieces(piece);
            let provider = ScriptedProvider::replies([reply]);
            let setting = Setting::with_fake(&provider, api, Some(KEY));
            let (answer, said) = ask(&setting.session(), &hello()).await;
            let answer = answer.unwrap();
            assert_eq!(said.replace("><", ""), "<let me see>Grüße 🦀!", "{api} {piece}");
            assert_eq!((answer.text().as_str(), answer.stop), ("Grüße 🦀!", StopReason::ToolUse), "{api}");
            assert_eq!(answer.usage, Usage { input: 11, output: 7, cache_read: 5, cache_write: 0 }, "{api}");
            let calls: Vec<_> = answer.tool_calls().map(|c| (c.id.as_str(), c.arguments.clone())).collect();
            let object = |v: serde_json::Value| Arguments::Object(v.as_object().cloned().unwrap());
            assert_eq!(
                calls,
                [("c1", object(json!({"path": "a.txt"}))), ("c2", object(json!({"path": "ä"})))],
                "{api}"
            );
            assert_eq!((answer.api, answer.provider.as_str(), answer.model.as_str()), (api, "fake", "m"));
        }
    }
}

#[tokio::test]
async fn a_whole_round_with_a_result_goes_back_in_every_format() {
    for api in APIS {
        let replies =
            [Reply::call("c1", "read", &json!({"path": "a"})).and_thinking("hm"), Reply::text("done")];
        let provider = ScriptedProvider::replies(replies);
        let setting = Setting::with_fake(&provider, api, Some(KEY));
        let session = setting.session();
        let first = ask(&session, &hello()).await.0.unwrap();
        let user = Message::User(vec![Block::Text("hello".to_owned())]);
        let result = Message::ToolResult {
            call_id: "c1".to_owned(),
            tool: "read".to_owned(),
            content: vec![Block::Text("the content".to_owned())],
            is_error: false,
        };
        let second = ask(&session, &saying(vec![user, Message::Assistant(first), result])).await.0.unwrap();
        assert_eq!((second.text().as_str(), second.stop), ("done", StopReason::EndTurn), "{api}");
        let requests = provider.requests();
        assert_eq!(requests[0].tools(), ["read"], "{api}");
        assert_eq!(requests[1].results(), [("c1".to_owned(), "the content".to_owned())], "{api}");
        let seal = requests[1].text.contains("c2VhbA==");
        assert_eq!(
            seal,
            api != "openai-completions",
            "{api}: thinking goes back where the format has a seal for it"
        );
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_are_told_and_never_guessed() {
    for api in APIS {
        for (arguments, why) in [
            ("{\"path\": \"a", "no JSON"),
            ("[\"a\"]", "no JSON object"),
            ("{\"path\":\"a\"} trailing", "no JSON"),
            ("path=a", "no JSON"),
        ] {
            let provider = ScriptedProvider::replies([Reply::raw_call("c1", "read", arguments)]);
            let answer = Setting::with_fake(&provider, api, None).ask().await.unwrap();
            match &answer.tool_calls().next().unwrap().arguments {
                Arguments::Invalid { text, why: told } => {
                    assert_eq!(text, arguments, "{api}");
                    assert!(told.contains(why), "{api} {told}");
                }
                Arguments::Object(o) => panic!("{api}: {arguments} was taken for {o:?}"),
            }
        }
    }
}

#[tokio::test]
async fn limits_and_refusals_are_told_apart() {
    for api in APIS {
        let cut = Reply::raw_call("c1", "read", "{\"pa").cut_at_limit();
        let provider =
            ScriptedProvider::replies([Reply::text("half").cut_at_limit(), Reply::text("no").refused(), cut]);
        let setting = Setting::with_fake(&provider, api, None);
        assert_eq!(setting.ask().await.unwrap().stop, StopReason::MaxTokens, "{api}");
        assert_eq!(setting.ask().await.unwrap().stop, StopReason::Refusal, "{api}");
        let answer = setting.ask().await.unwrap();
        assert_eq!(answer.stop, StopReason::MaxTokens);
        assert!(answer.tool_calls().all(|c| matches!(c.arguments, Arguments::Invalid { .. })), "{api}");
    }
}
