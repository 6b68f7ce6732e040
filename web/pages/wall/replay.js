// @ts-check
// replay.js - the last 24 hours again, in a minute: what was reported, where
// and when, over the quiet base map.

import {address} from './plan.js';
import {count, date, say, title} from './words.js';

const PLAY_MS = 60000;
const MOST = 10000, PAGES_MOST = 5;

export class Replay {
  /** @param {any} wall */
  constructor(wall) {
    this.wall = wall;
    this.running = false;
    this.frame = 0;
  }

  toggle() {
    return this.running ? this.stop() : this.start();
  }

  /** Rows of the period, a page at a time. @param {string} from @param {string} to */
  async rows(from, to) {
    const {loop} = this.wall.part, [first] = loop.steps, out = [];
    let url = address(`/collections/${loop.layer}/items`, {datetime: `${from}/${to}`, limit: MOST, properties: [first.time, loop.risk].filter((c) => c).join(',')});
    for (let page = 0; url && page < PAGES_MOST; page++) {
      const response = await fetch(url, {cache: 'no-cache'});
      if (!response.ok) throw new Error(`${response.status}`);
      const rows = await response.json();
      out.push(...rows.features.filter((f) => f.geometry));
      url = rows.links?.find((l) => l.rel === 'next')?.href;
    }
    return out;
  }

  async start() {
    const {wall} = this, {loop} = wall.part;
    if (!loop) return;
    this.running = true;
    const hours = wall.catalog.wall?.replay_hours ?? 24, end = wall.clock, begin = end.later(-hours * 36e5);
    let rows;
    try {
      rows = await this.rows(begin.iso(), end.iso());
    } catch (error) {
      console.warn(error.message);
      this.running = false;
      return;
    }
    if (!this.running) return;
    wall.tour.pause(true);
    wall.map.choose('');
    wall.map.showField(false);
    await wall.map.go(null, 0);
    const [first] = loop.steps, length = end.utcMs - begin.utcMs;
    this.times = rows.map((f) => (Date.parse(f.properties[first.time]) - begin.utcMs) / length).sort((a, b) => a - b);
    wall.overlay.setReplay(rows.map((f) => ({lonDeg: f.geometry.coordinates[0], latDeg: f.geometry.coordinates[1], risk: Number(f.properties[loop.risk]) || 0,
      at: (Date.parse(f.properties[first.time]) - begin.utcMs) / length})));
    const lang = document.documentElement.lang === 'en' ? 'en' : 'zh-CN', fromMs = performance.now();
    const place = document.getElementById('place'), sentence = document.getElementById('sentence');
    place.textContent = say(lang, 'replay', {a: date(lang, begin, true), b: date(lang, end, true)});
    let seen = 0, shownMs = -Infinity;
    const step = () => {
      const nowMs = performance.now(), share = Math.min(1, (nowMs - fromMs) / PLAY_MS);
      // Ten pictures a second are enough, and leave the machine in peace.
      if (nowMs - shownMs > 100 || share === 1) {
        shownMs = nowMs;
        while (seen < this.times.length && this.times[seen] <= share) seen++;
        sentence.textContent = `${begin.later(share * length).clock.slice(0, 5)} · ${title(lang, first)} ${count(lang, seen)} ${lang === 'en' ? '' : loop.unit ?? ''}`;
        wall.overlay.play(share);
      }
      this.frame = share < 1 && this.running ? requestAnimationFrame(step) : 0;
      if (share === 1) this.stop();
    };
    step();
  }

  stop() {
    if (!this.running) return;
    const {wall} = this;
    this.running = false;
    cancelAnimationFrame(this.frame);
    wall.overlay.setReplay(null);
    wall.map.showField(true);
    wall.tour.pause(false);
    wall.tour.show(null);
  }
}
