// Which tiles a change touches, and how a page stays in touch.
//
// Plan
//   the stream: goes on behind what was heard, comes back ever more slowly after
//   refusals, tells silence and its end, sleeps while nobody sees the page
//   exactly those that are seen, be it a corner, and that the cell and its reach
//   meet, at every zoom, as going through all tiles says
import assert from 'node:assert/strict';
import test from 'node:test';

import { EDGE, HIDDEN_MS, Live, SILENT_MS, tilesTouched } from '../../../web/pages/live.js';
import { random } from '../onemap.mjs';

const lon = (x, z) => x / 2 ** z * 360 - 180;
const lat = (y, z) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y / 2 ** z))) * 180 / Math.PI;
const tileX = (l, z) => (l + 180) / 360 * 2 ** z;
const tileY = (l, z) => (1 - Math.asinh(Math.tan(l * Math.PI / 180)) / Math.PI) / 2 * 2 ** z;

test('tiles above and below a change, and no others', () => {
    const next = random(9);
    let some = 0;
    for (let i = 0; i < 300; i++) {
        const level = i % 5 ? 18 : 12, west = 113.5 + next(), south = 22.5 + next();
        const view = [west, south, west + 0.02 + next() * 0.1, south + 0.02 + next() * 0.1];
        const cells = Array.from({ length: 1 + i % 3 }, () =>
            [Math.floor(tileX(west - 0.02 + next() * 0.14, level)), Math.floor(tileY(south - 0.02 + next() * 0.14, level))]);
        const reachM = [0, 0, 400, 1600][i % 4], edge = [0, EDGE, 0.1][i % 3], zoomMax = 15;
        const list = tilesTouched({ rows: 1, level, cells }, reachM, view, zoomMax, edge), got = new Set(list.map((t) => `${t.z}/${t.x}/${t.y}`));
        assert.equal(got.size, list.length);
        some += list.length > zoomMax;
        const reach = reachM / Math.cos(view[3] * Math.PI / 180) / (2 * Math.PI * 6378137);
        for (let z = 0; z <= zoomMax; z++) {
            const n = 2 ** z, side = 2 ** -level;
            // Everywhere around what is seen; a hair is left to rounding.
            for (let x = Math.floor(tileX(view[0], z)) - 1; x <= Math.floor(tileX(view[2], z)) + 1; x++)
                for (let y = Math.floor(tileY(view[3], z)) - 1; y <= Math.floor(tileY(view[1], z)) + 1; y++) {
                    const seen = x < tileX(view[2], z) && x + 1 > tileX(view[0], z) && y < tileY(view[1], z) && y + 1 > tileY(view[3], z) && x >= 0 && y >= 0 && x < n && y < n;
                    const meets = (slack) => cells.some(([cx, cy]) => {
                        const grow = reach + edge / n - slack;
                        return cx * side - grow < (x + 1) / n && (cx + 1) * side + grow > x / n && cy * side - grow < (y + 1) / n && (cy + 1) * side + grow > y / n;
                    });
                    if (seen && meets(1e-10)) assert.ok(got.has(`${z}/${x}/${y}`), `missing ${z}/${x}/${y} of ${cells} at ${level}`);
                    if (got.has(`${z}/${x}/${y}`)) assert.ok(seen && meets(-1e-10), `needless ${z}/${x}/${y} of ${cells} at ${level}`);
                }
        }
    }
    assert.ok(some > 200);
});

test('a tile of which a part is seen is old where it is not seen, too', () => {
    // A change in the tile's west, of which the east is looked at.
    const z = 10, x = 835, y = 445, cell = [x * 256 + 3, y * 256 + 128];
    const view = [lon(x + 0.8, z), lat(y + 0.9, z), lon(x + 1.2, z), lat(y + 0.1, z)];
    const got = tilesTouched({ rows: 1, level: 18, cells: [cell] }, 0, view, z).filter((t) => t.z === z);
    assert.deepEqual(got, [{ z, x, y }]);
});

test('what is drawn of a row reaches into the tiles beside it', () => {
    const z = 12, cell = [3340 * 64, 1780 * 64], view = [113.5, 22.5, 114.5, 23.5];
    const at = (edge) => tilesTouched({ rows: 1, level: 18, cells: [cell] }, 0, view, z, edge).filter((t) => t.z === z).map((t) => `${t.x}/${t.y}`).sort();
    assert.deepEqual(at(0), ['3340/1780']);
    assert.deepEqual(at(EDGE), ['3339/1779', '3339/1780', '3340/1779', '3340/1780']);
    const all = tilesTouched({ rows: 1, level: 18, cells: [cell] }, 0, view, z, Infinity).filter((t) => t.z === z);
    assert.equal(all.length, (Math.floor(tileX(view[2], z)) - Math.floor(tileX(view[0], z)) + 1) * (Math.floor(tileY(view[1], z)) - Math.floor(tileY(view[3], z)) + 1));
});

test('the world is one cell', () => {
    const tiles = tilesTouched({ rows: 0, level: 0, cells: [[0, 0]] }, 0, [113.7, 22.9, 113.8, 23], 10);
    assert.deepEqual([...new Set(tiles.map((t) => t.z))], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    // The world's far corner is in a tile that is seen only where that is the world.
    assert.deepEqual(tilesTouched({ rows: 1, level: 18, cells: [[0, 0]] }, 0, [113.7, 22.9, 113.8, 23], 10), [{ z: 0, x: 0, y: 0 }]);
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
