// All words of the page.

const number = new Intl.NumberFormat("en");
/** @param {number} n */
export const count = (n) => number.format(n);
/** @param {number} n @param {string} one @param {string} [many] */
const some = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** @param {number} bytes */
export function size(bytes) {
  for (const [unit, factor] of /** @type {[string, number][]} */ ([["GB", 1e9], ["MB", 1e6], ["kB", 1e3]])) {
    if (bytes >= factor) return `${(bytes / factor).toFixed(bytes >= 10 * factor ? 0 : 1)} ${unit}`;
  }
  return `${count(bytes)} bytes`;
}

/** @param {number} s */
export function duration(s) {
  if (s < 90) return `${Math.max(1, Math.round(s))} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${(s / 3600).toFixed(1)} h`;
  return `${Math.round(s / 86_400)} days`;
}

/** Reasons have names of code: near_duplicate. @param {string} name */
export const reasonName = (name) => name.replaceAll("_", " ");

/** @type {Record<string, string>} */
const factNames = {
  url: "Address", final_url: "Final address", page_url: "Page", page_text: "Text beside it", license: "Licence", license_id: "Licence", license_url: "Licence page",
  license_evidence: "Evidence", sha256: "SHA-256", phash: "Look", at: "When", who: "By", holds: "In force", file_name: "File",
};
/** Facts have names of code, too: page_url. Own columns of a list keep theirs. @param {string} name */
export const factName = (name) => factNames[name] ?? (/^[a-z]+(_[a-z]+)*$/.test(name) ? `${name[0]?.toUpperCase()}${name.slice(1).replaceAll("_", " ")}` : name);

const actions = /** @type {Record<string, string>} */ ({
  keep: "Keep", reject: "Reject", relabel: "Relabel", bring_back: "Bring back", never_again: "Never again", swap: "Keep this one instead", caption: "Caption",
});
const decisionNames = /** @type {Record<string, string>} */ ({ kept_by_hand: "kept by hand", undecided: "undecided", rejected: "rejected" });
const measureNames = /** @type {Record<string, string>} */ ({ width: "Width (px)", height: "Height (px)", size_bytes: "Size (bytes)", aspect: "Width ÷ height" });

export const texts = {
  title: "pixtrawl studio",
  scriptsMissing: "Some scripts of the studio are missing. In a checkout run `python scripts/studio_web.py` and reload this page; else install pixtrawl[studio] again.",
  serverGone: "The studio does not answer. Start it again with `pixtrawl studio` and open the address that it prints; every decision made so far is kept.",
  openAgain: "Open the address that `pixtrawl studio` printed, with its token.",
  refusedWith: (/** @type {number} */ status) => `The studio refused this (status ${status}).`,
  addressUnread: "The filter in the address could not be read; all images are shown.",
  loading: "Loading …",

  places: /** @type {Record<string, string>} */ ({ images: "Images", map: "Map", not_kept: "Not kept", groups: "Duplicates", check: "Check", charts: "Charts", run: "Run" }),
  placesLabel: "Views",
  allSets: "Data sets",
  search: "Search titles and pages",
  searchHint: "Search  /",
  searchBy: "Search by", searchesBy: /** @type {Record<string, string>} */ ({ words: "words", meaning: "meaning" }),
  searchMeaning: "Search by what the pictures show", searchMeaningHint: "What it shows  /",
  seeking: "Asking the model …",
  meant: (/** @type {string} */ words, /** @type {number} */ n, /** @type {number} */ of) => `Nearest to “${words}” first, by meaning${n < of ? `: ${count(n)} of ${count(of)}` : ""}`,
  gridLabel: "Images",
  showing: (/** @type {number} */ n, /** @type {number} */ of) => `Showing ${count(n)} of ${count(of)}`,
  all: (/** @type {number} */ n) => some(n, "image"),
  allNotKept: (/** @type {number} */ n) => `${count(n)} not kept`,
  showAll: "Show all",
  busy: "Looking through the images …",
  soFar: (/** @type {number} */ done, /** @type {"colours"|"compared"|"read"} */ what) => (what === "colours" ? `so far: the colours of ${Math.floor(100 * done)} % of the images are known` : `so far: ${Math.floor(100 * done)} % ${what === "read" ? "of the images are looked through" : "are compared"}`),
  notYet: (/** @type {number} */ done) => `None found so far: ${Math.floor(100 * done)} % of the images are looked at.`,
  alike: (/** @type {number} */ n, /** @type {string|undefined} */ by) =>
    `Most alike to ${some(n, "image")} first, by ${by === "embedding" ? "meaning (embeddings)" : "look"}`,
  newState: "Images were added or removed: show them",
  selected: (/** @type {number} */ n) => `${count(n)} selected`,
  selectedAll: (/** @type {number} */ n) => `All ${count(n)} images shown are selected.`,
  deselect: "Deselect",
  position: (/** @type {number} */ index, /** @type {number} */ total) => `${count(index + 1)} of ${count(total)}`,

  filters: "Filters", details: "Details", keysButton: "Keys", larger: "Larger tiles", smaller: "Smaller tiles",
  theme: "Light or dark", undo: "Undo", redo: "Redo", close: "Close", cancel: "Cancel", apply: "Apply", go: "Go",
  sortLabel: "Sort by", descending: "Descending", ascending: "Ascending",
  sorts: /** @type {Record<string, string>} */ ({ number: "number", similar: "likeness", newest: "newest first", random: "random", outlier: "unlike its label", width: "width", height: "height", size_bytes: "size in bytes", aspect: "shape" }),
  groupsOfFilter: /** @type {Record<string, string>} */ ({
    labels: "Label", sources: "Source", hosts: "Host", licences: "Licence", reasons: "Reason", decisions: "Decision",
  }),
  decisionNames,
  measure: (/** @type {string} */ name) => measureNames[name] ?? name,
  colour: "Colour", anyColour: "Any colour", noColour: "Without",
  colourMeans: "At least a tenth of the picture is near this colour (within 22 in CIELAB).",
  palette: /** @type {[string, string][]} */ ([["red", "#d02c2c"], ["orange", "#dd8436"], ["yellow", "#e8cb4a"], ["green", "#4c8a46"], ["teal", "#3f9490"], ["blue", "#3d6cb4"],
    ["purple", "#7a4f9e"], ["pink", "#e3a0b8"], ["brown", "#7d5230"], ["black", "#141414"], ["grey", "#808080"], ["white", "#f6f6f6"]]),
  shape: "Shape", anyShape: "any", ownShape: "as typed below",
  shapes: /** @type {Record<string, string>} */ ({ tall: "tall", square: "square", wide: "wide", panorama: "panorama (2:1 and wider)" }),
  ranges: "Sizes and measures", from: "from", to: "to",
  hostsCut: "The 50 most frequent; search finds the others.",

  actions,
  label: "Label", number: "Number", notStated: "not stated",
  rejectReasons: ["wrong subject", "poor quality", "watermark or text", "drawing, not a photo", "collage or many", "cropped or hidden", "near copy", "offensive or private", "other"],
  rejectTitle: (/** @type {number} */ n) => (n === 1 ? "Reject this image: why?" : `Reject up to ${some(n, "image")}: why?`),
  relabelTitle: (/** @type {number} */ n) => (n === 1 ? "New label of this image" : `New label of ${some(n, "image")}`),
  withoutReason: "Reject without a reason",
  confirm(/** @type {{action: string, reason?: string, label?: string, text?: string, find?: string, reset?: boolean}} */ d, /** @type {number} */ n) {
    if (d.action === "caption" && d.reset) return `Give ${some(n, "image")} the collected caption again?`;
    if (d.action === "caption" && d.find !== undefined) return `Replace “${d.find}” by “${d.text}” in the captions of ${some(n, "image")}?`;
    if (d.action === "caption") return `Caption ${some(n, "image")} “${d.text}”?`;
    const what = { keep: "Keep", reject: "Reject", bring_back: "Bring back", never_again: "Never take again" }[d.action];
    if (d.action === "relabel") return `Label ${some(n, "image")} “${d.label}”?`;
    return `${what ?? d.action} ${some(n, "image")}${d.reason ? ` as “${d.reason}”` : ""}?`;
  },
  alreadySo: "That was so already: nothing changed.",
  nothingChanges: "Nothing would change: all of these are decided so already.",
  nothingTo: { undo: "There is nothing to undo.", redo: "There is nothing to redo." },
  notLoaded: "Nothing was changed: not all of the images could be read. Try again.",
  leftByHand: (/** @type {number} */ n) => `${count(n)} written by hand ${n === 1 ? "stays as it is" : "stay as they are"}.`,
  onlyByHand: (/** @type {number} */ n) => `Nothing changed: ${some(n, "caption")} that would change ${n === 1 ? "is" : "are"} written by hand. Mark “Those written by hand, too” to change them.`,
  captionTitle: (/** @type {any} */ item) => `Caption of image ${item.n ?? ""}`,
  captionManyTitle: (/** @type {number} */ n) => `Captions of ${some(n, "image")}`,
  captionHow: "What to do", captionText: "Caption of each", goOn: "Go on", find: "Find", replacement: "Replace by", save: "Save",
  captionWays: /** @type {Record<string, string>} */ ({ set: "One text for all", replace: "Find and replace", reset: "As collected again" }),
  captionByHand: "Those written by hand, too",
  captionCounted: "The next step says how many images change.",
  captionReset: "As collected again", captionEdit: "Edit", noCaption: "No caption.", findMissing: "Type the words to find.",
  captionOfKept: "Only an image that is kept has a caption.",
  goTo: "Go to the image with number",
  notInView: (/** @type {string} */ n) => `Number ${n} is not among the images shown. “Show all” ends the filter.`,

  pictureOf: (/** @type {any} */ item) => `${item.label}${item.n ? `, number ${item.n}` : ""}${item.title ? `: ${item.title}` : ""}`,
  caption: (/** @type {any} */ item) => `${item.n ? `${item.n} · ${item.label}` : item.label}${item.like === undefined ? "" : item.like ? ` → ${item.like}?` : " → other?"}`,
  badge(/** @type {any} */ item) {
    if (item.decision === "reject") {
      const words = item.detail || (item.reason === "refused_by_person" ? "" : item.reason);
      return words ? `rejected: ${words}` : "rejected";
    }
    if (item.decision === "keep") return "kept";
    return item.reason ? reasonName(item.reason) : null;
  },
  noPicture: "no picture",
  refill: "Look for another image in its place",
  notRestorable: "This one cannot be brought back: its file was never kept. A later run may find another copy.",

  keysTitle: "Keys, the same in every view",
  keys: /** @type {[string[], string][]} */ ([
    [["←", "→", "↑", "↓"], "move"], [["PgUp", "PgDn"], "a page"], [["Home", "End"], "first, last"],
    [["Space"], "open, close"], [["k"], "keep (not kept: bring back)"], [["x"], "reject, then 1–9 for the reason (not kept: never again)"],
    [["r"], "relabel"], [["c"], "caption (Ctrl+Enter saves)"], [["d"], "duplicates"], [["s"], "similar"], [["m"], "map"], [["z"], "undo"], [["Shift+z"], "redo"],
    [["[", "]"], "group before, next group"], [["Shift+x"], "reject a whole group"], [["Shift+k"], "keep this copy instead"],
    [["Shift+arrow"], "select a range"], [["Ctrl+a"], "select all that is shown"],
    [["/"], "search"], [["g"], "go to a number"], [["i"], "details"], [["f"], "filters"], [["Esc"], "back"], [["?"], "these keys"],
  ]),

  none: {
    images: "No image here yet. Start a run, or go to “Not kept” to see what was refused and why.",
    map: "No image here yet: a map needs some.",
    not_kept: "Nothing was refused, failed or found twice.",
    groups: "No duplicates were found.",
    doubts: "No label is likely wrong.",
    check: "No image here yet: nothing to compare.",
    filtered: "No image fits this filter.",
  },
  noImage: "Choose an image to see where it comes from.",
  sections: { caption: "Caption", origin: "Where it comes from", licence: "Licence", hashes: "Hashes", copies: "Copies", history: "History", all: "All that is known" },
  facts: /** @type {Record<string, string>} */ ({ label: "Label", number: "Number", pixels: "Pixels", host: "Host", licence: "Licence", reason: "Reason", decision: "Decision" }),
  captionFrom: (/** @type {string} */ origin) => `from: ${origin.replaceAll("_", " ")}`,
  noCopies: "No copies were found.", noHistory: "No decision yet.",
  distance: (/** @type {number} */ d) => (d === 0 ? "same bytes" : `distance ${d}`),

  groupTitle: (/** @type {number} */ n, /** @type {number} */ of) => `Group ${count(n)} of ${count(of)}`,
  keptCopy: "kept", refusedCopy: "not kept", conflict: "Labels differ",
  onlyConflicts: "Only like images under different labels", withoutReasonGiven: "without a reason",
  checking: "Comparing each image with the others …", checkAgain: "Check again", checkStop: "Stop the check", checkStopped: "The check was stopped.",
  rather: (/** @type {string} */ like) => (like ? `→ ${like}?` : "→ other?"), showIn: (/** @type {string} */ caption) => `${caption}: show it`,
  checkNothing: "Labels, hosts and looks are as they should be: nothing stands out.",
  checked: (/** @type {number} */ n, /** @type {string} */ by, /** @type {string} */ model) => `${some(n, "image")} compared by ${by === "embedding" ? `meaning (${model.split(" ")[0]})` : "look; scores by a model (`pixtrawl score`) tell more"}.`,
  doubtsTitle: (/** @type {number} */ n) => `${some(n, "label")} likely wrong`, goThrough: (/** @type {number} */ n) => (n === 1 ? "Look at it" : `Go through all ${count(n)}`),
  doubtsShown: (/** @type {number} */ n, /** @type {string} */ by) => `${some(n, "label")} likely wrong, the surest first, by ${by === "embedding" ? "meaning" : "look"}: k right, r another label, x out`,
  outliersTitle: "Outliers", outliersShow: "Show all, the least alike first", outliersMeans: "Images ordered by how little they are like the others of their label.",
  outliersShown: (/** @type {number} */ n, /** @type {string} */ by) => `${some(n, "image")}, least like the others of their label first, by ${by === "embedding" ? "meaning" : "look"}`,
  overlapsTitle: "Labels that overlap", overlap: (/** @type {number} */ share) => `${Math.round(100 * share)} % of each one's nearest images are the other's`, showBoth: "Show both labels",
  biasTitle: "One place or one look", showThese: "Show them",
  bias: (/** @type {any} */ one) => (one.kind === "host" ? `${one.label}: ${Math.round(100 * one.share)} % are from ${one.what}` : `${one.label}: ${Math.round(100 * one.share)} % have one look`),
  smallTitle: "Labels with few images", small: (/** @type {number} */ n, /** @type {number} */ median) => `${some(n, "image")}; the labels have ${count(median)} in the middle`,
  mapNone: "A map needs what a model saw in each picture (embeddings), and no image has that yet. Run this once, then open the map again:",
  copyCommand: "Copy the command", copied: "Copied.", notCopied: "The browser does not allow copying: mark the command and copy it by hand.",
  mapWorking: "Laying out the map …",
  mapShown: (/** @type {number} */ n, /** @type {number} */ of, /** @type {string} */ model) => `${n < of ? `Shown ${count(n)} of ${count(of)}` : some(n, "image")}, by ${model.split("@")[0]}`,
  mapLabel: (/** @type {number} */ n) => `Map of ${some(n, "image")}: like images lie together`,
  mapHelp: "Draw around images to select them, Shift adds; wheel zooms, Alt+drag moves. By keyboard: arrows move the ring, + and − size it, Enter selects, Shift+Enter adds, PgUp and PgDn zoom, Home shows all.",
  mapIn: "Zoom in", mapOut: "Zoom out", mapWhole: "Whole map", mapLegend: "Labels and their colours", mapOnly: (/** @type {string} */ name) => `Only ${name}`,
  lassoed: (/** @type {number} */ n) => `${some(n, "image")} selected on the map.`, lassoEmpty: "There is no image in that part of the map.",
  rejectGroup: "Reject the whole group", before: "Groups before", next: "Next groups",

  charts: /** @type {Record<string, string>} */ ({
    balance: "Images by label", reasons: "Why images were not kept", sizes: "Sizes: width in pixels", shapes: "Shapes: width ÷ height", sources_over_time: "Saved by source over time", hosts: "Hosts", licences: "Licences",
  }),
  sourceThen: (/** @type {string} */ source, /** @type {string} */ hour) => `${source}, ${hour.slice(5, 10)} ${hour.slice(11)}:00`,
  noCharts: "Nothing to draw yet: charts appear with the first images.",
  bar: (/** @type {string} */ name, /** @type {number} */ n) => `${name}: ${some(n, "image")}. Show them`,
  others: "others",

  runNone: "No run is at work on this data set. Continue it at the shell: the same `pixtrawl run` or `pixtrawl download` goes on where it was.",
  runShort: (/** @type {number} */ n) => `No run is at work; ${some(n, "image")} ${n === 1 ? "is" : "are"} wanted still. Continue it at the shell: the same \`pixtrawl run\` or \`pixtrawl download\` looks for ${n === 1 ? "it" : "them"}, in the place of rejected ones, too.`,
  runWhole: "No run is at work: every query has as many images as were wanted.",
  runShell: "A run started at the shell is at work on this data set.",
  runStudio: "A run of this studio is at work on this data set.",
  runPaused: "The run is paused.",
  runResumable: "The last run of this studio was interrupted; it can go on where it was.",
  runStopped: "The last run was stopped; it can go on where it was.",
  runFailed: (/** @type {string} */ why) => `The last run failed: ${why}`,
  steerShell: "It is steered there: `pixtrawl steer DIR pause`, resume, stop or more.",
  live: "live", offline: "Connection lost; trying again …",
  steer: /** @type {Record<string, string>} */ ({ pause: "Pause", resume: "Resume", stop: "Stop", more: "More" }),
  moreTitle: "How many images of each query in all?",
  moreOf: (/** @type {string} */ query) => `How many images of “${query}” in all?`,
  stopSure: "Stop the run? What it has is kept, and it can be resumed.",
  progress: /** @type {Record<string, string>} */ ({ text: "Query", found: "Found", saved: "Saved", duplicates: "Duplicates", refused: "Refused", failed: "Failed" }),
  stopOf: (/** @type {string} */ query) => `Look for no more images of “${query}”? What it has is kept.`,
  steerQuery: (/** @type {string} */ what, /** @type {string} */ query) => `${what}: ${query}`,
  switches: "Switches",
  rate: (/** @type {number} */ r) => `${r.toFixed(1)} images/s`,
  eta: (/** @type {number} */ s) => `about ${duration(s)} left`,
  newest: "Newest", nextStep: "Next step", evidence: "Saved page", screenshot: "Screenshot",
  blockedBy: (/** @type {string} */ source) => `${source} is blocked`,

  setsTitle: "Data sets", openSet: "Open a data set", path: "Folder", open: "Open",
  noSets: "No data set is known yet. Open a folder, or start one.",
  openingSet: "Opening: its files are compared with its catalog …",
  setLine: (/** @type {any} */ s) => s.problem || `${some(s.images, "image")}${s.open_jobs ? `, ${some(s.open_jobs, "run")} under way` : ""}`,
  startTitle: "Start a new one", words: "Words, one query a line", wordsExample: "tabby cat\ngolden retriever", csv: "or a CSV file: choose it, or drop it here", sourcesTitle: "Sources", perQuery: "Images per query",
  folder: "Folder for the data set", estimate: "Estimate", start: "Start", csvRead: (/** @type {string} */ name, /** @type {number} */ bytes) => `${name}, ${size(bytes)}`,
  estimated: (/** @type {any} */ e) => `About ${duration(e.time_s[0])} to ${duration(e.time_s[1])}, ${size(e.bytes[0])} to ${size(e.bytes[1])}${e.from === "probe" ? " (from a small probe)" : e.from ? ` (from ${e.from})` : ""}.`,
  requests: "Requests by host", yields: "Likely yield by source",
  startFilters: /** @type {{name: string, title: string, values: [string, string][]}[]} */ ([
    { name: "size", title: "Size", values: [["", "any"], ["small", "small"], ["medium", "medium"], ["large", "large"]] },
    { name: "color", title: "Colour", values: [["", "any"], ...["color", "gray", "transparent", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "white", "black", "brown"].map((one) => /** @type {[string, string]} */ ([one, one === "color" ? "not grey" : one]))] },
    { name: "license", title: "Licence", values: [["", "not asked"], ["open", "any open licence"], ["public", "public domain"], ["commercial", "commercial use allowed"], ["modify", "changes allowed"]] },
  ]),
  filtersTitle: "Filters", sourcesChosen: "None chosen: those of your settings.", missing: (/** @type {string[]} */ what) => `not ready, missing: ${what.join(", ")}`,
  estimating: "Asking a few sources for an estimate …",
  needs: "Needs", may: "Rights", costs: "Costs", wordsMissing: "Type at least one query, or choose a CSV file.",

  waiting: (/** @type {number} */ n, /** @type {boolean} */ runs) => `${some(n, "decision")} (copies brought back or swapped, labels renamed) ${n === 1 ? "waits" : "wait"} ${runs ? "for the end of the run" : "to be carried out"}.`,
  quarantine: (/** @type {number} */ bytes) => `${size(bytes)} of rejected images wait in quarantine.`,
  emptyQuarantine: "Empty it",
  emptySure: (/** @type {number} */ bytes) => `Delete ${size(bytes)} of rejected images for good? They cannot be brought back after that.`,
};
