/* api.js - every address that the page asks for, and what happens when nobody
 * answers: it asks again, ever more rarely, and says so. */
(function (c) {
  'use strict';

  const WAIT_MS = [1000, 2000, 4000, 8000], TIMEOUT_MS = 20000;
  const listeners = [];
  let down = false, wake = [];

  /** fn(down) whenever the server is lost or found again. */
  c.onConnection = (fn) => listeners.push(fn);
  function set(isDown) {
    if (down === isDown) return;
    down = isDown;
    for (const fn of listeners) fn(down);
  }

  const sleep = (ms) => new Promise((done) => {
    const id = setTimeout(go, ms);
    function go() {
      clearTimeout(id);
      wake = wake.filter((w) => w !== go);
      done();
    }
    wake.push(go);
  });
  window.addEventListener('online', () => { for (const go of wake.slice()) go(); });

  class Refused extends Error {}

  const query = (of) => Object.keys(of).filter((k) => of[k] !== undefined && of[k] !== null && of[k] !== '')
    .map((k) => `${k}=${encodeURIComponent(of[k])}`).join('&');

  async function once(url, asking, form) {
    const control = typeof AbortController === 'undefined' ? null : new AbortController();
    const timer = setTimeout(() => control && control.abort(), TIMEOUT_MS);
    if (control && asking) asking.abort = () => control.abort();
    try {
      const answer = await fetch(url, {method: form ? 'POST' : 'GET', body: form, credentials: 'same-origin', headers: {Accept: 'application/geo+json, application/json'}, signal: control ? control.signal : undefined});
      const lost = answer.status === 429 || answer.status >= 502;
      if (lost) throw new Error(`${answer.status}`);
      const body = await answer.json();
      if (!answer.ok) throw Object.assign(new Refused(body.detail || `${answer.status}`), {words: answer.status === 401 ? c.t('noEntry') : ''});
      return body;
    } finally {
      clearTimeout(timer);
    }
  }

  /** An answer, however long it takes; null once asking.over is set. Throws what the server refuses.
   * With `hidden` what is asked is in the body: where a person stands, or what they type, is in no address. */
  c.get = async (path, of, asking, hidden) => {
    const text = query(of || {}), url = path + (text && !hidden ? `?${text}` : '');
    for (let tries = 0; !(asking && asking.over); tries++) {
      try {
        const body = await once(url, asking, hidden && new URLSearchParams(text));
        set(false);
        return asking && asking.over ? null : body;
      } catch (error) {
        if (error instanceof Refused) throw error;
        if (asking && asking.over) return null;
        set(true);
        await sleep(WAIT_MS[Math.min(tries, WAIT_MS.length - 1)] * (0.75 + Math.random() / 2));
      }
    }
    return null;
  };

  const name = encodeURIComponent;
  c.api = {
    city: (asking) => c.get('/', {f: 'json'}, asking),
    groups: (layer, by, filter) => c.get(`/stats/${name(layer)}`, {by, filter}),
    items: (layer, of, asking) => c.get(`/collections/${name(layer)}/items`, of, asking),
    item: (layer, id) => c.get(`/collections/${name(layer)}/items/${name(id)}`, {}),
    nearest: (layer, of, asking) => c.get(`/nearest/${name(layer)}`, of, asking, true),
    search: (of, asking) => c.get('/search', of, asking, true),
    reach: (of, asking) => c.get('/reach', of, asking, true),
  };

  /** A text in CQL2. */
  c.quote = (text) => `'${String(text).replace(/'/g, "''")}'`;
})(window.community);
