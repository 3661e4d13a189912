// The class check: likely wrong labels, outliers, labels that overlap, bias, labels with few images.
import { coded, html, useEffect, useRef, useSignal } from "./html.js";
import { get, ofSet, post, thumbAddress } from "./api.js";
import * as state from "./state.js";
import { count, texts } from "./texts.js";

const POLL_MS = 600;

export function Check() {
  const found = useSignal(/** @type {any} */ (null));
  const asked = useRef(0);
  const read = async (/** @type {boolean} */ again) => {
    const mine = ++asked.current;
    try {
      const answer = await get(`${ofSet(/** @type {string} */ (state.set.value))}/check${again ? "?again=1" : ""}`);
      if (mine !== asked.current) return;
      found.value = answer;
      if (answer.state === "working") setTimeout(() => mine === asked.current && void read(false), POLL_MS);
    } catch (error) {
      if (mine === asked.current) found.value = { error: /** @type {Error} */ (error).message };
    }
  };
  useEffect(() => {
    found.value = null;
    void read(false);
    return () => void asked.current++;
  }, [state.set.value]);
  const c = found.value;
  const stop = async () => {
    asked.current++;
    try {
      found.value = await post(`${ofSet(/** @type {string} */ (state.set.value))}/check/stop`, {});
    } catch (error) {
      state.sayError(error);
      void read(false);
    }
  };
  if (c?.state === "stopped") return html`<div class="empty" role="status"><p>${texts.checkStopped}</p><button class="main" onClick=${() => ((found.value = null), read(false))}>${texts.checkAgain}</button></div>`;
  if (!c || c.state === "working") return html`<div class="empty" role="status"><p>${texts.checking}</p><progress value=${c?.done} aria-label=${texts.checking}></progress>
    ${c && html`<p><button onClick=${stop}>${texts.checkStop}</button></p>`}</div>`;
  if (c.error) return html`<p class="empty bad">${c.error}</p>`;
  if (!c.images) return html`<p class="empty">${texts.none.check}</p>`;
  const nothing = !c.doubts.total && !c.overlaps.length && !c.biases.length && !c.small.length;
  return html`<div class="check">
    <p class="lead">${coded(texts.checked(c.images, c.by, c.model))} <button onClick=${() => ((found.value = null), read(true))}>${texts.checkAgain}</button></p>
    ${nothing && html`<p>${texts.checkNothing}</p>`}
    ${c.doubts.total > 0 && html`<section><h2>${texts.doubtsTitle(c.doubts.total)}</h2>
      <${Tiles} place="doubts" items=${c.doubts.first.map((/** @type {any} */ one) => ({ ...one.item, like: one.like }))} />
      <button class="main" onClick=${() => state.go("doubts")}>${texts.goThrough(c.doubts.total)}</button></section>`}
    <section><h2>${texts.outliersTitle}</h2><p class="quiet">${texts.outliersMeans}</p>
      <button onClick=${() => state.go("images", { sort: { by: "outlier", descending: false } })}>${texts.outliersShow}</button></section>
    ${c.overlaps.length > 0 && html`<section><h2>${texts.overlapsTitle}</h2>${c.overlaps.map((/** @type {any} */ one) => html`<div class="finding" key=${one.labels.join()}>
      <p><b>${one.labels[0]}</b> / <b>${one.labels[1]}</b>: ${texts.overlap(one.share)}</p><${Tiles} items=${one.items} />
      <button onClick=${() => state.go("images", { filter: { labels: one.labels } })}>${texts.showBoth}</button></div>`)}</section>`}
    ${c.biases.length > 0 && html`<section><h2>${texts.biasTitle}</h2>${c.biases.map((/** @type {any} */ one) => html`<div class="finding" key=${one.label + one.kind}>
      <p>${texts.bias(one)}</p><${Tiles} items=${one.items} />
      <button onClick=${() => state.go("images", one.kind === "host" ? { filter: { labels: [one.label], hosts: [one.what] } } : { filter: { labels: [one.label] }, similar: one.items.slice(0, 1).map((/** @type {any} */ item) => item.id) })}>${texts.showThese}</button></div>`)}</section>`}
    ${c.small.length > 0 && html`<section><h2>${texts.smallTitle}</h2><ul>${c.small.map((/** @type {any} */ one) => html`<li key=${one.label}>
      <button onClick=${() => state.go("images", { filter: { labels: [one.label] } })}>${one.label}</button> ${texts.small(one.images, one.median)}</li>`)}</ul></section>`}
  </div>`;
}

/** Pictures that lead to themselves in a view. @param {{items: any[], place?: import("./state.js").Place}} props */
const Tiles = ({ items, place = "images" }) => html`<ul class="tiles">${items.map((item) => html`<li key=${item.id}><button title=${texts.showIn(texts.caption(item))} onClick=${() => state.goToImage(place, item.n)}>
  <img src=${thumbAddress(/** @type {string} */ (state.set.value), item, 160)} alt=${texts.pictureOf(item)} loading="lazy" />
  <span class="caption">${texts.caption({ ...item, like: undefined })}</span>
  ${item.like !== undefined && html`<span class="caption like">${texts.rather(item.like)}</span>`}</button></li>`)}</ul>`;

/** Only groups whose labels differ. */
export function OnlyConflicts() {
  const turn = (/** @type {boolean} */ on) => {
    state.conflictsOnly.value = on;
    void state.showView();
  };
  return html`<label class="choice"><input type="checkbox" checked=${state.conflictsOnly.value} onChange=${(/** @type {any} */ e) => turn(e.currentTarget.checked)} />
    <span class="name">${texts.onlyConflicts}</span></label>`;
}
