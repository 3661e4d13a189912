// The first page: data sets that are known, one to open, one to start.
import { html, useEffect, useSignal } from "./html.js";
import { get, post } from "./api.js";
import { open } from "./opening.js";
import { app, said, sayError } from "./state.js";
import { count, texts } from "./texts.js";

export function Sets() {
  const path = useSignal("");
  const opens = useSignal(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    opens.value = true;
    try {
      const { id } = await post("/api/sets", { path: path.value });
      app.value = await get("/api/state");
      await open(id);
    } catch (error) {
      sayError(error);
    }
    opens.value = false;
  };
  const sets = app.value?.sets ?? [];
  return html`<main class="sets" id="main"><h1>${texts.setsTitle}</h1>
    ${sets.length ? html`<ul class="set-list">${sets.map((/** @type {any} */ s) => html`<li key=${s.id}><button disabled=${Boolean(s.problem)} onClick=${() => open(s.id)}>
      <b>${s.name}</b><span>${texts.setLine(s)}</span><span class="quiet path">${s.path}</span></button></li>`)}</ul>` : html`<p class="quiet">${texts.noSets}</p>`}
    <form class="card" onSubmit=${submit}><h2>${texts.openSet}</h2>
      <label class="field">${texts.path}<input required value=${path.value} placeholder="images" onInput=${(/** @type {any} */ e) => (path.value = e.currentTarget.value)} /></label>
      <button class="main" disabled=${opens.value}>${texts.open}</button>${opens.value && html`<p role="status">${texts.openingSet}</p>`}</form>
    <${Start} />
  </main>`;
}

/** Queries, sources, number; an estimate first; then go. */
function Start() {
  const sources = useSignal(/** @type {any[]|null} */ (null));
  const asks = useSignal(true);
  const given = useSignal({ words: "", csv: "", csvName: "", number: 50, path: "images", chosen: /** @type {string[]} */ ([]), filters: /** @type {Record<string, string>} */ ({}) });
  const estimate = useSignal(/** @type {any} */ (null));
  const busy = useSignal(/** @type {""|"estimate"|"jobs"} */ (""));
  const over = useSignal(false); // a file is held over the form
  useEffect(() => {
    get("/api/sources").then(
      (answer) => (sources.value = Array.isArray(answer) ? answer : (answer.sources ?? [])),
      () => (sources.value = null), // this studio only looks; the form is not shown
    ).finally(() => (asks.value = false));
  }, []);
  if (!sources.value) return asks.value ? html`<div class="card"><h2>${texts.startTitle}</h2><p class="quiet" role="status">${texts.loading}</p></div>` : null;
  const g = given.value;
  const change = (/** @type {object} */ changed) => {
    given.value = { ...given.value, ...changed };
    estimate.value = null;
  };
  const request = () => ({
    ...(g.csv ? { csv: g.csv } : { queries: g.words.split("\n").map((text) => text.trim()).filter(Boolean).map((text) => ({ text })) }),
    sources: g.chosen, number: g.number, path: g.path,
    filters: Object.fromEntries(Object.entries(g.filters).filter(([, value]) => value)),
  });
  const send = async (/** @type {"estimate"|"jobs"} */ what) => {
    if (!g.csv && !g.words.trim()) return sayError(new Error(texts.wordsMissing));
    said.value = null; // of a former attempt
    busy.value = what;
    try {
      const answer = await post(`/api/${what}`, what === "jobs" ? { ...request(), set: g.path } : request());
      if (what === "estimate") estimate.value = answer;
      else {
        app.value = await get("/api/state");
        await open(answer.set, "run");
      }
    } catch (error) {
      sayError(error);
    }
    busy.value = "";
  };
  const file = async (/** @type {File|undefined} */ one) => one && change({ csv: await one.text(), csvName: one.name });
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    over.value = false;
    void file(event.dataTransfer?.files[0]);
  };
  return html`<form class=${`card start ${over.value ? "over" : ""}`} onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); void send("jobs"); }} onDragOver=${(/** @type {Event} */ e) => { e.preventDefault(); over.value = true; }} onDragLeave=${() => (over.value = false)} onDrop=${drop}>
    <h2>${texts.startTitle}</h2>
    <label class="field">${texts.words}<textarea rows="4" placeholder=${texts.wordsExample} value=${g.words} onInput=${(/** @type {any} */ e) => change({ words: e.currentTarget.value })}></textarea></label>
    <label class="field">${texts.csv}<input type="file" accept=".csv,text/csv" onChange=${(/** @type {any} */ e) => file(e.currentTarget.files[0])} />${g.csv && html`<span class="quiet">${texts.csvRead(g.csvName, g.csv.length)}</span>`}</label>
    <div class="pair"><label class="field">${texts.perQuery}<input type="number" min="1" value=${g.number} onInput=${(/** @type {any} */ e) => change({ number: Number(e.currentTarget.value) })} /></label>
    <label class="field">${texts.folder}<input required value=${g.path} onInput=${(/** @type {any} */ e) => change({ path: e.currentTarget.value })} /></label></div>
    <fieldset class="filters-of-start"><legend>${texts.filtersTitle}</legend>${texts.startFilters.map((one) => html`<label class="field" key=${one.name}>${one.title}
      <select value=${g.filters[one.name] ?? ""} onChange=${(/** @type {any} */ e) => change({ filters: { ...g.filters, [one.name]: e.currentTarget.value } })}>
      ${one.values.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>`)}</fieldset>
    <fieldset><legend>${texts.sourcesTitle}</legend><p class="quiet">${texts.sourcesChosen}</p>${sources.value.map((/** @type {any} */ s) => html`<label class="choice" key=${s.name}>
      <input type="checkbox" disabled=${s.ready === false} checked=${g.chosen.includes(s.name)} onChange=${(/** @type {any} */ e) => change({ chosen: e.currentTarget.checked ? [...g.chosen, s.name] : g.chosen.filter((one) => one !== s.name) })} />
      <span class="name"><b>${s.title || s.name}</b> ${s.sentence}<br /><span class="quiet">${s.ready === false && s.missing?.length ? `${texts.missing(s.missing)} · ` : ""}${["needs", "may", "costs"].flatMap((k) => (s[k] && String(s[k]) ? [`${texts[/** @type {"needs"|"may"|"costs"} */ (k)]}: ${s[k]}`] : [])).join(" · ")}</span></span></label>`)}</fieldset>
    <div class="foot">${busy.value === "estimate" && html`<p class="estimate" role="status">${texts.estimating}</p>`}${estimate.value && html`<${Estimate} e=${estimate.value} />`}
    <div class="buttons"><button type="button" disabled=${busy.value !== ""} onClick=${() => send("estimate")}>${texts.estimate}</button><button class="main" disabled=${busy.value !== ""}>${texts.start}</button></div></div>
  </form>`;
}

/** @param {{e: any}} props */
function Estimate({ e }) {
  const lines = (/** @type {Record<string, any>} */ of) => Object.entries(of ?? {}).map(([name, n]) => `${name} ${typeof n === "number" ? count(Math.round(n * 100) / 100) : n}`).join(", ");
  return html`<div class="estimate" role="status"><p><b>${texts.estimated(e)}</b></p>
    ${e.requests_by_host && html`<p>${texts.requests}: ${lines(e.requests_by_host)}</p>`}${e.yield_by_source && html`<p>${texts.yields}: ${lines(e.yield_by_source)}</p>`}</div>`;
}
