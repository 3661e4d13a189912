// The third-party scripts, in one place and with the types that the rest relies on.
import { Fragment, h, render } from "./vendor/preact.js";
import { useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { batch, computed as bareComputed, effect, signal as bare, useSignal as bareUse } from "./vendor/signals.js";
import htm from "./vendor/htm.js";

/** @typedef {any} Node A piece of the page, as `html` makes it. */

/** @type {(strings: TemplateStringsArray, ...values: any[]) => Node} */
export const html = htm.bind(h);

/** A sentence of ours in which what stands between backticks is a command. @param {string} text @returns {Node[]} */
export const coded = (text) => text.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));

/**
 * @template T
 * @param {T} value
 * @returns {{value: T, peek(): T, subscribe(run: (value: T) => void): () => void}}
 */
export function signal(value) {
  return /** @type {any} */ (bare)(value);
}

/**
 * @template T
 * @param {T} value
 * @returns {{value: T, peek(): T}}
 */
export function useSignal(value) {
  return /** @type {any} */ (bareUse)(value);
}

/**
 * @template T
 * @param {() => T} make
 * @returns {{readonly value: T, peek(): T}}
 */
export function computed(make) {
  return /** @type {any} */ (bareComputed)(make);
}

export { Fragment, batch, effect, render, useEffect, useLayoutEffect, useRef, useState };
