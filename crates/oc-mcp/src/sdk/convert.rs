//! Between the library's types and ours.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ErrorCode, ResultType, Tool};
use serde_json::{Value as Json, json};

use crate::offer::{Fault, Reply, ToolOffer};

/// A tool as the library has it.
pub(super) fn tool(offer: ToolOffer) -> Tool {
    let mut tool =
        Tool::new_with_raw(offer.name, offer.description.map(Cow::Owned), Arc::new(offer.input_schema));
    tool.title = offer.title;
    tool.output_schema = offer.output_schema.map(Arc::new);
    // Hints that the library cannot read are left out: nobody decides by them.
    tool.annotations = offer.annotations.and_then(|a| serde_json::from_value(a).ok());
    tool
}

/// A tool as we have it.
pub(super) fn offer(tool: Tool) -> ToolOffer {
    ToolOffer {
        name: tool.name.into_owned(),
        title: tool.title,
        description: tool.description.map(Cow::into_owned),
        input_schema: (*tool.input_schema).clone(),
        output_schema: tool.output_schema.map(|s| (*s).clone()),
        annotations: tool.annotations.and_then(|a| serde_json::to_value(a).ok()),
    }
}

/// A result as the library has it.
pub(super) fn result(reply: Reply) -> Result<CallToolResult, ErrorData> {
    let mut members = json!({"content": reply.content, "isError": reply.failed});
    if let Json::Object(members) = &mut members {
        if let Some(structured) = reply.structured {
            members.insert("structuredContent".to_owned(), structured);
        }
        if !reply.meta.is_empty() {
            members.insert("_meta".to_owned(), Json::Object(reply.meta));
        }
    }
    let read: Result<CallToolResult, _> = serde_json::from_value(members);
    read.map(|mut result| {
        // Newer clients want it said; the library takes it out for older ones.
        result.result_type = Some(ResultType::COMPLETE);
        result
    })
    .map_err(|_| ErrorData::internal_error("the result cannot be written as the protocol wants it", None))
}

/// A result as we have it.
pub(super) fn reply(result: CallToolResult) -> Reply {
    let content = serde_json::to_value(result.content).ok();
    Reply {
        content: content.and_then(|c| c.as_array().cloned()).unwrap_or_default(),
        structured: result.structured_content,
        failed: result.is_error == Some(true),
        meta: result.meta.map(|m| m.0).unwrap_or_default(),
    }
}

/// An error of the protocol.
pub(super) fn error(fault: &Fault) -> ErrorData {
    let code = match fault {
        Fault::NoSuchTool(_) => ErrorCode::INVALID_PARAMS,
        Fault::NotFound(_) => ErrorCode::RESOURCE_NOT_FOUND,
        Fault::NotOffered(_) => ErrorCode::METHOD_NOT_FOUND,
        Fault::Unavailable(_) => ErrorCode::INTERNAL_ERROR,
    };
    ErrorData::new(code, fault.to_string(), None)
}
