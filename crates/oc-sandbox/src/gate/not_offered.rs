//! Calls that are refused before the gate is asked whether they may run: of tools that were not offered, and what cannot be
//! made at all.

use super::recording::Grounds;
use super::{Gate, GateError, Refused, Stage, ToolCall};

impl Gate {
    /// Records the refusal of a call whose tool was not offered to its caller, and gives it. Nothing runs, whatever the rules say by now. When
    /// they refuse it as well, theirs is the reason that is recorded.
    pub async fn not_offered(&self, call: &ToolCall) -> GateError {
        let snapshot = self.snapshot();
        let refused = match Self::would(&snapshot, call) {
            Err(refused) => refused,
            Ok(_) => {
                let name = oc_text::visible(&oc_policy::tool_name::canonical(&call.tool), 60);
                let why = format!("{name} is not among the tools that were offered");
                Refused::built_in(Stage::Policy, &name, "not-offered", why)
            }
        };
        self.refuse(&snapshot, call, refused, &Grounds::default()).await
    }

    /// Records the refusal of a call that cannot be made at all - unreadable arguments, one too many, the same again and again - and gives it.
    /// `rule`: a stable word; `why`: one sentence for the model.
    pub async fn unusable(&self, call: &ToolCall, rule: &str, why: &str) -> GateError {
        let snapshot = self.snapshot();
        let name = oc_text::visible(&oc_policy::tool_name::canonical(&call.tool), 60);
        let refused = Refused::built_in(Stage::Arguments, &name, rule, why);
        self.refuse(&snapshot, call, refused, &Grounds::default()).await
    }
}
