// Questions that stand in front of the page: a reason, a word, a number, yes or no, the list of keys.
import { html, signal, useEffect, useRef } from "./html.js";
import { refill } from "./state.js";
import { texts } from "./texts.js";

/**
 * @typedef {object} Question
 * @property {"reason"|"text"|"number"|"confirm"|"keys"|"form"} kind
 * @property {string} title
 * @property {string} [field] what is typed
 * @property {string} [button]
 * @property {string[]} [among] suggestions
 * @property {string} [given] what stands in the field at first
 * @property {(props: {asked: Asked}) => any} [body] of a form: its fields; the answer is their values as JSON
 */

/**
 * A question that waits. `early` is what was typed before its field was in the page: the page is drawn at the
 * next frame, and on a busy machine a fast hand is earlier.
 * @typedef {Question & {early: string, shown: boolean, answer(to: string|null): void}} Asked
 */

/** @type {{value: Asked|null, peek(): any}} */
export const question = signal(/** @type {any} */ (null));

/**
 * Ask, and wait for the answer; null where it was called off.
 * @param {Question} asked @returns {Promise<string|null>}
 */
export function ask(asked) {
  question.peek()?.answer(null);
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      early: "",
      shown: false,
      answer(to) {
        question.value = null;
        resolve(to);
      },
    };
  });
}

/** @param {string} title @param {string} button */
export const confirmed = async (title, button) => (await ask({ kind: "confirm", title, button })) !== null;

/**
 * Keys of the question in front; called before all others.
 * @param {KeyboardEvent} event @returns {boolean} whether the key was for it
 */
export function questionKey(event) {
  const q = question.peek();
  if (!q) return false;
  if (event.key === "Escape") q.answer(null);
  else if (q.kind === "reason" && /^[1-9]$/.test(event.key)) {
    const reason = texts.rejectReasons[Number(event.key) - 1];
    if (reason) q.answer(reason);
  } else if (q.kind === "reason" && event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) q.answer("");
  else if (q.kind === "form" && event.key === "Enter" && (event.ctrlKey || event.metaKey)) /** @type {HTMLElement|null} */ (document.querySelector("dialog form button.main"))?.click();
  else if (q.shown || (q.kind !== "text" && q.kind !== "number" && q.kind !== "form")) return true; // typed into the question
  else if (event.key === "Enter") q.kind !== "form" && q.early.trim() && q.answer(q.early.trim());
  else if (event.key === "Backspace") q.early = q.early.slice(0, -1);
  else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) q.early += q.kind === "number" && !/[0-9]/.test(event.key) ? "" : event.key;
  else return true;
  event.preventDefault();
  return true;
}

/** The question in front of the page. */
export function Asking() {
  const q = question.value;
  const box = useRef(/** @type {any} */ (null));
  useEffect(() => {
    const dialog = box.current;
    if (!q || !dialog) return;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    const first = dialog.querySelector("[data-first]");
    first?.focus();
    if (q.kind !== "form") { // a form begins when its values are there
      if (q.early && first instanceof HTMLInputElement) first.value = q.early;
      else if (q.given && first instanceof HTMLInputElement) first.select();
      q.shown = true;
    }
    return () => {
      if (dialog.open) dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, [q]);
  if (!q) return null;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (q.kind === "form") return q.answer(JSON.stringify(values(event)));
    const field = /** @type {HTMLInputElement|null} */ (/** @type {HTMLFormElement} */ (event.currentTarget).elements.namedItem("answer"));
    q.answer(field ? field.value.trim() : "");
  };
  return html`<dialog ref=${box} class=${`asking ${q.kind}`} aria-labelledby="asked" onCancel=${() => q.answer(null)}>
    <form onSubmit=${submit}>
      <h2 id="asked">${q.title}</h2>
      ${q.kind === "reason" && html`<${Reasons} answer=${q.answer} />`}
      ${(q.kind === "text" || q.kind === "number") && html`<${Field} q=${q} />`}
      ${q.kind === "keys" && html`<${Keys} />`}
      ${q.kind === "form" && html`<${q.body} asked=${q} />`}
      <div class="buttons">
        <button type="button" data-first=${q.kind === "keys" || undefined} onClick=${() => q.answer(null)}>${q.kind === "keys" ? texts.close : texts.cancel} <kbd>Esc</kbd></button>
        ${q.kind !== "keys" && html`<button class="main" data-first=${q.kind === "confirm" || q.kind === "reason"}>
          ${q.kind === "reason" ? texts.withoutReason : (q.button ?? texts.apply)} <kbd>${q.kind === "form" ? "Ctrl+↵" : "↵"}</kbd>
        </button>`}
      </div>
    </form>
  </dialog>`;
}

/** The fields of a form, and the button that was pressed. @param {Event} event @returns {Record<string, string>} */
function values(event) {
  const given = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)));
  const button = /** @type {SubmitEvent} */ (event).submitter;
  if (button instanceof HTMLButtonElement && button.name) given[button.name] = button.value;
  return /** @type {Record<string, string>} */ (given);
}

/**
 * Give a field of a form the focus, and what was typed before it was there.
 * @param {Asked} asked @param {HTMLInputElement|HTMLTextAreaElement|null} field
 */
export function begin(asked, field) {
  if (!field || asked.shown) return;
  field.value += asked.early;
  asked.shown = true;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

/** @param {{answer(to: string): void}} props */
function Reasons({ answer }) {
  const turn = (/** @type {boolean} */ on) => {
    refill.value = on;
    localStorage.setItem("refill", on ? "yes" : "no");
  };
  return html`<ol class="reasons">${texts.rejectReasons.map(
    (reason, i) => html`<li key=${reason}><button type="button" onClick=${() => answer(reason)}><kbd>${i + 1}</kbd> ${reason}</button></li>`,
  )}</ol>
  <label class="choice"><input type="checkbox" checked=${refill.value} onChange=${(/** @type {any} */ e) => turn(e.currentTarget.checked)} /><span class="name">${texts.refill}</span></label>`;
}

/** @param {{q: Asked}} props */
function Field({ q }) {
  return html`<label class="field">${q.field}
    <input name="answer" data-first required value=${q.given} list=${q.among ? "among" : undefined} autocomplete="off"
      type=${q.kind === "number" ? "number" : "text"} min=${q.kind === "number" ? "1" : undefined} />
  </label>
  ${q.among && html`<datalist id="among">${q.among.map((one) => html`<option key=${one} value=${one} />`)}</datalist>`}`;
}

function Keys() {
  return html`<dl class="keys" tabindex="0" data-first aria-label=${texts.keysTitle}>${texts.keys.map(
    ([keys, what]) => html`<div key=${what}><dt>${keys.map((key) => html`<kbd key=${key}>${key}</kbd>`)}</dt><dd>${what}</dd></div>`,
  )}</dl>`;
}
