// Bars that lead to their images. Drawn as SVG, so that one can be looked at by itself.
import { html, useEffect, useSignal } from "./html.js";
import { get, ofSet } from "./api.js";
import { go, set, summary } from "./state.js";
import { count, reasonName, texts } from "./texts.js";

/** @typedef {{name: string, n: number, filter?: Record<string, any>, kind?: import("./state.js").Place}} Bar */

const SHOWN = 24;

/** @param {any} one @returns {Bar|null} */
function bar(one) {
  const n = one.n ?? one.kept;
  if (typeof n !== "number") return null;
  const range = one.lo === undefined ? undefined : one.hi === null || one.hi === undefined ? `≥ ${count(one.lo)}` : `${count(one.lo)} – ${count(one.hi)}`;
  // of sources over time: hour "2026-11-29T10" and source
  const then = one.hour && texts.sourceThen(one.source, one.hour);
  return { name: String((one.name ?? one.label ?? range ?? then) || texts.notStated), n, filter: one.filter ?? (one.hour && { sources: [one.source] }), kind: one.kind };
}

export function Charts() {
  const found = useSignal(/** @type {any} */ (null));
  const revision = summary.value?.revision;
  useEffect(() => {
    let mine = true;
    get(`${ofSet(/** @type {string} */ (set.value))}/charts`).then(
      (answer) => mine && (found.value = answer),
      (error) => mine && (found.value = { error: error.message }),
    );
    return () => void (mine = false);
  }, [set.value, revision]);
  const answer = found.value;
  if (!answer) return html`<p class="empty">${texts.loading}</p>`;
  if (answer.error) return html`<p class="empty bad">${answer.error}</p>`;
  const first = (/** @type {string} */ name) => (texts.charts[name] ? Object.keys(texts.charts).indexOf(name) : Infinity);
  const charts = Object.entries(answer).sort(([one], [other]) => first(one) - first(other)).flatMap(([name, given]) => {
    if (!Array.isArray(given)) return [];
    const bars = given.map(bar).filter(Boolean);
    return bars.some((one) => one && one.n > 0) ? [[name, bars]] : [];
  });
  if (!charts.length) return html`<p class="empty">${texts.noCharts}</p>`;
  return html`<div class="charts">${charts.map(([name, bars]) => html`<${Chart} key=${name} name=${name} bars=${bars} />`)}</div>`;
}

/** @param {{name: string, bars: Bar[]}} props */
function Chart({ name, bars }) {
  const all = useSignal(false);
  const shown = all.value ? bars : bars.slice(0, SHOWN);
  const most = Math.max(1, ...bars.map((one) => one.n));
  const kind = name === "reasons" ? "not_kept" : "images";
  return html`<figure class="chart"><figcaption>${texts.charts[name] ?? name.replaceAll("_", " ")}</figcaption>
    <ul>${shown.map((one) => html`<li key=${one.name}><${Row} one=${one} most=${most} kind=${one.kind ?? kind} /></li>`)}</ul>
    ${bars.length > SHOWN && html`<button onClick=${() => (all.value = !all.value)}>${all.value ? texts.close : `+ ${count(bars.length - SHOWN)} ${texts.others}`}</button>`}
  </figure>`;
}

/** @param {{one: Bar, most: number, kind: import("./state.js").Place}} props */
function Row({ one, most, kind }) {
  const share = (100 * one.n) / most;
  const inner = html`<span class="name" title=${one.name}>${kind === "not_kept" ? reasonName(one.name) : one.name}</span>
    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="10" /><rect width=${one.n ? Math.max(share, 0.6) : 0} height="10" /></svg>
    <span class="n">${count(one.n)}</span>`;
  if (!one.filter) return html`<div class="bar">${inner}</div>`;
  return html`<button class="bar" title=${texts.bar(one.name, one.n)} onClick=${() => go(kind, { filter: one.filter })}>${inner}</button>`;
}
