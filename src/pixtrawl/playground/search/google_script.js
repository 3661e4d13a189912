/* The page's own code: hover links, click panel, infinite scroll. */
(function () {
  'use strict';
  var conf = JSON.parse(document.getElementById('pg-conf').textContent);
  var hidden = {};

  function merge(text) {
    if (!text) return;
    var raw = atob(text), turned = '';
    for (var i = raw.length - 1; i >= 0; i--) turned += raw[i];
    Object.assign(hidden, JSON.parse(turned));
  }
  merge(conf.hidden);

  window._setImagesSrc = function (ids, src) {
    ids.forEach(function (id) {
      var image = document.getElementById(id);
      if (image) image.src = src;
    });
  };
  (window.pgPending || []).forEach(function (pair) { window._setImagesSrc(pair[0], pair[1]); });

  function tileOf(node) {
    return node.closest ? node.closest('[data-docid],[data-tbnid]') : null;
  }
  function idOf(tile) { return tile.dataset.docid || tile.dataset.tbnid; }

  function hover(event) {
    var tile = tileOf(event.target);
    var entry = tile && hidden[idOf(tile)];
    if (!entry) return;
    var link = tile.querySelector('a');
    if (link.hasAttribute('href')) return;
    link.setAttribute('href', '/imgres?imgurl=' + encodeURIComponent(entry[0]) +
      '&imgrefurl=' + encodeURIComponent(entry[1]) + '&docid=' + idOf(tile).slice(6, 20) +
      '&tbnid=' + idOf(tile).slice(-14) + '&w=' + entry[2] + '&h=' + entry[3] + '&hcb=2');
  }
  ['mouseover', 'focusin', 'contextmenu', 'touchstart'].forEach(function (name) {
    document.addEventListener(name, hover, true);
  });

  function showPanel(tile) {
    var panel = document.getElementById(conf.panel);
    var thumb = tile.querySelector('img');
    panel.hidden = false;
    panel.innerHTML = '';
    var anchor = document.createElement('a');
    var image = document.createElement('img');
    image.className = conf.full;
    image.setAttribute('jsname', 'kn3ccd');
    image.alt = thumb.alt;
    image.src = thumb.currentSrc || thumb.src;
    anchor.target = '_blank';
    anchor.appendChild(image);
    panel.appendChild(anchor);
    fetch(conf.prefix + '/imgpanel?docid=' + encodeURIComponent(idOf(tile)) +
          '&q=' + encodeURIComponent(conf.q))
      .then(function (answer) { return answer.json(); })
      .then(function (about) {
        anchor.href = about.page;
        var full = new Image();
        full.onload = function () { image.src = about.url; };
        full.src = about.url;  /* when it fails, the thumbnail stays */
      });
  }
  document.addEventListener('click', function (event) {
    var tile = tileOf(event.target);
    if (!tile || event.target.closest('[data-out]')) return;
    event.preventDefault();
    showPanel(tile);
  });

  var loading = false, waiting = false;
  function readFrames(text) {
    var rest = text.replace(/^\)\]\}'\s*/, ''), found = [];
    for (;;) {
      var head = /^([0-9a-f]+);/.exec(rest);
      if (!head) return found;
      var length = parseInt(head[1], 16), from = head[0].length;
      found.push(rest.substr(from, length));
      rest = rest.slice(from + length);
    }
  }
  function more() {
    if (loading || conf.next === null) return;
    loading = true;
    fetch(conf.prefix + '/search?' + conf.more + '&start=' + conf.next +
          '&asearch=arc&async=_id:rcnt_1,_fmt:pc')
      .then(function (answer) {
        if (!answer.ok) throw new Error('status ' + answer.status);
        return answer.text();
      })
      .then(function (text) {
        var parts = readFrames(text), told = JSON.parse(parts[0]);
        var holder = document.createElement('div');
        holder.innerHTML = parts[1];
        var extra = holder.querySelector('script[type="application/x-hidden"]');
        if (extra) { merge(extra.textContent); extra.remove(); }
        var grid = document.getElementById(conf.grid);
        while (holder.firstChild) grid.appendChild(holder.firstChild);
        conf.next = told[2] === '' ? null : Number(told[2]);
        loading = false;
        gate();
        near();
      })
      .catch(function () { loading = false; conf.next = null; gate(); });
  }
  function gate() {
    var button = document.getElementById(conf.button);
    waiting = conf.next !== null && conf.next >= conf.pause;
    button.style.display = waiting ? '' : 'none';
  }
  function near() {
    var left = document.documentElement.scrollHeight - window.scrollY - window.innerHeight;
    if (left < 600 && !waiting) more();
  }
  document.getElementById(conf.button).addEventListener('click', function () {
    conf.pause += conf.step;
    gate();
    more();
  });
  window.addEventListener('scroll', near, { passive: true });
  gate();
})();
