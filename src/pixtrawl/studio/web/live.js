// What happens now: the event stream, and the run's page with its numbers and switches.
import { coded, Fragment, html, useEffect, useSignal } from "./html.js";
import { get, ofSet, post, thumbAddress } from "./api.js";
import { ask, confirmed } from "./asking.js";
import { link } from "./detail.js";
import * as state from "./state.js";
import { texts } from "./texts.js";

/** @type {EventSource|null} */
let stream = null;
let reading = 0;

/** @param {object} changed */
const put = (changed) => (state.live.value = { ...state.live.value, ...changed });

/** Follow a data set; the browser connects again by itself, from the last event on. @param {string} id */
export function follow(id) {
  stream?.close();
  put({ connected: false, progress: null, blocked: [] }); // the jobs may have been read already
  stream = new EventSource(`/api/events?set=${encodeURIComponent(id)}`);
  stream.onopen = () => {
    put({ connected: true });
    void readJobs(); // what happened while nobody listened
  };
  stream.onerror = () => put({ connected: false });
  /** @param {string} name @param {(data: any) => void} take */
  const on = (name, take) => stream?.addEventListener(name, (event) => {
    const text = /** @type {MessageEvent} */ (event).data;
    take(text ? JSON.parse(text) : {});
  });
  on("revision", changed);
  on("reset", changed);
  on("progress", (progress) => put({ progress }));
  on("blocked", (one) => put({ blocked: [...state.live.value.blocked.filter((/** @type {any} */ b) => b.source !== one.source), one] }));
  on("job", (job) => {
    put({ jobs: { ...state.live.value.jobs, [job.id]: { ...state.live.value.jobs[job.id], ...job } } });
    changed();
  });
  on("notice", (notice) => state.say(notice.text ?? notice.message ?? ""));
}

/** The set changed, here or elsewhere: read at once, then at most every half second. */
function changed() {
  if (reading) {
    reading = 2;
    return;
  }
  reading = 1;
  void (async () => {
    const before = state.summary.value;
    await state.readSummary();
    const now = state.summary.value;
    const { first, last } = state.inSight.value;
    state.items.value?.refresh(first, last);
    if (before && now && (before.kept !== now.kept || before.refused !== now.refused)) await membersChanged(before, now);
    setTimeout(() => {
      const again = reading === 2;
      reading = 0;
      if (again) changed();
    }, 500);
  })();
}

/** Newest images appear by themselves where nobody is at work yet; else a button offers them. @param {any} before @param {any} now */
async function membersChanged(before, now) {
  const { place, current, selection, sort, opened, view } = state;
  const grew = place.value === "not_kept" ? now.refused > before.refused : now.kept > before.kept;
  const atTop = current.value === 0 && !selection.value && !opened.value && state.inSight.value.first === 0;
  if (grew && atTop && (sort.value.by === "newest" || !view.value?.total)) await state.showView();
  else if (grew) state.stale.value = true;
}

/** @param {string} what @param {object} [body] */
async function steer(what, body = {}) {
  const job = currentJob();
  try {
    if (!job) return;
    await post(`/api/jobs/${encodeURIComponent(job.id)}/${what}`, body);
    await Promise.all([state.readSummary(), readJobs()]);
  } catch (error) {
    state.sayError(error);
  }
}

/** Jobs of this set, the newest first. @returns {any[]} */
const ownJobs = () => /** @type {any[]} */ (Object.values(state.live.value.jobs)).filter((job) => !job.set || job.set === state.set.value);
/** The job at work, or the newest one, which can go on. */
const currentJob = () => {
  const jobs = ownJobs();
  return jobs.find((job) => job.state === "running" || job.state === "paused") ?? jobs[0];
};

async function readJobs() {
  try {
    const answer = await get("/api/jobs");
    const jobs = Array.isArray(answer) ? answer : (answer.jobs ?? []);
    put({ unread: answer.unread ?? [] });
    put({ jobs: Object.fromEntries(jobs.map((/** @type {any} */ job) => [job.id, job])) });
  } catch (error) {
    if (/** @type {any} */ (error).status !== 404) state.sayError(error);
  }
}

export function Run() {
  useEffect(() => void readJobs(), [state.set.value]);
  const s = state.summary.value;
  const { progress, blocked, connected, unread = [] } = state.live.value;
  const run = s?.run;
  const counted = useSignal(/** @type {any[]} */ ([])); // where no event comes: no run is at work
  useEffect(() => {
    if (run || progress || !state.set.value) return;
    get(`${ofSet(state.set.value)}/progress`).then((answer) => (counted.value = answer.queries), state.sayError);
  }, [state.set.value, s?.revision, !run, !progress]);
  const job = currentJob();
  const told = blocked.map((/** @type {any} */ one) => one.source);
  const troubles = [...blocked, ...(job?.blocked ?? []).filter((/** @type {any} */ one) => !told.includes(one.source))];
  return html`<div class="run">
    ${!connected && html`<p class="warn">${texts.offline}</p>`}
    ${unread.map((/** @type {string} */ one) => html`<p class="warn" key=${one}>${one}</p>`)}
    <p class="lead">${!run ? coded(lastRun(job, s?.queries ?? [])) : run.paused ? texts.runPaused : run.holder === "shell" ? texts.runShell : texts.runStudio}</p>
    ${job && (run || job.state !== "failed") && html`<${Switches} run=${run} job=${job} />`}${run && !job && html`<p class="quiet">${coded(texts.steerShell)}</p>`}
    ${progress && run && !run.paused && html`<p class="numbers"><b>${texts.rate(progress.rate ?? 0)}</b> ${progress.eta_s ? texts.eta(progress.eta_s) : ""}</p>`}
    ${troubles.map((/** @type {any} */ one) => html`<${Blocked} key=${one.source} one=${one} />`)}
    <${Queries} rows=${progress?.queries?.length ? named(progress.queries, s) : counted.value.length ? counted.value : (s?.queries ?? [])} running=${Boolean(run && job)} paused=${run?.paused_queries ?? []} />
    ${progress?.newest?.length > 0 && html`<h2>${texts.newest}</h2><div class="newest">${progress.newest.slice(0, 24).map((/** @type {string} */ id) =>
      html`<img key=${id} src=${thumbAddress(/** @type {string} */ (state.set.value), { id }, 160)} alt="" />`)}</div>`}
    ${s?.waiting > 0 && html`<p class="waiting">${texts.waiting(s.waiting, Boolean(run))}</p>`}
    ${s?.quarantine_bytes > 0 && html`<p class="quarantine">${texts.quarantine(s.quarantine_bytes)} <button onClick=${emptyQuarantine}>${texts.emptyQuarantine}</button></p>`}
  </div>`;
}

async function emptyQuarantine() {
  const bytes = state.summary.value.quarantine_bytes;
  if (!(await confirmed(texts.emptySure(bytes), texts.emptyQuarantine))) return;
  try {
    await post(`${ofSet(/** @type {string} */ (state.set.value))}/quarantine/empty`, { expect_bytes: bytes });
    await state.readSummary();
  } catch (error) {
    state.sayError(error);
  }
}

/** Queries of the stream with their words from the summary. @param {any[]} rows @param {any} s */
const named = (rows, s) => rows.map((row) => ({ ...s?.queries?.find((/** @type {any} */ q) => q.id === row.id), ...row }));

/** What to say where no run is at work. @param {any} job the newest one @param {any[]} queries */
function lastRun(job, queries) {
  if (job?.state === "failed") return texts.runFailed(job.error);
  if (job?.state === "resumable") return texts.runResumable;
  if (job?.state === "stopped") return texts.runStopped;
  const whole = queries.length > 0 && queries.every((one) => one.wanted !== null && one.saved >= one.wanted);
  const missing = queries.reduce((sum, one) => sum + Math.max(0, (one.wanted ?? 0) - one.saved), 0);
  return whole ? texts.runWhole : missing ? texts.runShort(missing) : texts.runNone;
}

/** @param {{run: any, job: any}} props */
function Switches({ run, job }) {
  const goesOn = run ? run.paused : job.state !== "done";
  const more = async () => {
    const number = await ask({ kind: "number", title: texts.moreTitle, field: texts.number });
    if (number) await steer("more", { number: Number(number) });
  };
  const stop = async () => {
    if (await confirmed(texts.stopSure, texts.steer.stop)) await steer("stop");
  };
  return html`<div class="buttons">
    ${(run || goesOn) && html`<button class="main" onClick=${() => steer(goesOn ? "resume" : "pause")}>${goesOn ? texts.steer.resume : texts.steer.pause}</button>`}
    <button onClick=${more}>${texts.steer.more}</button>${run && html`<button onClick=${stop}>${texts.steer.stop}</button>`}</div>`;
}

/** @param {{rows: any[], running: boolean, paused: string[]}} props */
function Queries({ rows, running, paused }) {
  if (!rows.length) return null;
  const columns = ["found", "saved", "duplicates", "refused", "failed"].filter((name) => rows.some((row) => row[name] !== undefined));
  const more = async (/** @type {any} */ row) => {
    const number = await ask({ kind: "number", title: texts.moreOf(row.text), field: texts.number });
    if (number) await steer("more", { query: row.id ?? row.text, number: Number(number) });
  };
  const stop = async (/** @type {any} */ row) => {
    if (await confirmed(texts.stopOf(row.text), texts.steer.stop)) await steer("stop", { query: row.id ?? row.text });
  };
  const cells = (/** @type {any} */ row) => columns.map((name) => html`<td key=${name}>${row[name] ?? 0}${name === "saved" && row.wanted ? ` / ${row.wanted}` : ""}</td>`);
  const button = (/** @type {string} */ what, /** @type {any} */ row, /** @type {() => unknown} */ act) =>
    html`<button aria-label=${texts.steerQuery(texts.steer[what], row.text)} onClick=${act}>${texts.steer[what]}</button> `;
  return html`<div class="table" tabindex="0" role="region" aria-label=${texts.progress.text}><table><thead><tr><th scope="col">${texts.progress.text}</th>${columns.map((name) => html`<th scope="col" key=${name}>${texts.progress[name]}</th>`)}${running && html`<th scope="col">${texts.switches}</th>`}</tr></thead>
    <tbody>${rows.map((row) => html`<${Fragment} key=${row.id ?? row.text}><tr><th scope="row">${row.text ?? row.id}</th>${cells(row)}
      ${running && html`<td class="switches">${[paused.includes(row.text) ? "resume" : "pause"].map((what) => button(what, row, () => steer(what, { query: row.id ?? row.text })))}${button("more", row, () => more(row))}${button("stop", row, () => stop(row))}</td>`}</tr>
      ${Object.entries(row.by_source ?? {}).map(([source, counts]) => html`<tr class="of-source" key=${source}><th scope="row">${source}</th>${cells(counts)}${running && html`<td></td>`}</tr>`)}<//>`)}</tbody></table></div>`;
}

/** @param {{one: any}} props */
function Blocked({ one }) {
  return html`<section class="blocked"><h2>${texts.blockedBy(one.source)}</h2><p>${one.why}</p>
    ${one.screenshot && html`<img src=${one.screenshot} alt=${texts.screenshot} />`}
    ${one.url && html`<p>${link(one.url)}</p>`}${one.evidence && html`<p>${one.evidence.startsWith("/api/") ? html`<a href=${one.evidence} target="_blank" rel="noopener">${texts.evidence}</a>` : html`${texts.evidence}: <code>${one.evidence}</code>`}</p>`}
    ${one.next_step && html`<p><b>${texts.nextStep}:</b> ${one.next_step}</p>`}</section>`;
}
