// The gateway's protocol, version 3, spoken by this page: one socket, requests with answers, events.

import { identity, obstacle } from "./identity.js";

const PROTOCOL = 3;
const CLIENT = "openclaw-control-ui";
const MODE = "ui";
const ROLE = "operator";
const SCOPES = ["operator.admin", "operator.approvals", "operator.pairing"];
const PATIENCE = 30_000;

/** An error that the gateway answered with, or that the connection came to. */
export class Refused extends Error {
  constructor(message, { code = "", details = null, retryAfterMs = 0 } = {}) {
    super(message);
    this.code = code;
    this.details = details ?? {};
    this.retryAfterMs = retryAfterMs;
  }
}

/** The only gateway that this page talks to: the one that served it. Nothing in a link changes that. */
export function address() {
  const here = new URL(".", document.baseURI);
  return `${here.protocol === "https:" ? "wss:" : "ws:"}//${here.host}${here.pathname}`;
}

function platform() {
  return navigator.userAgentData?.platform || navigator.platform || "web";
}

/** One connection. */
export class Wire extends EventTarget {
  #socket = null;
  #waiting = new Map();
  #count = 0;
  #heard = 0;
  #watch = null;
  hello = null;
  device = null;

  /** Connects; resolves with the greeting. `withoutDevice`: only for a gateway whose break-glass switch is on. */
  async connect(secret, { withoutDevice = false } = {}) {
    const device = withoutDevice || obstacle() ? null : await identity();
    this.device = device?.id ?? null;
    const socket = new WebSocket(address());
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let refusal = null;
      const late = setTimeout(() => {
        refusal = new Refused("the gateway did not greet in time");
        socket.close();
      }, PATIENCE);
      socket.addEventListener("message", async (message) => {
        this.#heard = Date.now();
        const frame = read(message.data);
        if (frame?.type === "event" && frame.event === "connect.challenge" && !this.hello) {
          const params = await this.#introduce(device, secret, frame.payload.nonce);
          this.#send("connect", params).then((hello) => {
            clearTimeout(late);
            this.hello = hello;
            this.#guard(hello.policy?.tickIntervalMs ?? 30_000);
            resolve(hello);
          }, (error) => { refusal = error; });
        } else if (frame) {
          this.#take(frame);
        }
      });
      socket.addEventListener("close", (event) => {
        clearTimeout(late);
        clearInterval(this.#watch);
        const why = refusal ?? new Refused(event.reason || "the connection ended", { code: `close ${event.code}` });
        for (const { reject: fail } of this.#waiting.values()) fail(why);
        this.#waiting.clear();
        if (!this.hello) reject(why);
        else this.dispatchEvent(new CustomEvent("ended", { detail: { code: event.code, reason: event.reason } }));
      });
    });
  }

  async #introduce(device, secret, nonce) {
    const params = {
      minProtocol: PROTOCOL,
      maxProtocol: PROTOCOL,
      client: { id: CLIENT, displayName: "Web console", version: "1", platform: platform(), mode: MODE },
      role: ROLE,
      scopes: SCOPES,
      locale: navigator.language,
    };
    // The gateway is in one of two modes and looks at the member of its own.
    if (secret) params.auth = { token: secret, password: secret };
    if (device) {
      params.device = await device.prove({ clientId: CLIENT, mode: MODE, role: ROLE, scopes: SCOPES, token: secret, nonce });
    }
    return params;
  }

  /** Ends the connection when nothing was heard for two intervals: a socket can be dead without saying so. */
  #guard(interval) {
    this.#watch = setInterval(() => {
      if (Date.now() - this.#heard > 2 * interval) this.#socket.close(4000, "nothing heard");
    }, interval / 2);
  }

  #send(method, params) {
    const id = String((this.#count += 1));
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Refused(`${method}: no answer in time`));
      }, PATIENCE);
      const settle = (then) => (value) => {
        clearTimeout(late);
        then(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#socket.send(JSON.stringify({ type: "req", id, method, params }));
    });
  }

  #take(frame) {
    if (frame.type === "event") {
      this.dispatchEvent(new CustomEvent(`event:${frame.event}`, { detail: frame.payload }));
      return;
    }
    const asked = this.#waiting.get(frame.id);
    if (frame.type !== "res" || !asked) return;
    this.#waiting.delete(frame.id);
    if (frame.ok) asked.resolve(frame.payload);
    else asked.reject(new Refused(frame.error?.message ?? "the gateway refused", frame.error));
  }

  /** Calls a method. */
  call(method, params = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Refused("not connected"));
    return this.#send(method, params);
  }

  /** Whether the gateway offers a method. */
  offers(method) {
    return this.hello?.features?.methods?.includes(method) ?? false;
  }

  close() {
    this.#socket?.close(1000);
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
