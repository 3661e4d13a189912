// The page: heading, filter, grid, details.
import { computed, effect, html, render, useLayoutEffect, useRef } from "./html.js";
import { get } from "./api.js";
import { ask, Asking } from "./asking.js";
import { captionAsking } from "./captions.js";
import { Charts } from "./charts.js";
import { Check, OnlyConflicts } from "./check.js";
import { decide, rejectAsking, relabelAsking, takeBack } from "./decide.js";
import { Detail, Viewer } from "./detail.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import { Groups } from "./groups.js";
import { focusView, listen } from "./keys.js";
import { Run } from "./live.js";
import { map, MapView } from "./map.js";
import { open, toSets } from "./opening.js";
import { Sets } from "./sets.js";
import * as state from "./state.js";
import { texts } from "./texts.js";

const PLACES = /** @type {import("./state.js").Place[]} */ (["images", "map", "not_kept", "groups", "check", "charts", "run"]);
const hasGrid = computed(() => ["images", "map", "not_kept", "doubts"].includes(state.place.value));

function Page() {
  if (state.problem.value && !state.app.value) return html`<p class="empty bad" role="alert">${state.problem.value}</p>`;
  if (!state.app.value) return html`<p class="first-words">${texts.loading}</p>`;
  return html`${state.set.value ? html`<${Studio} />` : html`<${Sets} />`}<${Said} /><${Asking} />`;
}

function Studio() {
  const grid = hasGrid.value;
  const filters = state.filtersShown.value && (grid || state.place.value === "groups");
  return html`<div class=${`studio ${filters ? "with-filters" : ""} ${state.detailShown.value && grid ? "with-detail" : ""}`}>
    <${Heading} />
    ${filters && html`<aside class="panel filters" aria-label=${texts.filters}><button class="close" aria-label=${texts.close} onClick=${() => (state.filtersShown.value = false)}>×</button><${Filters} /></aside>`}
    <main class="stage" id="main">
      ${state.problem.value ? html`<p class="empty bad" role="alert">${state.problem.value}</p>` : html`<${Stage} />`}
    </main>
    ${state.detailShown.value && grid && html`<aside class="panel detail" aria-label=${texts.details}><button class="close" aria-label=${texts.close} onClick=${() => (state.detailShown.value = false)}>×</button><${Detail} /></aside>`}
  </div>`;
}

function Stage() {
  const to = state.place.value;
  if (to === "charts") return html`<${Charts} />`;
  if (to === "check") return html`<${Check} />`;
  if (to === "run") return html`<${Run} />`;
  const v = state.view.value;
  if (!v) return html`<p class="empty">${texts.loading}</p>`;
  return html`<${CountLine} />
    ${to === "groups" ? html`<div class="count-line"><${OnlyConflicts} /></div><${Groups} />` : !v.total ? html`<p class="empty">${v.done < 1 ? texts.notYet(v.done) : state.filtered.value ? texts.none.filtered : texts.none[to]}
      ${state.filtered.value && html`<br /><button onClick=${() => state.go(to)}>${texts.showAll}</button>`}</p>`
    : to === "map" ? html`<${MapPlace} />` : html`<div class="field-of-view"><${Grid} key=${to} /><${Viewer} /></div><${Actions} />`}`;
}

/** The map, and beside it the images that it selects. */
function MapPlace() {
  const alone = map.value?.state === "none";
  return html`<div class="map-outer"><div class=${`map-place ${alone ? "alone" : ""}`}><${MapView} />${!alone && html`<div class="field-of-view"><${Grid} key="map" /><${Viewer} /></div>`}</div></div>${!alone && html`<${Actions} />`}`;
}

/** Whether the order, or the choice, of the images needs them compared. */
const comparing = () => state.similarTo.value.length > 0 || state.meaning.value !== "" || state.place.value === "doubts" || state.sort.value.by === "outlier";

/** How much is shown, loudly where it is not all. */
function CountLine() {
  const v = state.view.value;
  if (state.place.value === "groups" && !state.filtered.value && !state.stale.value) return null;
  const part = state.filtered.value && !state.similarTo.value.length && !state.meaning.value;
  return html`<div class=${`count-line ${state.filtered.value ? "loud" : ""}`} role="status">
    <span class="count">${state.meaning.value ? texts.meant(state.meaning.value, v.total, v.of) : state.similarTo.value.length ? texts.alike(state.similarTo.value.length, v.by) : part || v.total !== v.of ? texts.showing(v.total, v.of)
      : state.place.value === "doubts" ? (v.done < 1 ? texts.checking : texts.doubtsShown(v.total, v.by)) : state.sort.value.by === "outlier" && v.by ? texts.outliersShown(v.total, v.by)
      : state.place.value === "not_kept" ? texts.allNotKept(v.total) : state.place.value === "groups" ? "" : texts.all(v.total)}</span>
    ${v.done < 1 ? html`<span class="so-far">${texts.soFar(v.done, comparing() ? "compared" : state.filter.value.colour ? "colours" : "read")}</span>` : state.busy.value && html`<span class="so-far">${texts.busy}</span>`}
    ${state.filtered.value && html`<button onClick=${() => state.go(state.place.value)}>${texts.showAll}</button>`}
    ${state.stale.value && html`<button class="main" onClick=${() => state.showView({ keep: true })}>${texts.newState}</button>`}
    <span class="spring"></span>
    ${hasGrid.value && state.place.value !== "doubts" && html`<${Sorting} />`}
    ${hasGrid.value && html`<span class="sizes"><button aria-label=${texts.smaller} title=${texts.smaller} onClick=${() => resize(0.8)}>−</button><button aria-label=${texts.larger} title=${texts.larger} onClick=${() => resize(1.25)}>+</button></span>`}
  </div>`;
}

function Sorting() {
  const names = ["number", "newest", "random", ...(state.place.value === "images" ? ["outlier", "width", "height", "size_bytes", "aspect", ...(state.summary.value?.measures ?? [])] : [])];
  const given = state.sort.value;
  const alike = state.similarTo.value.length > 0 || state.meaning.value !== "";
  const by = alike ? { by: "similar", descending: false } : given;
  if (alike) names.unshift("similar");
  return html`<span class="sorting"><label class="sorting"><span>${texts.sortLabel}</span>
    <select aria-label=${texts.sortLabel} value=${by.by} onChange=${(/** @type {any} */ e) => { state.order({ ...given, by: e.currentTarget.value }); focusView(); }}>
      ${[...new Set(names)].map((name) => html`<option key=${name} value=${name}>${texts.sorts[name] ?? name}</option>`)}</select></label>
    ${!alike && html`<button aria-label=${by.descending ? texts.descending : texts.ascending} title=${by.descending ? texts.descending : texts.ascending}
      onClick=${() => state.order({ ...by, descending: !by.descending })}>${by.descending ? "↓" : "↑"}</button>`}</span>`;
}

/** What can be done with the current or the selected images. */
function Actions() {
  const n = state.selectedCount.value;
  const many = state.selection.value !== null;
  const notKept = state.place.value === "not_kept";
  const item = state.currentItem.value;
  return html`<div class="actions" role="toolbar" aria-label=${texts.actions.keep}>
    <span class="where" aria-live="polite" title=${many ? texts.selected(n) : undefined}>${many ? texts.selected(n) : texts.position(state.current.value, state.view.value.total)}${!many && item ? html` <b>${item.label}</b>` : ""}</span>
    ${many && html`<button aria-label=${texts.deselect} title=${texts.deselect} onClick=${() => (state.selection.value = null)}>×</button>`}
    <button onClick=${() => decide({ action: "keep" })}>${notKept ? texts.actions.bring_back : texts.actions.keep} <kbd>k</kbd></button>
    <button onClick=${rejectAsking}>${notKept ? texts.actions.never_again : texts.actions.reject} <kbd>x</kbd></button>
    ${!notKept && html`<button onClick=${relabelAsking}>${texts.actions.relabel} <kbd>r</kbd></button>
    <button onClick=${captionAsking}>${texts.actions.caption} <kbd>c</kbd></button>`}
    <span class="spring"></span>
    <button disabled=${!state.summary.value?.can_undo} onClick=${() => takeBack("undo")}>${texts.undo} <kbd>z</kbd></button>
    <button class="roomy" disabled=${!state.summary.value?.can_redo} onClick=${() => takeBack("redo")}>${texts.redo}</button>
  </div>`;
}

function Heading() {
  const s = state.summary.value;
  return html`<header class="heading">
    <h1><button class="name" onClick=${toSets} title=${texts.allSets}>${s?.name ?? texts.title}</button></h1>
    <nav aria-label=${texts.placesLabel}>${PLACES.map((to) => html`<button key=${to} aria-current=${state.place.value === to || (to === "check" && state.place.value === "doubts") ? "page" : undefined} onClick=${() => state.go(to)}>${texts.places[to]}${to === "run" && s?.run && html`<span class="dot" title=${texts.live}></span>`}</button>`)}</nav>
    <${Search} />
    <div class="tools">
      ${(hasGrid.value || state.place.value === "groups") && html`<button aria-pressed=${state.filtersShown.value} onClick=${() => (state.filtersShown.value = !state.filtersShown.value)}>${texts.filters}</button>`}
      ${hasGrid.value && html`<button aria-pressed=${state.detailShown.value} onClick=${() => (state.detailShown.value = !state.detailShown.value)}>${texts.details}</button>`}
      <button aria-label=${texts.theme} title=${texts.theme} onClick=${turnTheme}>◐</button>
      <button aria-label=${texts.keysButton} title=${texts.keysButton} onClick=${() => ask({ kind: "keys", title: texts.keysTitle })}>?</button>
    </div>
  </header>`;
}

function Search() {
  const field = useRef(/** @type {any} */ (null));
  const by = state.searchBy.value;
  const text = by === "meaning" ? state.meaning.value : (state.filter.value.text ?? "");
  useLayoutEffect(() => void (field.current.value = text), [text, by]); // after paint it would undo what is typed at once
  const look = (/** @type {string} */ words) => {
    if (by === "meaning") return void state.seek(words);
    if (!hasGrid.value) state.place.value = "images";
    state.narrow({ text: words });
  };
  const turn = (/** @type {any} */ event) => {
    state.searchBy.value = event.currentTarget.value;
    localStorage.setItem("search_by", state.searchBy.value);
    field.current.focus();
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    look(field.current.value.trim());
    focusView();
  };
  return html`<form role="search" onSubmit=${submit}><input id="search" ref=${field} type="search" aria-label=${by === "meaning" ? texts.searchMeaning : texts.search} placeholder=${by === "meaning" ? texts.searchMeaningHint : texts.searchHint}
    onSearch=${(/** @type {any} */ e) => e.currentTarget.value === "" && text && look("")} />
    <select aria-label=${texts.searchBy} title=${texts.searchBy} value=${by} onChange=${turn}>${["words", "meaning"].map((one) => html`<option key=${one} value=${one}>${texts.searchesBy[one]}</option>`)}</select></form>`;
}

/** Polite words at the lower edge. */
function Said() {
  const s = state.said.value;
  return html`<div class="said" role="status" aria-live="polite">${s && html`<p class=${s.bad ? "bad" : ""}>${s.text}
    ${s.undo && html`<button onClick=${() => takeBack("undo")}>${texts.undo} <kbd>z</kbd></button>`}
    <button aria-label=${texts.close} onClick=${() => (state.said.value = null)}>×</button></p>`}</div>`;
}

/** @param {number} by */
function resize(by) {
  state.tilePx.value = Math.round(Math.max(88, Math.min(420, state.tilePx.value * by)));
  localStorage.setItem("tile_px", String(state.tilePx.value));
}

function turnTheme() {
  const dark = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  setTheme(dark === "dark" ? "light" : "dark");
}

/** @param {string} theme */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
}

async function start() {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") setTheme(theme);
  const wide = matchMedia("(min-width: 1000px)").matches;
  state.filtersShown.value = wide;
  state.detailShown.value = matchMedia("(min-width: 1200px)").matches;
  render(html`<${Page} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
  listen();
  effect(() => void (document.title = state.summary.value?.name ? `${state.summary.value.name} · ${texts.title}` : texts.title));
  try {
    state.app.value = await get("/api/state");
    const wanted = state.recall();
    const known = (/** @type {string|null} */ id) => state.app.value.sets.some((/** @type {any} */ s) => s.id === id);
    const first = known(wanted) ? wanted : state.app.value.default;
    if (first) await open(first);
  } catch (error) {
    state.problem.value = /** @type {Error} */ (error).message;
  }
}

await start();
