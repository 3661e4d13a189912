// Groups of copies side by side: the kept one marked, each to be swapped, the whole group rejected by one key.
import { effect, html, signal, useEffect, useRef } from "./html.js";
import { get, ofSet, thumbAddress } from "./api.js";
import { decideMany, decideOne } from "./decide.js";
import { ask } from "./asking.js";
import * as state from "./state.js";
import { reasonName, texts } from "./texts.js";

const AT_A_TIME = 20;
const shown = signal(/** @type {{start: number, groups: any[]}} */ ({ start: 0, groups: [] }));
const at = signal({ group: 0, member: 0 });

/** @param {any} group */
const members = (group) => [...(group.kept ? [group.kept] : []), ...(group.others ?? [])];
const currentGroup = () => shown.value.groups[at.value.group - shown.value.start];
const currentMember = () => currentGroup() && members(currentGroup())[at.value.member];
effect(() => void (state.member.value = currentMember() ?? null));

/** @param {number} start */
async function load(start) {
  const view = state.view.value?.view;
  if (!view) return;
  try {
    const answer = await get(`${ofSet(/** @type {string} */ (state.set.value))}/groups/${encodeURIComponent(view)}?start=${start}&count=${AT_A_TIME}`);
    shown.value = { start, groups: Array.isArray(answer) ? answer : (answer.groups ?? answer.items ?? []) };
  } catch (error) {
    state.sayError(error);
  }
}

/** @param {number} to @param {number} [member] */
async function goTo(to, member = 0) {
  const total = state.view.value?.total ?? 0;
  const group = Math.max(0, Math.min(total - 1, to));
  if (group < shown.value.start || group >= shown.value.start + AT_A_TIME) await load(Math.floor(group / AT_A_TIME) * AT_A_TIME);
  at.value = { group, member };
  requestAnimationFrame(() => {
    const tile = document.querySelector(".copy.current");
    tile?.scrollIntoView({ block: "nearest" });
    if (tile instanceof HTMLElement) tile.focus({ preventScroll: true });
  });
}

/** @param {"keep"|"reject"|"swap"} action @param {string} [reason] */
async function decide(action, reason) {
  const item = currentMember();
  if (!item) return;
  if (action === "swap") return swap(item);
  await decideOne(item, { action, ...(reason ? { reason } : {}) });
  shown.value = { ...shown.value };
}

/** Keep this copy in place of the kept one, as one step. @param {any} item */
async function swap(item) {
  const kept = currentGroup().kept;
  if (item.id === kept?.id) return;
  // an image of another label is kept already: only the one it looks like goes
  if (item.id.startsWith("s")) await decideOne(kept, { action: "reject", reason: "near copy" });
  else if (item.restorable === false) return state.say(texts.notRestorable, { bad: true });
  else await decideOne(item, { action: "swap" });
  await state.showView();
}

async function rejectAsking() {
  const item = currentMember();
  if (!item) return;
  if (item.id.startsWith("c")) return decide("reject"); // never again
  const reason = await ask({ kind: "reason", title: texts.rejectTitle(1) });
  if (reason !== null) await decide("reject", reason);
}

async function rejectGroup() {
  const group = currentGroup();
  if (!group?.kept) return;
  // copies that were not kept are refused as the near copies of the kept one
  await decideMany({ ids: [group.kept.id] }, { action: "reject", reason: "near copy" });
  await load(shown.value.start);
}

/** Keys of this view. @param {KeyboardEvent} event @returns {boolean} */
export function groupKey(event) {
  const { group, member } = at.value;
  const last = Math.max(0, members(currentGroup() ?? {}).length - 1);
  const keys = /** @type {Record<string, () => unknown>} */ ({
    "]": () => goTo(group + 1), "[": () => goTo(group - 1), ArrowDown: () => goTo(group + 1), ArrowUp: () => goTo(group - 1),
    ArrowRight: () => goTo(group, Math.min(last, member + 1)), ArrowLeft: () => goTo(group, Math.max(0, member - 1)),
    Home: () => goTo(0), End: () => goTo(Infinity), PageDown: () => goTo(group + 5), PageUp: () => goTo(group - 5),
    k: () => decide("keep"), K: () => decide("swap"), x: rejectAsking, X: rejectGroup,
  });
  const action = keys[event.key];
  if (action) void action();
  return Boolean(action);
}

export function Groups() {
  const view = state.view.value;
  const first = useRef(true);
  useEffect(() => {
    if (!view) return;
    // after a decision the view is another one, and one stays where one was
    const to = first.current ? 0 : Math.max(0, Math.min(view.total - 1, at.value.group));
    first.current = false;
    void load(Math.floor(to / AT_A_TIME) * AT_A_TIME).then(() => goTo(to));
  }, [view?.view]);
  if (!view) return null;
  if (!view.total) return html`<p class="empty">${texts.none.groups}</p>`;
  const { start, groups } = shown.value;
  return html`<div class="groups">
    ${groups.map((group, i) => html`<${GroupRow} key=${start + i} group=${group} number=${start + i} total=${view.total} />`)}
    <div class="buttons">
      <button disabled=${start === 0} onClick=${() => goTo(start - AT_A_TIME)}>${texts.before}</button>
      <button disabled=${start + AT_A_TIME >= view.total} onClick=${() => goTo(start + AT_A_TIME)}>${texts.next}</button>
    </div>
  </div>`;
}

/** @param {{group: any, number: number, total: number}} props */
function GroupRow({ group, number, total }) {
  const here = at.value.group === number;
  const labels = new Set(members(group).map((one) => one.label));
  return html`<section class=${`group ${here ? "here" : ""}`} aria-label=${texts.groupTitle(number + 1, total)}>
    <header><h2>${texts.groupTitle(number + 1, total)}</h2>${labels.size > 1 && html`<span class="warn">${texts.conflict}</span>`}
      <button onClick=${() => { at.value = { group: number, member: 0 }; void rejectGroup(); }}>${texts.rejectGroup} <kbd>Shift+x</kbd></button></header>
    <ul>${members(group).map((item, i) => {
      const kept = item === group.kept;
      const distance = kept ? undefined : group.distance?.[group.kept ? i - 1 : i];
      const current = here && at.value.member === i;
      return html`<li key=${item.id}><button class=${`copy ${current ? "current" : ""}`} data-decision=${item.decision ?? ""} tabindex=${current ? 0 : -1}
          aria-pressed=${current} onClick=${() => goTo(number, i)}>
        <img src=${thumbAddress(/** @type {string} */ (state.set.value), item, 320)} alt=${texts.pictureOf(item)} loading="lazy" />
        <span class=${`badge ${kept ? "kept" : ""}`}>${item.decision === "reject" ? texts.badge(item) : kept ? texts.keptCopy : item.reason ? reasonName(item.reason) : texts.refusedCopy}</span>
        <span class="caption">${[item.w ? `${item.w} × ${item.h}` : "", typeof distance === "number" ? texts.distance(distance) : ""].filter(Boolean).join(" · ")}</span>
      </button>${!kept && current && html`<button onClick=${() => decide("swap")}>${texts.actions.swap} <kbd>Shift+k</kbd></button>`}</li>`;
    })}</ul>
  </section>`;
}
