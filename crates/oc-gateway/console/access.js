// Who is let in: devices, nodes, people at the channels.

import { h, fill, exact, short, ago } from "./dom.js";
import { badge, button, card, confirmed, during, notice, nothing, say, terms } from "./parts.js";

export const title = "Access";
export const lead = "Who asks to be let in, and who is: devices, nodes, and people at the channels.";

export function show(body, visit) {
  const said = h("div", {});
  const asks = h("div", { class: "stack" });
  const devices = h("div", {});
  const nodes = h("div", {});
  const people = h("div", {});
  fill(body, said, asks, card("Paired devices", devices), card("Nodes", nodes), card("People", people));

  const act = (method, params, done) => (event) => during(event.currentTarget, said, async () => {
    await visit.call(method, params);
    say(done);
    await load();
  });
  const sure = (question, method, params, done) => async (event) => {
    const target = event.currentTarget;
    if (await confirmed(...question)) await during(target, said, async () => {
      await visit.call(method, params);
      say(done);
      await load();
    });
  };

  const load = async () => {
    const ask = (method) => (visit.wire.offers(method) ? visit.call(method) : Promise.resolve(null));
    const answers = await Promise.allSettled([ask("device.pair.list"), ask("node.pair.list"), ask("node.list"), ask("access.pairing.list")]);
    if (visit.gone) return;
    const failed = answers.filter((a) => a.status === "rejected").map((a) => a.reason.message);
    if (failed.length) fill(said, failed.map((text) => notice("bad", text)));
    const [paired, listed, present, channels] = answers.map((a) => (a.status === "fulfilled" ? a.value : null));
    const focus = document.activeElement?.dataset?.key;
    const waiting = [
      ...(paired?.pending ?? []).map((p) => deviceAsks(p, act)),
      ...(listed?.pending ?? []).map((p) => nodeAsks(p, act)),
      ...(channels?.channels ?? []).flatMap((c) => c.requests.map((r) => personAsks(c, r, act))),
    ];
    fill(asks, waiting.length ? waiting : nothing("Nobody asks", "New devices, nodes and people appear here with the code or id to compare."));
    visit.count("access", waiting.length);
    fill(devices, deviceTable(paired?.paired ?? [], visit.wire.device, sure));
    fill(nodes, nodeTable(present?.nodes ?? []));
    fill(people, peopleTable(channels?.channels ?? []));
    if (focus) document.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  };

  ["device.pair.requested", "device.pair.resolved", "node.pair.requested", "node.pair.resolved", "presence"].forEach((event) => visit.on(event, load));
  visit.every(15_000, load);
  load();
}

function ask(heading, kind, details, approve, reject) {
  return h("article", { class: "card waiting-card" },
    h("div", { class: "card-head" }, badge("warn", kind), h("h2", {}, heading)),
    terms(details),
    h("div", { class: "actions" }, approve, reject));
}

function deviceAsks(p, act) {
  const key = `device-${p.requestId}`;
  const name = p.displayName ?? p.clientId ?? "A device";
  return ask(exact(name), p.isRepair ? "known device, new key or rights" : "new device", [
    ["Device", short(p.deviceId)],
    ["Role", p.role],
    ["Asks for", (p.scopes ?? []).join(", ") || "nothing beyond the connection"],
    ["System", p.platform ? exact(p.platform) : null],
    ["From", p.remoteIp ?? "this machine, or a proxy on it"],
    ["Asked", ago(p.ts)],
  ],
  button("Approve", "primary", act("device.pair.approve", { requestId: p.requestId }, "The device is paired."), { "data-key": key, "aria-label": `Approve ${name}` }),
  button("Reject", "danger", act("device.pair.reject", { requestId: p.requestId }, "The request is gone."), { "aria-label": `Reject ${name}` }));
}

function nodeAsks(p, act) {
  return ask(exact(p.displayName ?? p.nodeId), "node", [
    ["Node", short(p.nodeId)],
    ["System", p.platform ? exact(p.platform) : null],
    ["From", p.remoteIp],
    ["Can do", (p.commands ?? []).join(", ")],
    ["Asked", ago(p.ts)],
  ],
  button("Approve", "primary", act("node.pair.approve", { requestId: p.requestId }, "The node is paired.")),
  button("Reject", "danger", act("node.pair.reject", { requestId: p.requestId }, "The request is gone.")));
}

function personAsks(channel, r, act) {
  const name = r.meta?.name ?? r.meta?.username ?? r.id;
  return ask(exact(name), `${channel.channel} message`, [
    ["Sender", h("code", {}, exact(r.id))],
    ["Code", h("code", {}, r.code)],
    ["Account", channel.account === "default" ? null : channel.account],
    ["Asked", ago(r.createdAtMs)],
  ],
  button("Let in", "primary", act("access.pairing.approve", { channel: channel.channel, account: channel.account, code: r.code }, "They may write now."), { "aria-label": `Let in ${name}` }),
  h("span", { class: "hint" }, "Compare the code with what the person says. Left alone, it expires after an hour."));
}

function table(caption, heads, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "sr" }, caption), h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)));
}

function deviceTable(paired, own, sure) {
  if (!paired.length) return nothing("No device is paired", "This console itself is let in with the shared secret.");
  return table("Paired devices", ["Device", "Role", "Rights", "Last used", ""], paired.flatMap((device) => {
    const live = (device.tokens ?? []).filter((token) => !token.revokedAtMs);
    const name = device.displayName ?? device.clientId ?? "unnamed";
    return h("tr", {},
      h("th", { scope: "row" }, exact(name), " ", device.deviceId === own ? badge("info", "this browser") : null, h("div", { class: "quiet" }, short(device.deviceId))),
      h("td", {}, (device.roles ?? [device.role]).join(", ")),
      h("td", {}, (device.scopes ?? []).map((scope) => badge(scope === "operator.admin" ? "warn" : "plain", scope.replace("operator.", "")))),
      h("td", {}, ago(Math.max(0, ...live.map((token) => token.lastUsedAtMs ?? 0)) || device.approvedAtMs)),
      h("td", {}, live.length ? live.map((token) => button("Revoke", "danger small", sure(
        [`Revoke ${name}?`, `Its connections as ${token.role} end at once and its token is dead. With the shared secret it can come back.`, "Revoke"],
        "device.token.revoke", { deviceId: device.deviceId, role: token.role }, "Revoked."), { "aria-label": `Revoke ${name} as ${token.role}` })) : badge("bad", "revoked")));
  }));
}

function nodeTable(nodes) {
  if (!nodes.length) return nothing("No node", "Machines that run commands for an agent connect with openclaw node run.");
  return table("Nodes", ["Node", "State", "System", "Commands"], nodes.map((node) => h("tr", {},
    h("th", { scope: "row" }, exact(node.displayName ?? node.nodeId), h("div", { class: "quiet" }, short(node.nodeId))),
    h("td", {}, node.connected ? badge("good", "connected") : badge("plain", "away"), node.paired ? null : badge("warn", "not paired")),
    h("td", {}, exact(node.platform ?? "")),
    h("td", {}, h("code", {}, exact((node.commands ?? []).join(" ")))))));
}

function peopleTable(channels) {
  const broken = channels.filter((c) => c.error).map((c) => notice("bad", `${c.channel}: ${c.error}`));
  const known = channels.filter((c) => c.approved.length);
  if (!known.length) return [broken, nothing("Nobody was let in by a code", "People on an allow list of the configuration are not shown here; see Reach.")];
  return [broken, table("People let in by a code", ["Channel", "Account", "Senders"], known.map((c) => h("tr", {},
    h("th", { scope: "row" }, c.channel), h("td", {}, c.account), h("td", {}, c.approved.map((id) => h("div", {}, h("code", {}, exact(id)))))))) ];
}
