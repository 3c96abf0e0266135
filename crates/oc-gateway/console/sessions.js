// Sessions, and what was said in them. Credentials are masked by the gateway before they come here.

import { h, fill, exact, ago } from "./dom.js";
import { badge, button, card, notice, nothing, terms } from "./parts.js";
import { message } from "./said.js";

export const title = "Sessions";
export const lead = "What the agents talk about, and with whom. Credentials in it are masked.";

export function show(body, visit) {
  const open = () => {
    const key = decodeURIComponent(location.hash.slice(1));
    if (key) transcript(body, visit, key);
    else overview(body, visit);
  };
  if (!visit.wire.offers("sessions.list")) {
    fill(body, notice("info", "This gateway does not offer its sessions here."));
    return;
  }
  open();
}

function enter(key) {
  history.pushState(null, "", `${location.pathname}${key ? `#${encodeURIComponent(key)}` : ""}`);
  dispatchEvent(new PopStateEvent("popstate"));
}

function overview(body, visit) {
  const list = h("div", {});
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search sessions", on: { input: () => { clearTimeout(timer); timer = setTimeout(load, 250); } } });
  let timer = null;
  fill(body, h("div", { class: "tools" }, search), list);
  const load = async () => {
    try {
      const params = { limit: 200, includeDerivedTitles: true, includeLastMessage: true };
      if (search.value.trim()) params.search = search.value.trim();
      const { sessions } = await visit.call("sessions.list", params);
      if (visit.gone) return;
      fill(list, sessions.length ? h("ul", { class: "rows" }, sessions.map(row)) : nothing(search.value ? "Nothing found" : "No session yet", "Every conversation with an agent becomes a session."));
    } catch (error) {
      fill(list, notice("bad", error.message));
    }
  };
  load();
  visit.every(15_000, load);
}

function row(s) {
  return h("li", {}, h("a", { href: `#${encodeURIComponent(s.key)}`, on: { click: (event) => { event.preventDefault(); enter(s.key); } } },
    h("span", { class: "row-title" }, exact(s.derivedTitle || s.displayName || s.key)),
    h("span", { class: "row-side" }, badge("plain", s.channel ?? s.kind), " ", ago(s.updatedAt)),
    h("code", { class: "quiet row-sub" }, exact(s.key)),
    s.lastMessagePreview ? h("span", { class: "row-sub quiet" }, exact(s.lastMessagePreview)) : null));
}

async function transcript(body, visit, key) {
  const list = h("div", { class: "stack" });
  fill(body, h("div", { class: "tools" }, button("← All sessions", "plain", () => enter(""))), h("h2", { class: "keep-lines" }, exact(key)), list);
  try {
    const history = await visit.call("chat.history", { sessionKey: key, limit: 200 });
    if (visit.gone) return;
    fill(list, card(null, terms([["Session", history.sessionId ? h("code", {}, history.sessionId) : null], ["Thinking", history.thinkingLevel], ["Messages shown", history.messages.length]])),
      history.messages.length ? h("ol", { class: "chat" }, history.messages.map(message)) : nothing("Nothing was said", "This session has no messages."));
    list.querySelector(".chat")?.lastElementChild?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    fill(list, notice("bad", error.message));
  }
}
