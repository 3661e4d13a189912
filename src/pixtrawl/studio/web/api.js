// Every request to the server.
import { texts } from "./texts.js";

/** The server refused, or cannot be reached; `message` is a sentence for people. */
export class Refused extends Error {
  /** @param {string} message @param {number} status @param {any} body */
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/**
 * @param {string} path @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
async function request(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw new Refused(texts.serverGone, 0, null);
  }
  const body = await answer.json().catch(() => null);
  if (answer.ok) return body;
  const sentence = body?.error || texts.refusedWith(answer.status);
  throw new Refused(answer.status === 401 || answer.status === 403 ? `${sentence} ${texts.openAgain}` : sentence, answer.status, body);
}

/** @param {string} path @param {AbortSignal} [signal] */
export const get = (path, signal) => request(path, { signal });

/** @param {string} path @param {unknown} body */
export const post = (path, body) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** @param {string} set */
export const ofSet = (set) => `/api/sets/${encodeURIComponent(set)}`;

/** @param {string} set @param {{id: string, v?: string}} item @param {number} px */
export function thumbAddress(set, item, px) {
  const version = item.v ? `&v=${encodeURIComponent(item.v)}` : "";
  return `${ofSet(set)}/thumbs/${encodeURIComponent(item.id)}?px=${px}${version}`;
}

/** @param {string} set @param {string} image */
export const pictureAddress = (set, image) => `${ofSet(set)}/pictures/${encodeURIComponent(image)}`;
