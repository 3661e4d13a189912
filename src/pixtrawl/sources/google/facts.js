// What tells a result page from a consent page, a block and the rest; plain values only.
() => {
  const one = (s) => !!document.querySelector(s);
  const shown = (el) => { const b = el.getBoundingClientRect(); return b.width > 0 && b.height > 0; };
  const text = document.body ? document.body.innerText.slice(0, 200000) : "";
  const noscript = [...document.querySelectorAll("noscript")].map((n) => n.textContent).join(" ").slice(0, 5000);
  const dialogs = [...document.querySelectorAll('[role="dialog"],[role="alertdialog"],dialog[open]')].filter(shown);
  // Not the pictures of filter chips and related searches, which a page without results has too.
  const isTile = (el) => {
    if (el.tagName !== "IMG" || el.closest("[data-docid],[data-tbnid],[data-lpage],[data-ri]")) return true;
    const box = el.getBoundingClientRect(), side = Math.max(box.width, box.height);
    return !el.closest('a[href*="/search?"]') && (side === 0 || side >= 80);
  };
  return {
    ready: document.readyState, title: document.title, text, noscript,
    chars: document.documentElement ? document.documentElement.outerHTML.length : 0,
    captcha: one('form#captcha-form,form[action*="sorry"],[data-sitekey],iframe[src*="captcha"],[name="g-recaptcha-response"]'),
    consentForm: [...document.forms].some((f) => shown(f) && (/consent/i.test(f.getAttribute("action") || "") || f.querySelector('input[name="set_eom"]'))),
    dialogs: dialogs.map((d) => ({ text: d.innerText.slice(0, 3000), buttons: d.querySelectorAll('button,[role="button"],input[type="submit"]').length })),
    password: one('input[type="password"]'),
    tiles: [...document.querySelectorAll('[data-docid] img,[data-tbnid] img,[data-lpage] img,[data-ri] img,a[href*="/imgres?"],img[src*="q=tbn:"],img[data-src*="q=tbn:"]')].filter(isTile).length,
  };
}
