// The map: each image where those like it are, coloured by label; a lasso selects for the keys and buttons.
import { batch, effect, html, signal, useEffect, useRef, useSignal } from "./html.js";
import { get, ofSet, post, thumbAddress } from "./api.js";
import { legend, OTHERS, Plot } from "./plot.js";
import * as state from "./state.js";
import { count, texts } from "./texts.js";

const POLL_MS = 600;

/** What the server said last: points, or how far they are. */
export const map = signal(/** @type {any} */ (null));
let asked = 0;

/** Read the places of the images that the filter leaves, the lasso aside. */
async function read() {
  const mine = ++asked;
  const set = /** @type {string} */ (state.set.value);
  try {
    const view = await post(`${ofSet(set)}/views`, { kind: "images", filter: state.filter.value });
    const found = await get(`${ofSet(set)}/map?view=${encodeURIComponent(view.view)}`);
    if (mine !== asked) return;
    map.value = found;
    if (found.state === "working") setTimeout(() => mine === asked && void read(), POLL_MS);
  } catch (error) {
    if (mine === asked) map.value = { state: "failed", error: /** @type {Error} */ (error).message };
  }
}

/** Select what lies in these lines, as all that is shown. @param {[number, number][][]} lines @param {boolean} add */
async function select(lines, add) {
  const before = state.lasso.value;
  state.lasso.value = add ? [...before, ...lines].slice(-16) : lines;
  await state.showView();
  const total = state.view.value?.total ?? 0;
  if (total) {
    state.selection.value = { kind: "all" };
    return state.say(texts.lassoed(total));
  }
  state.lasso.value = before;
  await state.showView();
  state.say(texts.lassoEmpty);
}

/** Make an image of the map the current one. @param {number} n */
async function choose(n) {
  const view = state.view.value;
  const index = view && (await state.indexOf(view.view, n));
  if (typeof index !== "number") return state.say(texts.notInView(String(n)), { bad: true });
  batch(() => {
    state.selection.value = null;
    state.current.value = index;
  });
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    state.say(texts.copied);
  } catch { // the browser allows it to nobody: the words can be marked
    state.say(texts.notCopied, { bad: true });
  }
}

export function MapView() {
  const m = map.value;
  const where = `${state.set.value} ${JSON.stringify(state.filter.value)} ${state.view.value?.revision}`;
  useEffect(() => void read(), [where]);
  useEffect(() => () => void (asked++, (map.value = null)), [state.set.value]);
  if (!m) return html`<p class="empty" role="status">${texts.loading}</p>`;
  if (m.state === "failed") return html`<p class="empty bad">${m.error}</p>`;
  if (m.state === "none") return html`<div class="empty map-none"><p>${texts.mapNone}</p><p><code>${m.command.split(" ").map((/** @type {string} */ word) => html`<span class="word">${word}</span> `)}</code></p>
    <button onClick=${() => void copy(m.command)}>${texts.copyCommand}</button></div>`;
  if (m.state === "working") return html`<div class="empty" role="status"><p>${texts.mapWorking}</p><progress value=${m.done} aria-label=${texts.mapWorking}></progress></div>`;
  return html`<${Field} points=${m} />`;
}

/** The point of the current image; -1 without one. @param {any} points */
function currentPoint(points) {
  const id = state.currentItem.value?.id;
  return id && points?.ids ? points.ids.indexOf(Number(id.slice(1))) : -1;
}

/** @param {{points: any}} props */
function Field({ points }) {
  const field = useRef(/** @type {any} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const over = useSignal(-1);
  useEffect(() => {
    const drawn = (plot.current = new Plot(field.current, {
      select: (lines, add) => void select(lines, add),
      choose: (at) => void choose(map.value.n[at]),
      point: (at) => (over.value = at),
    }));
    const stop = effect(() => {
      drawn.mark(state.lasso.value, currentPoint(map.value));
    });
    return () => {
      stop();
      drawn.close();
    };
  }, []);
  useEffect(() => {
    plot.current.show(points);
    plot.current.mark(state.lasso.peek(), currentPoint(points));
  }, [points]);
  const at = over.value;
  return html`<section class="map" aria-label=${texts.places.map}>
    <div class="map-line"><span role="status">${texts.mapShown(points.shown, points.total, points.model)}</span><span class="spring"></span>
      <button aria-label=${texts.mapIn} title=${texts.mapIn} onClick=${() => plot.current.zoom(1.4)}>+</button>
      <button aria-label=${texts.mapOut} title=${texts.mapOut} onClick=${() => plot.current.zoom(1 / 1.4)}>−</button>
      <button onClick=${() => plot.current.fit()}>${texts.mapWhole}</button></div>
    <div class="map-field" ref=${field}><canvas aria-hidden="true"></canvas>
      <canvas class="map-over" role="application" tabindex="0" aria-label=${texts.mapLabel(points.shown)} aria-describedby="map-help"></canvas>
      ${at >= 0 && at < points.ids.length && html`<figure class="peek" aria-hidden="true"><img src=${thumbAddress(/** @type {string} */ (state.set.value), { id: `s${points.ids[at]}` }, 160)} alt="" />
        <figcaption>${texts.caption({ n: points.n[at], label: points.labels[points.label[at]] })}</figcaption></figure>`}</div>
    <${Legend} points=${points} />
    <p class="quiet map-help" id="map-help">${texts.mapHelp}</p>
  </section>`;
}

/** @param {{points: any}} props */
function Legend({ points }) {
  const all = legend(points).sort((a, b) => b.n - a.n);
  const named = all.filter((one) => one.colour !== OTHERS);
  const rest = all.filter((one) => one.colour === OTHERS).reduce((sum, one) => sum + one.n, 0);
  const swatch = (/** @type {string} */ colour) => html`<svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="2" fill=${colour} /></svg>`;
  return html`<ul class="legend" aria-label=${texts.mapLegend}>${named.map((one) => html`<li key=${one.name}><button title=${texts.mapOnly(one.name)} onClick=${() => state.narrow({ labels: [one.name] })}>
    ${swatch(one.colour)}<span class="name">${one.name || texts.notStated}</span> <span class="n">${count(one.n)}</span></button></li>`)}
    ${rest > 0 && html`<li class="rest">${swatch(OTHERS)} ${texts.others} <span class="n">${count(rest)}</span></li>`}</ul>`;
}
