// Which tiles a change touches, and how a page stays in touch.
//
// Plan
//   the stream: goes on behind what was heard, comes back ever more slowly after
//   refusals, tells silence and its end, sleeps while nobody sees the page
//   exactly those of the view that the cell and its reach meet, at every zoom,
//   as going through all tiles says
import assert from 'node:assert/strict';
import test from 'node:test';

import { HIDDEN_MS, Live, SILENT_MS, tilesTouched } from '../../../web/pages/live.js';
import { random } from '../onemap.mjs';

const lon = (x, z) => x / 2 ** z * 360 - 180;
const lat = (y, z) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y / 2 ** z))) * 180 / Math.PI;
const tileX = (l, z) => (l + 180) / 360 * 2 ** z;
const tileY = (l, z) => (1 - Math.asinh(Math.tan(l * Math.PI / 180)) / Math.PI) / 2 * 2 ** z;

test('tiles above and below a change, and no others', () => {
    const next = random(9);
    for (let i = 0; i < 300; i++) {
        const level = i % 5 ? 18 : 12, west = 113.5 + next(), south = 22.5 + next();
        const view = [west, south, west + 0.02 + next() * 0.1, south + 0.02 + next() * 0.1];
        const cells = Array.from({ length: 1 + i % 3 }, () =>
            [Math.floor(tileX(west - 0.02 + next() * 0.14, level)), Math.floor(tileY(south - 0.02 + next() * 0.14, level))]);
        const reachM = [0, 0, 400, 1600][i % 4], zoomMax = 15;
        const got = new Set(tilesTouched({ rows: 1, level, cells }, reachM, view, zoomMax).map((t) => `${t.z}/${t.x}/${t.y}`));
        assert.equal(got.size, tilesTouched({ rows: 1, level, cells }, reachM, view, zoomMax).length);
        const reachDeg = reachM / Math.cos(view[3] * Math.PI / 180) / (2 * Math.PI * 6378137) * 360;
        for (let z = 0; z <= zoomMax; z++)
            for (let x = Math.floor(tileX(view[0], z)); x <= Math.floor(tileX(view[2], z)); x++)
                for (let y = Math.floor(tileY(view[3], z)); y <= Math.floor(tileY(view[1], z)); y++) {
                    // Sides of the cell, widened, against those of the tile, both in the view; a hair is left to rounding.
                    const meets = (slack) => cells.some(([cx, cy]) => {
                        const w = Math.max(lon(cx, level) - reachDeg, view[0]), e = Math.min(lon(cx + 1, level) + reachDeg, view[2]);
                        const up = 2 ** 18, grow = reachDeg / 360 * up;
                        const n = Math.max(tileY(lat(cy, level), 18) - grow, tileY(view[3], 18)), s = Math.min(tileY(lat(cy + 1, level), 18) + grow, tileY(view[1], 18));
                        return w <= e && n <= s && w < lon(x + 1, z) - slack && e > lon(x, z) + slack &&
                            n < (y + 1) * 2 ** (18 - z) - slack * 700 && s > y * 2 ** (18 - z) + slack * 700;
                    });
                    if (meets(1e-7)) assert.ok(got.has(`${z}/${x}/${y}`), `missing ${z}/${x}/${y} of ${cells} at ${level}`);
                    if (got.has(`${z}/${x}/${y}`)) assert.ok(meets(-1e-7), `needless ${z}/${x}/${y} of ${cells} at ${level}`);
                }
    }
});

test('the world is one cell', () => {
    const tiles = tilesTouched({ rows: 0, level: 0, cells: [[0, 0]] }, 0, [113.7, 22.9, 113.8, 23], 10);
    assert.deepEqual([...new Set(tiles.map((t) => t.z))], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.deepEqual(tilesTouched({ rows: 1, level: 18, cells: [[0, 0]] }, 0, [113.7, 22.9, 113.8, 23], 10), []);
});

/** A browser's end of a stream. */
class Source extends EventTarget {
    static OPEN = 1;
    static CLOSED = 2;
    static all = [];
    constructor(url) {
        super();
        Object.assign(this, { url, readyState: 1, onerror: null });
        Source.all.push(this);
    }
    close() { this.readyState = 2; }
    say(kind, data) { this.dispatchEvent(Object.assign(new Event(kind), { data: JSON.stringify(data) })); }
    refuse() {
        this.readyState = 2;
        this.onerror();
    }
}

/** A clock that is wound by hand. */
class Clock {
    constructor() { Object.assign(this, { ms: 0, timers: new Map(), next: 1 }); }
    now() { return this.ms; }
    after(act, ms) {
        this.timers.set(this.next, { act, at: this.ms + ms });
        return this.next++;
    }
    every(act, ms) {
        const timer = this.after(act, ms);
        this.timers.get(timer).again = ms;
        return timer;
    }
    cancel(timer) { this.timers.delete(timer); }
    tick(ms) {
        const end = this.ms + ms;
        for (;;) {
            const [first] = [...this.timers].sort((a, b) => a[1].at - b[1].at || a[0] - b[0]);
            if (!first || first[1].at > end) break;
            const [timer, what] = first;
            this.ms = what.at;
            if (what.again) what.at += what.again;
            else this.timers.delete(timer);
            what.act();
        }
        this.ms = end;
    }
}

test('a page stays in touch', () => {
    const clock = new Clock();
    globalThis.EventSource = Source;
    globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    const said = [], lines = [], turn = (state) => {
        document.visibilityState = state;
        document.dispatchEvent(new Event('visibilitychange'));
    };
    const live = new Live({ onNews: (n) => said.push(['news', n.sequence]), onReset: (n) => said.push(['reset', n.sequence]), onSilence: (s) => said.push(['silent', s]), onBroken: (b) => lines.push(b) }, 7, clock);
    const last = () => Source.all.at(-1);
    assert.equal(last().url, '/changes?since=7');
    last().say('beat', { sequence: 7 });
    last().say('change', { sequence: 9, layers: {} });
    last().say('change', { sequence: 10, layers: {}, everything: true });
    last().say('reset', { sequence: 12 });
    assert.deepEqual(said.splice(0), [['news', 9], ['reset', 10], ['reset', 12]]);

    // Refusals: it comes back behind what it heard, later each time.
    const waits = [];
    assert.deepEqual(lines, []);
    for (let i = 0; i < 8; i++) {
        last().refuse();
        assert.deepEqual(lines, [true], 'told at once, and once');
        const before = Source.all.length;
        let ms = 0;
        for (; Source.all.length === before; ms += 500) clock.tick(500);
        waits.push(ms);
        assert.equal(last().url, '/changes?since=12');
    }
    assert.ok(waits[0] <= 3500 && Math.max(...waits) <= 90500 && waits.at(-1) > 29000, waits.join());
    assert.deepEqual(said.splice(0), [['silent', true]]);
    last().say('beat', { sequence: 12 });
    assert.deepEqual(said.splice(0), [['silent', false]]);
    assert.deepEqual(lines, [true, false]);

    // Silence of a line that is open: told, and then the line is given up.
    const open = last();
    clock.tick(SILENT_MS - 1000);
    assert.deepEqual(said, []);
    clock.tick(3000);
    assert.deepEqual(said.splice(0), [['silent', true]]);
    clock.tick(SILENT_MS + 5000);
    assert.equal(open.readyState, Source.CLOSED);
    assert.notEqual(last(), open);
    last().say('beat', { sequence: 13 });
    assert.deepEqual(said.splice(0), [['silent', false]]);

    // Out of sight for a moment: nothing; for long: the connection is given back, and no silence told.
    const seen = last();
    turn('hidden');
    clock.tick(HIDDEN_MS / 3);
    seen.say('beat', { sequence: 13 });
    turn('visible');
    clock.tick(1000);
    assert.equal(last(), seen);
    turn('hidden');
    for (let ms = 0; ms <= HIDDEN_MS; ms += 10000) {
        if (seen.readyState === Source.OPEN) seen.say('beat', { sequence: 14 });
        clock.tick(10000);
    }
    assert.equal(seen.readyState, Source.CLOSED);
    clock.tick(10 * SILENT_MS);
    assert.equal(last(), seen);
    assert.deepEqual(said, []);
    turn('visible');
    assert.equal(last().url, '/changes?since=14');
    live.close();
    assert.equal(last().readyState, Source.CLOSED);
    assert.equal(clock.timers.size, 0);
    delete globalThis.EventSource;
    delete globalThis.document;
});
