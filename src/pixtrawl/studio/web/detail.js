// One image: the picture in large, and all that is known of it.
import { html, useEffect, useSignal } from "./html.js";
import { captionAsking } from "./captions.js";
import { get, ofSet, pictureAddress, thumbAddress } from "./api.js";
import * as state from "./state.js";
import { factName, reasonName, texts } from "./texts.js";

/** An untrusted address becomes a link only where it is one of the web. @param {unknown} address */
export function link(address) {
  const text = String(address ?? "");
  if (!/^https?:\/\//i.test(text)) return text;
  return html`<a href=${text} target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
}

/** @param {unknown} value */
function plain(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value) || typeof value === "object") return html`<code>${JSON.stringify(value, null, 1)}</code>`;
  return link(value);
}

/** @param {{rows: [string, unknown][]}} props */
const Facts = ({ rows }) => html`<dl class="facts">${rows.filter(([, v]) => v !== null && v !== undefined && v !== "").map(
  ([name, value]) => html`<div key=${name}><dt>${factName(name)}</dt><dd>${plain(value)}</dd></div>`)}</dl>`;

export function Viewer() {
  const item = state.currentItem.value;
  const failed = useSignal("");
  if (!state.opened.value || !item) return null;
  const address = pictureAddress(/** @type {string} */ (state.set.value), item.id);
  return html`<div class="viewer" data-decision=${item.decision ?? ""} onClick=${() => (state.opened.value = false)}>
    ${failed.value === address || item.v === "" ? html`<p class="empty">${texts.noPicture}</p>`
      : html`<img src=${address} alt=${texts.pictureOf(item)} onError=${() => (failed.value = address)} />`}
    <p class="viewer-line"><span>${texts.position(state.current.value, state.view.value?.total ?? 0)}</span><b>${item.label}</b>
      ${texts.badge(item) && html`<span class="badge" data-decision=${item.decision ?? ""}>${texts.badge(item)}</span>`}<span class="quiet">${item.title}</span></p>
  </div>`;
}

export function Detail() {
  const item = state.currentItem.value;
  const found = useSignal(/** @type {any} */ (null));
  const broken = useSignal(""); // its file was not kept
  const id = item?.id;
  useEffect(() => {
    if (found.value?.of !== id) found.value = null;
    if (!id || !state.set.value) return;
    const request = new AbortController();
    // somebody who holds an arrow key down does not want every image's details
    const later = setTimeout(async () => {
      try {
        const answer = await get(`${ofSet(/** @type {string} */ (state.set.value))}/images/${encodeURIComponent(id)}`, request.signal);
        found.value = { ...answer, of: id };
      } catch (error) {
        if (/** @type {Error} */ (error).name !== "AbortError") found.value = { error: /** @type {Error} */ (error).message };
      }
    }, 120);
    return () => {
      clearTimeout(later);
      request.abort();
    };
  }, [id, item?.decision, item?.label, state.captionTick.value]);
  if (!item) return html`<p class="empty">${texts.noImage}</p>`;
  const d = found.value;
  return html`<div class="detail-inner">
    ${item.v === "" || broken.value === item.id ? html`<p class="detail-picture none">${texts.noPicture}</p>` : html`<img class="detail-picture" src=${thumbAddress(/** @type {string} */ (state.set.value), item, 320)} alt="" onError=${() => (broken.value = item.id)} />`}
    ${item.title && html`<p class="title">${item.title}</p>`}
    <${Facts} rows=${[[texts.facts.label, item.label], [texts.facts.number, item.n], [texts.facts.pixels, item.w ? `${item.w} × ${item.h}` : ""],
      [texts.facts.decision, item.decision], [texts.facts.reason, item.reason && reasonName(item.reason)], [texts.facts.licence, item.licence], [texts.facts.host, item.src_host]]} />
    ${!d ? html`<p class="quiet">${texts.loading}</p>` : d.error ? html`<p class="bad">${d.error}</p>` : html`<${More} d=${d} />`}
  </div>`;
}

/** Fields that have a section of their own. */
const OWN = new Set(["provenance", "licence", "licence_evidence", "hashes", "copies", "history", "id", "n", "item", "caption", "sentence", "of"]);
const HASHES = /^(sha256|md5|crc32c?|[a-z]*hash\w*)$/;
const LICENCE = /^(licen[cs]e|attribution|author|creator|rights)/;

/** @param {{d: any}} props */
function More({ d }) {
  const entries = (/** @type {any} */ of) => /** @type {[string, unknown][]} */ (of && typeof of === "object" && !Array.isArray(of) ? Object.entries(of) : []);
  const places = Array.isArray(d.provenance) ? d.provenance : d.provenance ? [d.provenance] : [];
  const metadata = entries(d.metadata);
  const some = (/** @type {RegExp} */ which) => {
    const found = metadata.filter(([name]) => which.test(name));
    return found.length ? Object.fromEntries(found) : null;
  };
  const licence = d.licence_evidence ?? d.licence ?? some(LICENCE);
  const hashes = d.hashes ?? some(HASHES);
  const fields = entries(d.metadata ?? d.fields ?? Object.fromEntries(entries(d).filter(([name]) => !OWN.has(name))));
  return html`
    ${d.sentence && html`<p class="why">${d.sentence[0].toUpperCase()}${d.sentence.slice(1)}.</p>`}
    ${d.caption && d.of.startsWith("s") && html`<h2>${texts.sections.caption}</h2>${d.caption.text ? html`<p class="words">${d.caption.text}</p><p class="quiet">${texts.captionFrom(d.caption.origin)}</p>` : html`<p class="quiet">${texts.noCaption}</p>`}
      <button onClick=${captionAsking}>${texts.captionEdit} <kbd>c</kbd></button>`}
    <h2>${texts.sections.origin}</h2>
    ${places.map((/** @type {any} */ one, /** @type {number} */ i) => html`<${Facts} key=${i} rows=${typeof one === "string" ? [["", one]] : entries(one)} />`)}
    ${licence && html`<h2>${texts.sections.licence}</h2><${Facts} rows=${typeof licence === "string" ? [["", licence]] : entries(licence)} />`}
    ${hashes && html`<h2>${texts.sections.hashes}</h2><${Facts} rows=${entries(hashes)} />`}
    <h2>${texts.sections.copies}</h2>
    ${d.copies?.length ? html`<ul class="copies">${d.copies.map((/** @type {any} */ one) => html`<li key=${one.id}>
      <img src=${thumbAddress(/** @type {string} */ (state.set.value), one, 160)} alt="" loading="lazy" />
      <div><b>${reasonName(one.reason)}</b> ${typeof one.distance === "number" ? texts.distance(one.distance) : ""}<br />${link(one.url)}</div></li>`)}</ul>`
      : html`<p class="quiet">${texts.noCopies}</p>`}
    <h2>${texts.sections.history}</h2>
    ${d.history?.length ? html`<ol class="history">${d.history.map((/** @type {any} */ one, /** @type {number} */ i) => html`<li key=${i}>${typeof one === "string" ? one : html`<${Facts} rows=${entries(one)} />`}</li>`)}</ol>`
      : html`<p class="quiet">${texts.noHistory}</p>`}
    <details><summary>${texts.sections.all}</summary><${Facts} rows=${fields} /></details>`;
}
