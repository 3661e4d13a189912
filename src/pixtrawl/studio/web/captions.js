// Captions: of one image a text to edit, of several one text or words replaced in them.
import { html, useEffect, useRef, useSignal } from "./html.js";
import { get, ofSet } from "./api.js";
import { ask, begin } from "./asking.js";
import { about, decideMany, decideOne } from "./decide.js";
import * as state from "./state.js";
import { texts } from "./texts.js";

/** Ask for the caption of the current image, or for what to do with those of the selected ones. */
export async function captionAsking() {
  if (!state.view.value?.total || state.place.value === "not_kept") return;
  let target;
  try {
    target = await about();
  } catch (error) {
    return state.sayError(error);
  }
  if (!target) return;
  if (!target.one) await captionMany(target.on);
  else if (target.one.id.startsWith("c")) state.say(texts.captionOfKept, { bad: true });
  else await captionOne(target.one);
}

/** @param {import("./items.js").Item} item */
async function captionOne(item) {
  const answer = await ask({ kind: "form", title: texts.captionTitle(item), button: texts.save, body: ({ asked }) => html`<${One} asked=${asked} id=${item.id} />` });
  if (answer === null) return;
  const given = JSON.parse(answer);
  await decideOne(item, given.do === "reset" ? { action: "caption", reset: true } : { action: "caption", text: given.text });
  state.captionTick.value++;
}

/** @param {object} on */
async function captionMany(on) {
  const answer = await ask({ kind: "form", title: texts.captionManyTitle(state.selectedCount.value), button: texts.goOn, body: Many });
  if (answer === null) return;
  const given = JSON.parse(answer);
  const how = given.by_hand ? { by_hand: true } : {};
  if (given.how === "replace" && !given.find) return state.say(texts.findMissing, { bad: true });
  const decision = given.how === "reset" ? { reset: true } : given.how === "replace" ? { find: given.find, text: given.replacement } : { text: given.text };
  await decideMany(on, { action: "caption", ...decision, ...how });
  state.captionTick.value++;
}

/** @param {{asked: import("./asking.js").Asked, id: string}} props */
function One({ asked, id }) {
  const field = useRef(/** @type {any} */ (null));
  const found = useSignal(/** @type {any} */ (null));
  useEffect(() => {
    get(`${ofSet(/** @type {string} */ (state.set.value))}/images/${encodeURIComponent(id)}`).then(
      (answer) => (found.value = answer.caption ?? { text: "", origin: "" }),
      (error) => {
        asked.answer(null); // else an empty text would be saved over one that was not seen
        state.sayError(error);
      },
    );
  }, []);
  const caption = found.value;
  useEffect(() => {
    if (caption && !asked.shown) field.current.value = caption.text;
    if (caption) begin(asked, field.current);
  }, [caption]);
  if (!caption) return html`<p class="quiet">${texts.loading}</p>`;
  return html`<label class="field">${texts.sections.caption}<textarea ref=${field} name="text" rows="5" maxlength="4000"></textarea></label>
    <p class="quiet">${caption.text ? texts.captionFrom(caption.origin) : texts.noCaption}</p>
    ${["hand", "model"].includes(caption.origin) && html`<button name="do" value="reset">${texts.captionReset}</button>`}`;
}

/** @param {{asked: import("./asking.js").Asked}} props */
function Many({ asked }) {
  const first = useRef(/** @type {any} */ (null));
  const how = useSignal("set");
  useEffect(() => begin(asked, first.current), []);
  const way = (/** @type {string} */ name) => html`<label class="choice"><input type="radio" name="how" value=${name} checked=${how.value === name}
    onChange=${() => (how.value = name)} /><span class="name">${texts.captionWays[name]}</span></label>`;
  return html`<fieldset><legend>${texts.captionHow}</legend>${["set", "replace", "reset"].map(way)}</fieldset>
    ${how.value === "set" && html`<label class="field">${texts.captionText}<textarea ref=${first} name="text" rows="3" maxlength="4000"></textarea></label>`}
    ${how.value === "replace" && html`<div class="pair even"><label class="field">${texts.find}<input name="find" autocomplete="off" /></label>
      <label class="field">${texts.replacement}<input name="replacement" autocomplete="off" /></label></div>`}
    <label class="choice"><input type="checkbox" name="by_hand" value="yes" /><span class="name">${texts.captionByHand}</span></label>
    <p class="quiet">${texts.captionCounted}</p>`;
}
