// The filter: what is shown, by label, source, host, licence, reason, decision, size and measure.
import { html } from "./html.js";
import { narrow, filter, place, summary } from "./state.js";
import { count, reasonName, texts } from "./texts.js";

const DECISIONS = ["kept_by_hand", "undecided", "rejected"];
const RANGES = ["width", "height", "size_bytes", "aspect"];

/** @typedef {{name: string, n?: number, kept?: number, wanted?: number|null, sentence?: string}} Choice */

/** @param {any} given @returns {Choice[]} */
const choices = (given) => (given ?? []).map((/** @type {any} */ one) => (typeof one === "string" ? { name: one } : one));

export function Filters() {
  const s = summary.value;
  if (!s) return null;
  const notKept = place.value === "not_kept";
  return html`<div class="filters-inner">
    <${Group} field="labels" among=${choices(s.labels)} open />
    ${notKept ? html`<${Group} field="reasons" among=${choices(s.reasons)} open />` : html`<${Group} field="decisions" among=${DECISIONS.map((name) => ({ name }))} names=${texts.decisionNames} open />
      ${choices(s.refusals).length > 0 && html`<${Group} field="reasons" among=${choices(s.refusals)} names=${{ "": texts.withoutReasonGiven }} />`}`}
    ${!notKept && html`<${Colour} />`}
    <${Group} field="sources" among=${choices(s.sources)} />
    <${Group} field="licences" among=${choices(s.licences)} />
    <${Group} field="hosts" among=${choices(s.hosts)} note=${choices(s.hosts).length >= 50 ? texts.hostsCut : ""} />
    ${!notKept && html`<${Shape} />`}
    ${!notKept && html`<details class="filter-group" open=${Boolean(filter.value.ranges)}><summary>${texts.ranges}</summary>
      ${[...RANGES, ...(s.measures ?? []).filter((/** @type {string} */ m) => !RANGES.includes(m))].map((m) => html`<${Range} key=${m} measure=${m} />`)}
    </details>`}
  </div>`;
}

/** @param {{field: string, among: Choice[], names?: Record<string, string>, open?: boolean, note?: string}} props */
function Group({ field, among, names, open, note }) {
  const chosen = /** @type {string[]} */ (filter.value[field] ?? []);
  // what the address bar brought along stays to be seen, and to be switched off
  const listed = [...among, ...chosen.filter((name) => !among.some((one) => one.name === name)).map((name) => ({ name }))];
  if (!listed.length) return null;
  const change = (/** @type {string} */ name, /** @type {boolean} */ on) =>
    narrow({ [field]: on ? [...chosen, name] : chosen.filter((one) => one !== name) });
  return html`<details class="filter-group" open=${open || chosen.length > 0}><summary>${texts.groupsOfFilter[field]}${chosen.length ? html` <b class="chip">${chosen.length}</b>` : ""}</summary>
    <ul>${listed.map((/** @type {Choice} */ one) => html`<li key=${one.name}><label class="choice">
      <input type="checkbox" checked=${chosen.includes(one.name)} onChange=${(/** @type {any} */ e) => change(one.name, e.currentTarget.checked)} />
      <span class="name" title=${one.sentence ?? one.name}>${names?.[one.name] ?? (field === "reasons" ? reasonName(one.name) : one.name || texts.notStated)}</span>
      <span class="n">${amount(one)}</span></label></li>`)}</ul>
    ${note && html`<p class="quiet">${note}</p>`}
  </details>`;
}

/** A colour that the picture has: some of a short palette, or any. */
function Colour() {
  const chosen = filter.value.colour ?? "";
  const pick = (/** @type {string} */ colour) => narrow({ colour: colour === chosen ? "" : colour });
  return html`<details class="filter-group" open=${chosen !== ""}><summary>${texts.colour}${chosen ? html` <b class="chip">1</b>` : ""}</summary>
    <div class="palette" role="group" aria-label=${texts.colour}>${texts.palette.map(([name, colour]) => html`<button key=${colour} class="swatch" aria-label=${name} title=${name}
      aria-pressed=${chosen === colour} onClick=${() => pick(colour)}><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill=${colour} /></svg></button>`)}</div>
    <label class="field-line">${texts.anyColour}<input type="color" value=${chosen || "#808080"} onChange=${(/** @type {any} */ e) => narrow({ colour: e.currentTarget.value })} /></label>
    ${chosen && html`<button onClick=${() => narrow({ colour: "" })}>${texts.noColour} ${chosen}</button>`}
    <p class="quiet">${texts.colourMeans}</p></details>`;
}

const SHAPES = /** @type {[string, [number|null, number|null]][]} */ ([["tall", [null, 0.95]], ["square", [0.95, 1.05]], ["wide", [1.05, null]], ["panorama", [2, null]]]);

/** The range of width to height by names. */
function Shape() {
  const now = JSON.stringify(filter.value.ranges?.aspect ?? null);
  const chosen = SHAPES.find(([, bounds]) => JSON.stringify(bounds) === now)?.[0] ?? (now === "null" ? "" : "own");
  const pick = (/** @type {string} */ name) => {
    const ranges = { ...filter.value.ranges };
    delete ranges.aspect;
    const bounds = SHAPES.find(([one]) => one === name)?.[1];
    narrow({ ranges: bounds ? { ...ranges, aspect: bounds } : ranges });
  };
  return html`<div class="filter-group"><label class="field-line">${texts.shape}<select value=${chosen} onChange=${(/** @type {any} */ e) => e.currentTarget.value !== "own" && pick(e.currentTarget.value)}>
    <option value="">${texts.anyShape}</option>${SHAPES.map(([name]) => html`<option key=${name} value=${name}>${texts.shapes[name]}</option>`)}
    ${chosen === "own" && html`<option value="own">${texts.ownShape}</option>`}</select></label></div>`;
}

/** @param {Choice} one */
function amount(one) {
  if (one.kept !== undefined) return one.wanted ? `${count(one.kept)} / ${count(one.wanted)}` : count(one.kept);
  return one.n === undefined ? "" : count(one.n);
}

/** @param {{measure: string}} props */
function Range({ measure }) {
  const [low, high] = filter.value.ranges?.[measure] ?? [null, null];
  const change = (/** @type {number} */ end, /** @type {string} */ typed) => {
    const both = [low, high];
    both[end] = typed === "" ? null : Number(typed);
    const ranges = { ...filter.value.ranges, [measure]: both };
    if (both[0] === null && both[1] === null) delete ranges[measure];
    narrow({ ranges });
  };
  const field = (/** @type {number} */ end, /** @type {number|null} */ value) => html`<input type="number" step="any" inputmode="decimal"
    aria-label=${`${texts.measure(measure)} ${end ? texts.to : texts.from}`} placeholder=${end ? texts.to : texts.from}
    value=${value ?? ""} onChange=${(/** @type {any} */ e) => change(end, e.currentTarget.value)} />`;
  return html`<div class="range"><span>${texts.measure(measure)}</span>${field(0, low)}${field(1, high)}</div>`;
}
