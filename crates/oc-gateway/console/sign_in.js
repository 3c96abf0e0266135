// Signing in: the secret, what stands in the way of a device identity, and waiting for this browser to be approved.

import { h, fill, short } from "./dom.js";
import { button, field, notice } from "./parts.js";
import { obstacle } from "./identity.js";

const KEPT = "openclaw-console-secret";

/** The secret in the fragment of the address, which is taken out of the address bar and the history at once. */
export function fromFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (!fragment.has("token")) return null;
  const token = fragment.get("token");
  history.replaceState(null, "", location.pathname);
  return token || null;
}

/** The secret of this tab, when the person wanted it kept. */
export function kept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export function keep(secret) {
  try {
    if (secret) sessionStorage.setItem(KEPT, secret);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing asks again.
  }
}

/** The form. `enter(secret, keepIt, withoutDevice)` tries; what came of it is told by `fail`. */
export function form(enter) {
  const said = h("div", { class: "said" });
  const secret = h("input", { type: "password", name: "secret", autocomplete: "current-password", spellcheck: "false", required: true });
  const keepIt = h("input", { type: "checkbox", id: "keep" });
  const submit = h("button", { type: "submit", class: "button primary wide" }, "Sign in");
  const tryIt = (withoutDevice) => enter(secret.value.trim(), keepIt.checked, withoutDevice);
  const blocked = obstacle();
  const view = h(
    "main",
    { class: "sign-in", id: "main" },
    h("div", { class: "sign-in-card" },
      h("img", { src: "icon.svg", alt: "", width: "48", height: "48" }),
      h("h1", { tabindex: "-1" }, "OpenClaw console"),
      h("p", { class: "quiet" }, "Gateway at ", h("code", {}, location.host)),
      said,
      blocked ? explain(blocked, () => tryIt(true), secret) : h(
        "form",
        { on: { submit: (event) => { event.preventDefault(); tryIt(false); } } },
        field("Gateway token or password", secret),
        h("p", { class: "check" }, keepIt, h("label", { for: "keep" }, "Stay signed in in this tab")),
        submit,
        h("details", {}, h("summary", {}, "Where do I find it?"),
          h("p", {}, "On the gateway's machine, ", h("code", {}, "openclaw dashboard"), " prints an address that signs you in. The secret itself stands in ", h("code", {}, "gateway.auth"), " of the configuration."),
          h("p", {}, "It is sent to this gateway only. Without the tick it is forgotten when the page is closed or loaded again.")),
      ),
    ),
  );
  return {
    view,
    fail(error) {
      fill(said, notice("bad", sentence(error)));
      submit.disabled = false;
      secret.select();
    },
    busy() {
      fill(said);
      submit.disabled = true;
    },
  };
}

/** Why there is no identity here, and what to do: the safe ways first, the break-glass switches last. */
function explain(blocked, tryWithout, secret) {
  const port = location.port || (location.protocol === "https:" ? "443" : "80");
  const why = blocked === "insecure"
    ? "This page came over plain http from another machine. Browsers make the key that identifies this device only on a secure page, so you cannot sign in here."
    : "This browser keeps no data for this page, so it cannot hold the key that identifies this device. Leave private browsing, or allow site data.";
  return h("div", { class: "blocked" },
    notice("warn", why),
    blocked === "insecure" ? h("ol", {},
      h("li", {}, h("strong", {}, "Use HTTPS. "), "With Tailscale: ", h("code", {}, "gateway.tailscale.mode: \"serve\""), ". Or the gateway's own certificate: ", h("code", {}, "gateway.tls.enabled: true"), "."),
      h("li", {}, h("strong", {}, "Or open the console on 127.0.0.1. "), "On the gateway's machine: ", h("code", {}, `http://127.0.0.1:${port}/`), ". From here, through a tunnel: ", h("code", {}, `ssh -L ${port}:127.0.0.1:${port} ${location.hostname}`), ", then the same address."),
      h("li", {}, h("details", {}, h("summary", {}, "Break glass"),
        h("p", {}, h("code", {}, "gateway.controlUi.allowInsecureAuth: true"), " lets a console in with the secret alone; anybody on the way can read it. ", h("code", {}, "gateway.controlUi.dangerouslyDisableDeviceAuth: true"), " checks no console's device at all. Both are findings of the audit; switch them off again."),
        h("form", { on: { submit: (event) => { event.preventDefault(); tryWithout(); } } },
          field("Gateway token or password", secret),
          h("button", { type: "submit", class: "button danger" }, "One of them is on: sign in without a device"))))) : null);
}

/** Waiting for a person to approve this browser. */
export function waiting(requestId, device, again, leave) {
  return h("main", { class: "sign-in", id: "main" },
    h("div", { class: "sign-in-card" },
      h("img", { src: "icon.svg", alt: "", width: "48", height: "48" }),
      h("h1", { tabindex: "-1" }, "Approve this browser"),
      h("p", {}, "The secret is right. A browser on another machine is let in once somebody with access has approved it:"),
      h("pre", { class: "command", tabindex: "0" }, `openclaw devices approve ${requestId}`),
      h("p", { class: "quiet" }, "This device: ", short(device)),
      h("p", { class: "waiting", role: "status" }, "Waiting; this page goes on by itself."),
      h("div", { class: "actions" }, button("Try now", "primary", again), button("Cancel", "plain", leave))));
}

/** What went wrong, for a person. */
function sentence(error) {
  const reason = error.details?.reason;
  if (reason === "unauthorized") return "The gateway did not accept this token or password.";
  if (reason === "rate_limited") return `Too many wrong attempts. Try again in ${Math.ceil((error.retryAfterMs || 1000) / 1000)} s.`;
  if (reason === "device-signature-stale") return "This computer's clock and the gateway's differ by more than ten minutes. Set the clock, then try again.";
  if (error.name === "NotSupportedError") return "This browser has no Ed25519 keys, so it cannot identify this device. Use Chrome or Edge 137, Firefox 130, Safari 17 or a newer one.";
  if (error.code?.startsWith?.("close 1006")) return "The gateway does not answer. Is it running?";
  return error.message || "It did not work.";
}
