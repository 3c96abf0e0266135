// This browser as a device: an Ed25519 key that the page can use and nobody can read, kept in the browser's own store.

const STORE = "openclaw-console";
const KEYS = "keys";

/** Why this browser, at this address, has no device identity; null when it can have one. */
export function obstacle() {
  if (!window.isSecureContext || !window.crypto?.subtle) return "insecure";
  if (!window.indexedDB) return "no-store";
  return null;
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(STORE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function step(database, mode, work) {
  return new Promise((resolve, reject) => {
    const request = work(database.transaction(KEYS, mode).objectStore(KEYS));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The key pair of this browser, made at the first visit. */
async function pair() {
  const database = await open();
  try {
    const kept = await step(database, "readonly", (store) => store.get("device"));
    if (kept) return kept;
    const made = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    // Two tabs may come here at the same time: the first one to write decides.
    try {
      await step(database, "readwrite", (store) => store.add(made, "device"));
      return made;
    } catch {
      return await step(database, "readonly", (store) => store.get("device"));
    }
  } finally {
    database.close();
  }
}

function base64url(bytes) {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function hex(bytes) {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The identity: its id, and a proof for one connection. Throws when the browser has no Ed25519. */
export async function identity() {
  const { privateKey, publicKey } = await pair();
  const raw = await crypto.subtle.exportKey("raw", publicKey);
  const id = hex(await crypto.subtle.digest("SHA-256", raw));
  return {
    id,
    /** What `connect.params.device` holds: the signature covers this socket's challenge and everything that is asked for. */
    async prove({ clientId, mode, role, scopes, token, nonce }) {
      const signedAt = Date.now();
      const text = ["v2", id, clientId, mode, role, scopes.join(","), signedAt, token ?? "", nonce].join("|");
      const signature = await crypto.subtle.sign("Ed25519", privateKey, new TextEncoder().encode(text));
      return { id, publicKey: base64url(raw), signature: base64url(signature), signedAt, nonce };
    },
  };
}
