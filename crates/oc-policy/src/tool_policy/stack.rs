//! The layers that apply to one session, and the decisions they make.

use oc_types::{AgentId, KeyPath};

use super::agents::{AgentRules, ModelKey};
use super::list::Standing;
use super::matcher::Candidate;
use super::room::{RoomQuery, channel_id, telegram_chat};
use super::rule::{Extras, ProfileRule, Rule, ScopeRule};
use super::{CompiledPolicy, Context, FilteredTools, IdsFrom, MessageScope, Refusal, ToolDecision};
use crate::inventory::{Absence, Inventory, Tool};
use crate::layer::Layer;
use crate::owner_only::{Ownership, is_owner_only};
use crate::sandbox::Mode;
use crate::sender::Matched;
use crate::session_key::{Room, SessionKey};
use crate::tool_name::canonical;

/// The layers that apply in one context, in order.
#[derive(Clone, Debug)]
pub struct Stack<'p> {
    pub(crate) policy: &'p CompiledPolicy,
    pub(crate) slots: Vec<Slot<'p>>,
    owner: Ownership,
    policy_agent: Option<AgentId>,
    sandbox_agent: AgentId,
    sandboxed: bool,
}

/// One layer's policy in a stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<'p> {
    /// Where it acts.
    pub layer: Layer,
    pub rule: SlotRule<'p>,
    /// Set when it binds through the session that spawned this one.
    pub inherited: bool,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SlotRule<'p> {
    Plain { rule: &'p Rule, matched: Option<Matched> },
    Profile(ProfileParts<'p>),
}

/// A profile with what is added to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProfileParts<'p> {
    pub profile: &'p ProfileRule,
    pub rule: &'p Rule,
    pub extras: Option<&'p Extras>,
}

impl SlotRule<'_> {
    pub fn passes(&self, tool: Candidate<'_>, exec: Option<usize>) -> bool {
        match self {
            Self::Plain { rule, .. } => rule.passes(tool, exec),
            Self::Profile(p) => p.rule.passes(tool, exec) || p.extras.is_some_and(|e| e.admits(tool, exec)),
        }
    }

    pub fn rule(&self) -> &Rule {
        match self {
            Self::Plain { rule, .. } => rule,
            Self::Profile(p) => p.rule,
        }
    }
}

impl<'p> Stack<'p> {
    pub(super) fn new(policy: &'p CompiledPolicy, context: &Context<'_>) -> Result<Self, Refusal> {
        let key = parse(context.session_key)?;
        let parent = parse(context.spawned_by)?;
        let named = key.as_ref().map(|k| k.agent().cloned().unwrap_or_else(|| AgentId::normalized("")));
        let sandbox_agent =
            key.as_ref().and_then(SessionKey::agent).unwrap_or(&policy.agents.default_id).clone();
        let sandboxed =
            is_sandboxed(policy, policy.agents.get(&sandbox_agent), &sandbox_agent, key.as_ref())?;
        let mut stack = Self {
            policy,
            slots: Vec::with_capacity(12),
            owner: context.owner,
            policy_agent: named,
            sandbox_agent,
            sandboxed,
        };
        let model = ModelKey::new(context.provider, context.model);
        let own = Lane { key: key.as_ref(), parent: parent.as_ref(), inherited: false };
        stack.lane(context, model.as_ref(), &own)?;
        if let (Some(child), Some(_)) = (&key, &parent)
            && child.is_subagent()
        {
            let spawner = Lane { key: parent.as_ref(), parent: None, inherited: true };
            stack.lane(context, model.as_ref(), &spawner)?;
        }
        Ok(stack)
    }

    /// Adds the layers of one session: the session itself, or the one that spawned it.
    fn lane(
        &mut self,
        context: &Context<'_>,
        model: Option<&ModelKey>,
        lane: &Lane<'_>,
    ) -> Result<(), Refusal> {
        let policy = self.policy;
        let agent = lane.key.map(|k| k.agent().cloned().unwrap_or_else(|| AgentId::normalized("")));
        let agent = agent.as_ref().map(|id| policy.agents.get(id));
        let scope = agent.and_then(|a| a.scope.as_ref());
        let global_provider = policy.providers.find(model);
        let agent_provider = agent.map_or(&[][..], |a| a.by_provider.find(model));
        let default = policy.agents.get(&self.sandbox_agent);
        let slots = &mut self.slots;
        let mut push = |layer, rule| slots.push(Slot { layer, rule, inherited: lane.inherited });

        for parts in profiles(scope.map(std::slice::from_ref), std::slice::from_ref(&policy.global)) {
            push(Layer::Profile, SlotRule::Profile(parts));
        }
        for parts in profiles(Some(agent_provider), global_provider) {
            push(Layer::ProviderProfile, SlotRule::Profile(parts));
        }
        let plain = |rule| SlotRule::Plain { rule, matched: None };
        push(Layer::Global, plain(&policy.global.rule));
        let read_only = agent.unwrap_or(default).read_only.as_ref();
        let switch = |at: Layer| read_only.filter(|(layer, _)| *layer == at);
        switch(Layer::Global).into_iter().for_each(|(layer, rule)| push(*layer, plain(rule)));
        global_provider.iter().for_each(|s| push(Layer::GlobalProvider, plain(&s.rule)));
        scope.iter().for_each(|s| push(Layer::Agent, plain(&s.rule)));
        switch(Layer::Agent).into_iter().for_each(|(layer, rule)| push(*layer, plain(rule)));
        agent_provider.iter().for_each(|s| push(Layer::AgentProvider, plain(&s.rule)));
        if let Some(place) = Where::find(context, lane)? {
            let query = RoomQuery {
                channel: &place.channel,
                id: &place.id,
                name: context.group_channel,
                space: context.group_space,
                account: context.account_id,
                sender: context.sender,
            };
            if let Some(hit) = policy.rooms.find(&query) {
                push(Layer::Group, SlotRule::Plain { rule: hit.rule, matched: hit.matched });
            }
        }
        let boxed = lane.key.and_then(SessionKey::agent).unwrap_or(&policy.agents.default_id);
        let rules = policy.agents.get(boxed);
        if is_sandboxed(policy, rules, boxed, lane.key)? {
            push(Layer::Sandbox, plain(&rules.sandbox.rule));
        }
        if lane.key.is_some_and(SessionKey::is_subagent) {
            push(Layer::Subagent, plain(&policy.subagent));
        }
        Ok(())
    }

    /// The agent whose policies apply; `None` without a session key.
    #[must_use]
    pub fn policy_agent(&self) -> Option<&AgentId> {
        self.policy_agent.as_ref()
    }

    /// The agent whose sandbox settings apply. Differs from [`Stack::policy_agent`] for keys that name no agent.
    #[must_use]
    pub fn sandbox_agent(&self) -> &AgentId {
        &self.sandbox_agent
    }

    /// Whether the session's tools run in a sandbox.
    #[must_use]
    pub fn runs(&self) -> crate::sandbox::Runs {
        if self.sandboxed { crate::sandbox::Runs::Sandboxed } else { crate::sandbox::Runs::OnHost }
    }

    pub(crate) fn candidate<'n>(&self, canonical: &'n str) -> Candidate<'n> {
        Candidate { id: self.policy.inventory.id(canonical), name: canonical }
    }

    pub(crate) fn inventory(&self) -> &'p Inventory {
        &self.policy.inventory
    }

    /// `exec` in the inventory.
    pub(crate) fn exec(&self) -> Option<usize> {
        self.policy.exec
    }

    /// The first configured allow list that binds here, profiles left aside.
    pub(crate) fn first_allow_list(&self) -> Option<KeyPath> {
        let plain = self.slots.iter().filter(|s| !s.inherited).filter_map(|s| match s.rule {
            SlotRule::Plain { rule, .. } => Some(rule),
            SlotRule::Profile(_) => None,
        });
        let mut lists = plain.flat_map(|r| r.allow_lists.iter().chain(&r.additive));
        lists.find(|l| l.standing == Standing::Set).map(|l| l.place.path())
    }

    /// Decides about a tool, by its name in any spelling.
    #[must_use]
    pub fn decide(&self, tool: &str) -> ToolDecision {
        let name = canonical(tool);
        let candidate = self.candidate(&name);
        let known = candidate.id.and_then(|id| self.policy.inventory.tools().get(id));
        if let Some(tool) = known
            && tool.is_optional()
            && !self.is_named(&name, tool)
        {
            return ToolDecision::Absent(Absence::OptionalPluginTool);
        }
        self.ask(candidate)
    }

    /// Whether some allow list names an optional tool literally.
    pub(crate) fn is_named(&self, canonical_name: &str, tool: &Tool) -> bool {
        let plugin = tool.owner().map(|p| p.trim().to_lowercase()).unwrap_or_default();
        self.slots.iter().filter(|s| !s.inherited).any(|s| s.rule.rule().names(canonical_name, &plugin))
    }

    fn ask(&self, tool: Candidate<'_>) -> ToolDecision {
        if self.owner != Ownership::Proven && is_owner_only(tool.name) {
            return ToolDecision::Removed(Layer::OwnerOnly);
        }
        let exec = self.policy.exec;
        match self.slots.iter().find(|s| !s.rule.passes(tool, exec)) {
            None => ToolDecision::Allowed,
            // What the spawning session may not use is a rule about sub-agents, whichever of its layers says so.
            Some(slot) if slot.inherited => ToolDecision::Removed(Layer::Subagent),
            Some(slot) => ToolDecision::Removed(slot.layer),
        }
    }

    /// What is left of the candidates, in their order and spelling.
    #[must_use]
    pub fn filter(&self, candidates: &[Tool]) -> FilteredTools {
        let mut out = FilteredTools {
            tools: Vec::with_capacity(candidates.len()),
            removed: Vec::new(),
            absent: Vec::new(),
            message: MessageScope::default(),
        };
        for tool in candidates {
            let name = canonical(tool.name());
            if tool.is_optional() && !self.is_named(&name, tool) {
                out.absent.push((tool.clone(), Absence::OptionalPluginTool));
                continue;
            }
            match self.ask(self.candidate(&name)) {
                ToolDecision::Allowed => out.tools.push(tool.clone()),
                ToolDecision::Removed(layer) => out.removed.push((tool.clone(), layer)),
                ToolDecision::Absent(why) => out.absent.push((tool.clone(), why)),
            }
        }
        for slot in &self.slots {
            let words = &slot.rule.rule().channels;
            out.message.narrow(&words.allow, &words.deny);
        }
        out
    }
}

/// One session whose layers bind.
struct Lane<'a> {
    key: Option<&'a SessionKey>,
    parent: Option<&'a SessionKey>,
    inherited: bool,
}

fn parse(key: Option<&str>) -> Result<Option<SessionKey>, Refusal> {
    match key.map(str::trim).filter(|k| !k.is_empty()) {
        Some(key) => Ok(Some(SessionKey::parse(key)?)),
        None => Ok(None),
    }
}

fn is_sandboxed(
    policy: &CompiledPolicy,
    rules: &AgentRules,
    agent: &AgentId,
    key: Option<&SessionKey>,
) -> Result<bool, Refusal> {
    let Some(key) = key else { return Ok(false) };
    Ok(match rules.mode.clone()? {
        Mode::Off => false,
        Mode::All => true,
        Mode::NonMain => !key.is_main_of(agent, policy.session_scope),
    })
}

/// The profiles in force of one kind: the narrower scope's replace the wider one's, and so does its `alsoAllow`.
fn profiles<'p>(
    narrow: Option<&'p [ScopeRule]>,
    wide: &'p [ScopeRule],
) -> impl Iterator<Item = ProfileParts<'p>> {
    let narrow = narrow.unwrap_or_default();
    let of = |scopes: &'p [ScopeRule]| scopes.iter().any(|s| s.profile.is_some()).then_some(scopes);
    let scopes = of(narrow).unwrap_or(wide);
    let extras = narrow.iter().chain(wide).find_map(|s| s.extras.as_ref());
    scopes.iter().filter_map(move |s| {
        let profile = s.profile.as_ref()?;
        Some(ProfileParts { profile, rule: profile.rule.as_ref()?, extras })
    })
}

/// The room a session belongs to.
struct Where {
    channel: String,
    id: String,
}

impl Where {
    fn find(context: &Context<'_>, lane: &Lane<'_>) -> Result<Option<Self>, Refusal> {
        let given = |v: Option<&str>| v.map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned);
        let (group, channel) = (given(context.group_id), given(context.channel));
        let rooms = [lane.key.and_then(SessionKey::room), lane.parent.and_then(SessionKey::room)];
        if context.ids_from == IdsFrom::Client && !lane.inherited {
            check(group.as_deref(), channel.as_deref(), &rooms)?;
        }
        let known = rooms.into_iter().flatten().next();
        let channel = channel.as_deref().and_then(channel_id);
        let channel = channel.or_else(|| known.as_ref().map(|r| r.channel.as_str().to_owned()));
        let id = group.or_else(|| known.map(|r| r.id));
        Ok(channel.zip(id).map(|(channel, id)| Self { channel, id }))
    }
}

/// A caller may repeat what the session says, not replace it (SP-109).
fn check(group: Option<&str>, channel: Option<&str>, rooms: &[Option<Room>; 2]) -> Result<(), Refusal> {
    let known = || rooms.iter().flatten();
    let foreign = |what, given: &str, known: Option<String>| {
        Err(Refusal::ForeignRoom {
            what,
            given: given.chars().take(80).collect(),
            known: known.unwrap_or_default(),
        })
    };
    if let Some(group) = group
        && !known().any(|r| telegram_chat(&r.id).eq_ignore_ascii_case(telegram_chat(group)))
    {
        return foreign("group id", group, known().next().map(|r| r.id.clone()));
    }
    if let Some(channel) = channel
        && let Some(room) = known().next()
        && channel_id(channel).as_deref() != Some(room.channel.as_str())
    {
        return foreign("channel", channel, Some(room.channel.as_str().to_owned()));
    }
    Ok(())
}
