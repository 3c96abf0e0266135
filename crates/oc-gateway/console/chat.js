// A conversation with an agent: what was said, what is being said, and the commands in it that wait for an answer.

import { h, fill, exact } from "./dom.js";
import { button, choice, field, notice, nothing } from "./parts.js";
import { message } from "./said.js";
import { waitingCard } from "./approvals.js";

export const title = "Chat";
export const lead = "Talk with an agent. A command that it may not run by itself waits here for your answer.";

export function show(body, visit) {
  if (!visit.wire.offers("chat.send")) {
    fill(body, notice("info", "This gateway does not offer conversations here."));
    return;
  }
  new Conversation(body, visit).open(fromAddress() || mainKey(visit));
}

function fromAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function mainKey(visit) {
  return visit.wire.hello?.snapshot?.sessionDefaults?.mainSessionKey ?? "agent:main:main";
}

function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Conversation {
  #visit;
  #key = "";
  #run = null;
  #live = null;
  #cards = new Map();
  #said = h("div", {});
  #list = h("ol", { class: "chat" });
  #log = h("div", { class: "conversation", role: "log", "aria-label": "Conversation", tabindex: "0" }, this.#list);
  #asked = h("div", { class: "stack", "aria-live": "polite" });
  #chooser = h("div", {});
  #text = h("textarea", { rows: "3", autocomplete: "off", on: { keydown: (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  } } });
  #send = h("button", { type: "submit", class: "button primary" }, "Send");
  #stop = button("Stop", "danger", () => this.#abort(), { hidden: true });
  #form = h("form", { class: "composer", on: { submit: (event) => { event.preventDefault(); this.#say(); } } },
    field("Message", this.#text, "Enter sends, Shift and Enter begin a new line."),
    h("div", { class: "actions" }, this.#send, this.#stop));

  constructor(body, visit) {
    this.#visit = visit;
    const anew = button("New conversation", "plain", () => {
      const agent = /^agent:([^:]+):/.exec(this.#key)?.[1] ?? "main";
      this.#enter(`agent:${agent}:web:${unique()}`);
      this.#text.focus();
    });
    fill(body, h("div", { class: "tools" }, this.#chooser, anew), this.#said, this.#log, this.#asked, this.#form);
    visit.on("chat", (told) => this.#hear(told));
    visit.on("exec.approval.requested", (record) => this.#ask(record));
    visit.on("exec.approval.resolved", ({ id }) => this.#answered(id));
    visit.every(1000, () => this.#cards.forEach((card) => card.tick()));
  }

  /** Shows a session. */
  open(key) {
    this.#key = key;
    this.#running(null);
    this.#cards.clear();
    fill(this.#asked);
    this.#choose();
    this.#load();
    this.#waiting();
  }

  #enter(key) {
    history.replaceState(null, "", `${location.pathname}#${encodeURIComponent(key)}`);
    this.open(key);
  }

  async #choose() {
    const offer = (options) => {
      if (!options.some(([key]) => key === this.#key)) options.unshift([this.#key, "New conversation"]);
      const select = choice(options, this.#key, (key) => this.#enter(key));
      const focused = this.#chooser.contains(document.activeElement);
      fill(this.#chooser, field("Session", select));
      if (focused) select.focus();
    };
    try {
      const [{ agents, defaultId }, { sessions }] = await Promise.all([
        this.#visit.call("agents.list", {}),
        this.#visit.call("sessions.list", { limit: 100, includeDerivedTitles: true }),
      ]);
      if (this.#visit.gone) return;
      const main = (id) => (id === defaultId ? mainKey(this.#visit) : `agent:${id}:main`);
      const options = agents.map(({ id, name }) => [main(id), `Main session of ${name ?? id}`]);
      const known = new Set(options.map(([key]) => key));
      for (const s of sessions) {
        if (!known.has(s.key)) options.push([s.key, `${s.displayName || s.derivedTitle || s.key}${s.channel ? ` (${s.channel})` : ""}`]);
      }
      offer(options);
    } catch (error) {
      offer([]);
      fill(this.#said, notice("bad", error.message));
    }
  }

  async #load() {
    const key = this.#key;
    try {
      const { messages } = await this.#visit.call("chat.history", { sessionKey: key, limit: 200 });
      if (this.#visit.gone || key !== this.#key) return;
      this.#live = null;
      fill(this.#list, messages.map(message));
      if (!messages.length) fill(this.#list, h("li", { class: "empty" }, nothing("Nothing was said yet", "Write below.")));
      this.#down();
    } catch (error) {
      fill(this.#said, notice("bad", error.message));
    }
  }

  #down() {
    this.#list.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  #append(entry) {
    this.#list.querySelector(".empty")?.remove();
    this.#list.append(entry);
    this.#down();
    return entry;
  }

  async #say() {
    const text = this.#text.value.trim();
    if (!text || this.#run) return;
    const run = unique();
    fill(this.#said);
    this.#text.value = "";
    this.#append(message({ role: "user", content: text, timestamp: Date.now() }));
    this.#running(run);
    try {
      const { status } = await this.#visit.call("chat.send", { sessionKey: this.#key, message: text, idempotencyKey: run });
      // A command, and not the beginning of an answer.
      if (status !== "started" && status !== "in_flight" && this.#run === run) {
        this.#running(null);
        this.#load();
      }
    } catch (error) {
      if (this.#run === run) this.#running(null);
      this.#text.value ||= text;
      fill(this.#said, notice("bad", error.message));
    }
  }

  /** Asks for the end of the answer. The button stays as it is until the gateway says that it has ended, so that the focus is not lost. */
  async #abort() {
    try {
      await this.#visit.call("chat.abort", { sessionKey: this.#key });
    } catch (error) {
      fill(this.#said, notice("bad", error.message));
    }
  }

  /** Whether an answer is on its way; screen readers hear it when it is whole. */
  #running(run) {
    this.#run = run;
    if (!run) this.#live = null;
    this.#log.setAttribute("aria-busy", String(Boolean(run)));
    this.#send.disabled = Boolean(run);
    const stopping = this.#stop === document.activeElement;
    this.#stop.hidden = !run;
    if (stopping && !run) this.#text.focus();
  }

  #hear({ runId, sessionKey, state, message: said, errorMessage }) {
    if (sessionKey !== this.#key) return;
    if (state === "delta") {
      if (!this.#run) this.#running(runId);
      if (this.#run !== runId) return;
      const entry = message({ ...said, timestamp: null });
      if (this.#live) this.#live.replaceWith(entry);
      else this.#append(entry);
      this.#live = entry;
      this.#down();
      return;
    }
    this.#live?.remove();
    if (this.#run === runId) this.#running(null);
    if (state === "final" && said) this.#append(message(said));
    if (state === "aborted") this.#append(h("li", { class: "said-by system" }, "Stopped."));
    if (state === "error") this.#append(h("li", { class: "said-by system" }, exact(errorMessage ?? "It did not end well.")));
  }

  async #waiting() {
    if (!this.#visit.wire.offers("exec.approval.list")) return;
    try {
      const { pending } = await this.#visit.call("exec.approval.list", {});
      if (!this.#visit.gone) pending.forEach((record) => this.#ask(record));
    } catch {
      // Without the right to answer there is nothing to be answered here.
    }
  }

  #ask(record) {
    if (record.request?.sessionKey !== this.#key || this.#cards.has(record.id)) return;
    const card = waitingCard(record, this.#visit, () => this.#answered(record.id));
    this.#cards.set(record.id, card);
    this.#asked.append(card.card);
    card.card.scrollIntoView({ block: "nearest" });
  }

  #answered(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    const inside = card.card.contains(document.activeElement);
    card.card.remove();
    this.#cards.delete(id);
    if (inside) this.#text.focus();
  }
}
