// Areas, what is known of numbers, and the questions of a profile: without a
// browser.
//
// Plan
//   what a hand drew is a ring of few corners of about the same area; what is
//   no area is none
//   an area goes through the page's address; what is not one is none
//   a circle on the map lies as far from its centre as it says (Vincenty)
//   parts of a whole: p is the sum of the chances, q that of its definition; of
//   draws from the city's own shares seldom any is told to differ
//   intervals of shares cover as often as they say; a verdict needs the city
//   outside; equal is not different
//   unknown comes last in any order; a CSV keeps texts, and runs nothing
//   hidden, zero, unknown and not connected are four
//   what is refused is not told, what was typed wrong is
//   the boxes of a picture cover neither each other nor, beneath, the map
//   words are in both languages, holes and all
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { circleRing, CORNERS_MOST, formatArea, metresBetween, parseArea, placeParams, ringKm2, ringOf, unitFilter } from '../../../web/pages/profile/area.js';
import { askLine, askParts, askRanking, askTrend, categories, countedLayers } from '../../../web/pages/profile/ask.js';
import { binomialP, csvOf, falseDiscovery, known, partVerdicts, sorted, verdict, wilson } from '../../../web/pages/profile/numbers.js';
import { broken, placed } from '../../../web/pages/profile/poster.js';
import { random } from '../onemap.mjs';

const close = (a, b, part) => Math.abs(a - b) <= part * Math.abs(b);

test('what a hand drew becomes a ring of few corners', () => {
    const next = random(5);
    for (let i = 0; i < 60; i++) {
        const r = 0.002 + next() * 0.05, n = 40 + Math.floor(next() * 3000), line = [];
        // A circle with a tremble, begun anywhere, once around and a bit more.
        const from = next() * 7;
        for (let k = 0; k <= n; k++) {
            const turn = from + (2 * Math.PI - 1e-3) * k / n, d = r * (1 + 0.002 * (next() - 0.5));
            line.push([113.75 + d * Math.cos(turn), 23 + d * Math.sin(turn)]);
        }
        const ring = ringOf(line, r / 200);
        assert.ok(ring && ring.length >= 8 && ring.length <= CORNERS_MOST, `${ring?.length}`);
        assert.ok(close(ringKm2(ring), ringKm2(line), 0.03), `${ringKm2(ring)} of ${ringKm2(line)}`);
        for (const p of ring) assert.ok(p.every((v) => v === +v.toFixed(6)));
    }
    const coast = Array.from({ length: 4000 }, (_, i) => [113 + 0.3 * Math.cos(i / 637) * (1 + 0.3 * Math.sin(i * 1.7)), 23 + 0.3 * Math.sin(i / 637) * (1 + 0.3 * Math.sin(i * 1.7))]);
    assert.ok(ringOf(coast, 1e-7).length <= CORNERS_MOST, 'however it trembles');
    for (const none of [[], [[113, 23]], [[113, 23], [113.1, 23]], [[113, 23], [113, 23], [113, 23]], [[113, 23], [113.1, 23], [113, 23]], [[113, 23], [113.00001, 23], [113, 23.00001]]])
        assert.equal(ringOf(none, 1e-4), null, JSON.stringify(none));
    assert.deepEqual(ringOf([[113, 23], [113.1, 23], [113.1, 23.1], [113, 23.1], [113, 23]], 1e-6), [[113, 23], [113.1, 23], [113.1, 23.1], [113, 23.1]]);
});

test('an area goes through the address', () => {
    const polygon = { kind: 'polygon', ring: [[113.5, 22.9], [113.712345, 22.9], [113.6, 23.123456]] }, circle = { kind: 'circle', at: [113.75, 23.02], radiusM: 850 };
    for (const area of [polygon, circle]) assert.deepEqual(parseArea(formatArea(area)), area);
    assert.match(formatArea(polygon), /^polygon:[0-9.,-]+$/);
    assert.equal(formatArea(null), '');
    assert.equal(formatArea({ kind: 'unit', level: 'town', id: '1' }), '');
    for (const none of ['', 'polygon', 'polygon:', 'polygon:1,2', 'polygon:1,2,3,4', 'polygon:1,2,3,4,5', 'polygon:1,2,3,4,5,x', 'polygon:1,2,3,4,,6', 'polygon:1,2,3,4,500,6', 'circle:113,23', 'circle:113,23,0', 'circle:113,23,1e9',
        'circle:113,99,500', 'square:1,2,3', `polygon:${Array(2 * CORNERS_MOST + 2).fill(1).join(',')}`, 'circle:NaN,23,500'])
        assert.equal(parseArea(none), null, none);
    assert.deepEqual(placeParams(circle), { near: '113.75,23.02', radius: '850' });
    assert.equal(placeParams(polygon).within, 'POLYGON((113.5 22.9,113.712345 22.9,113.6 23.123456,113.5 22.9))');
    assert.equal(unitFilter({ kind: 'unit', level: 'town', id: "o'x" }), `"town" = 'o''x'`);
    // A square of a hundredth of a degree at 23 degrees north: 1.0248 x 1.1074 km.
    assert.ok(close(ringKm2([[113, 23], [113.01, 23], [113.01, 23.01], [113, 23.01]]), 1.0243 * 1.1076, 0.004));
});

/** Metres on the ellipsoid between near places: by its radii of curvature in the middle, in small steps. */
function along([ax, ay], [bx, by]) {
    const rad = Math.PI / 180, a = 6378137, e2 = 0.0066943799901413165;
    let sum = 0;
    for (let i = 0; i < 2000; i++) {
        const lat = (ay + (by - ay) * (i + 0.5) / 2000) * rad, w = 1 - e2 * Math.sin(lat) ** 2;
        sum += Math.hypot((bx - ax) / 2000 * rad * a / Math.sqrt(w) * Math.cos(lat), (by - ay) / 2000 * rad * a * (1 - e2) / w ** 1.5);
    }
    return sum;
}

test('a circle on the map is as wide as it says', () => {
    for (const at of [[113.75, 23.02], [113.75, -45], [20, 69], [0, 0]])
        for (const radiusM of [50, 800, 20000])
            for (const p of circleRing(at, radiusM, 24)) {
                assert.ok(close(along(at, p), radiusM, 0.004), `${at} ${radiusM}: ${along(at, p)}`);
                assert.ok(close(metresBetween(at, p), along(at, p), 0.001));
            }
});

test('the chance of so many hits, by the sum of all that are as far out', () => {
    for (const [of, chance] of [[1, 0.5], [7, 0.2], [31, 0.9], [40, 0.03], [300, 0.4]]) {
        const pmf = [(1 - chance) ** of];
        for (let k = 0; k < of; k++) pmf.push(pmf[k] * (of - k) / (k + 1) * chance / (1 - chance));
        for (let hits = 0; hits <= of; hits++) {
            const end = (list) => list.reduce((s, v) => s + v, 0), want = Math.min(1, 2 * (hits >= of * chance ? end(pmf.slice(hits)) : end(pmf.slice(0, hits + 1))));
            const p = binomialP(hits, of, chance);
            assert.ok(Math.abs(p - want) <= 1e-9 * want + 1e-13, `${hits} of ${of} by ${chance}: ${p}, not ${want}`);
        }
    }
    assert.deepEqual([binomialP(0, 10, 0), binomialP(1, 10, 0), binomialP(10, 10, 1), binomialP(9, 10, 1), binomialP(0, 0, 0.3)], [1, 0, 1, 0, 1]);
    assert.ok(binomialP(1e6, 2e6, 0.5) > 0.99 && binomialP(1.01e6, 2e6, 0.5) < 1e-9);
});

test('the false discovery rate is that of its definition', () => {
    const next = random(5);
    for (let i = 0; i < 200; i++) {
        const p = Array.from({ length: 1 + Math.floor(next() * 30) }, () => (next() < 0.1 ? null : next() ** 3)), real = p.filter((v) => v !== null), q = falseDiscovery(p);
        p.forEach((v, k) => {
            if (v === null) return assert.equal(q[k], null);
            const want = Math.min(1, ...real.filter((w) => w >= v).map((w) => w * real.length / real.filter((u) => u <= w).length));
            assert.ok(Math.abs(q[k] - want) < 1e-12);
        });
    }
});

test('chance is seldom told to be a difference, a difference is', () => {
    const next = random(2), weights = Array.from({ length: 392 }, (_, i) => 1 + 3 * next() + (i < 8 ? 2 : 0)), total = weights.reduce((a, b) => a + b), shares = weights.map((w) => w / total), sums = [];
    for (const share of shares) sums.push((sums.at(-1) ?? 0) + share);
    const draw = (of) => {
        const hits = shares.map(() => 0);
        for (let i = 0; i < of; i++) {
            let [from, to] = [0, sums.length - 1];
            for (const at = next(); from < to;) {
                const mid = (from + to) >> 1;
                if (sums[mid] > at) to = mid;
                else from = mid + 1;
            }
            hits[from]++;
        }
        return hits;
    };
    const DRAWS = 200, OF = 1139;
    let any = 0, each = 0;
    for (let i = 0; i < DRAWS; i++) {
        const hits = draw(OF), told = partVerdicts(hits.map((h, k) => ({ hits: h, city: shares[k] })), OF);
        any += told.some((v) => v.verdict !== 'same');
        // Each of the eight largest by itself: this is what must not be told.
        const largest = hits.map((h, k) => [h, shares[k]]).sort((a, b) => b[0] - a[0]).slice(0, 8);
        each += largest.filter(([h, share]) => verdict(wilson(h, OF), share) === 'higher').length;
    }
    assert.ok(any <= 0.05 * DRAWS + 3 * Math.sqrt(0.05 * 0.95 * DRAWS), `in ${any} of ${DRAWS} draws something is told to differ`);
    assert.ok(each > 4 * DRAWS, 'else there is nothing to be wary of');
    const hits = draw(OF);
    hits[5] += 40;
    const told = partVerdicts([...hits.map((h, k) => ({ hits: h, city: shares[k] })), { hits: null, city: 0.1 }, { hits: 3, city: null }], OF + 40);
    assert.equal(told[5].verdict, 'higher');
    assert.deepEqual(told.slice(-2), [{ p: null, q: null, verdict: 'unknown' }, { p: null, q: null, verdict: 'unknown' }]);
    const few = partVerdicts([{ hits: 300, city: 0.5 }, { hits: 700, city: 0.5 }], 1000);
    assert.deepEqual(few.map((v) => v.verdict), ['lower', 'higher']);
});

test('how sure a share is, and when it is different', () => {
    const next = random(9);
    let covered = 0;
    for (let i = 0; i < 4000; i++) {
        const p = 0.03 + 0.9 * next(), n = 30 + Math.floor(next() * 200);
        let hits = 0;
        for (let k = 0; k < n; k++) hits += next() < p;
        const { low, high } = wilson(hits, n);
        assert.ok(low >= 0 && high <= 1 && low <= hits / n && hits / n <= high);
        covered += low <= p && p <= high;
    }
    assert.ok(Math.abs(covered / 4000 - 0.95) < 0.015, `${covered / 4000}`);
    assert.deepEqual(wilson(0, 0), { low: 0, high: 1 });
    // Wilson's interval of 10 of 40: 0.142 to 0.402 (Newcombe 1998's formula 3).
    assert.ok(close(wilson(10, 40).low, 0.1419, 0.001) && close(wilson(10, 40).high, 0.4019, 0.001));
    assert.equal(verdict({ low: 2, high: 3 }, 1), 'higher');
    assert.equal(verdict({ low: 2, high: 3 }, 3.5), 'lower');
    for (const city of [2, 2.5, 3]) assert.equal(verdict({ low: 2, high: 3 }, city), 'same');
    for (const [sure, city] of [[{ low: null, high: 3 }, 1], [{ low: 2, high: null }, 1], [{ low: 2, high: 3 }, null], [{ low: undefined, high: undefined }, undefined]]) assert.equal(verdict(sure, city), 'unknown');
});

test('orders and tables', () => {
    const rows = [{ id: 'a', v: 3 }, { id: 'b', v: null }, { id: 'c', v: 10 }, { id: 'd', v: 0 }, { id: 'e', v: NaN }, { id: 'f', v: 3 }];
    const order = (down) => sorted(rows, (r) => r.v, down, (r) => r.id).map((r) => r.id).join('');
    assert.equal(order(true), 'cafdbe');
    assert.equal(order(false), 'dafcbe');
    assert.equal(rows.map((r) => r.id).join(''), 'abcdef', 'the rows stay as they were');
    const csv = csvOf(['id', 'name'], [['1', 'a "b", c'], [2.5, null], [NaN, '=1+1'], ['+x', '-y'], [-3, '两\n行']]);
    assert.equal(csv, '\ufeffid,name\r\n1,"a ""b"", c"\r\n2.5,\r\n,\'=1+1\r\n\'+x,\'-y\r\n-3,"两\n行"\r\n');
});

test('four things that are not each other', () => {
    assert.deepEqual(known({ count: 0 }), { known: 'number', value: 0 });
    assert.deepEqual(known({ count: null, hidden: true }), { known: 'hidden' });
    assert.deepEqual(known({ count: null }), { known: 'unknown' });
    assert.deepEqual(known(null), { known: 'unknown' });
    assert.deepEqual(known({ count: 0 }, { rows: 0 }), { known: 'awaited' });
    assert.deepEqual(known({ count: 0 }, { rows: 0, as_of: '2023-06-27' }), { known: 'number', value: 0 });
});

/** A server of fixed answers; what it was asked. */
function answering(t, answers) {
    const asked = [], before = globalThis.fetch;
    globalThis.fetch = async (target) => {
        const text = decodeURIComponent(String(target)).replaceAll('+', ' ');
        asked.push(text);
        const [, body] = answers.find(([pattern]) => pattern.test(text)) ?? [null, 404];
        const status = typeof body === 'number' ? body : body.status ?? 200;
        return { ok: status < 400, status, json: async () => (typeof body === 'number' ? {} : body) };
    };
    t.after(() => { globalThis.fetch = before; });
    return asked;
}

const layer = (more) => ({ id: 'hazard', title: '隐患', rows: 100, geometry: 'point', time_column: 'at', columns: [{ name: 'kind', type: 'category' }, { name: 'town', type: 'category', unit: true }], ...more });
const circle = { kind: 'circle', at: [113.75, 23.02], radiusM: 500 }, town = { kind: 'unit', level: 'town', id: 'T1' };
const subject = { layer: 'hazard', filter: 'severity > 2', time: '2023-05/2023-06' };

test('a line of a profile', async (t) => {
    const asked = answering(t, [[/near=.*per=house/, { count: 8, rate: 9, rate_low: 4, rate_high: 14 }], [/per=house/, { count: 40, rate: 3 }], [/per=resident/, 400], [/near=/, { count: 8 }], [/./, { count: 40 }]]);
    const line = await askLine(layer(), circle, subject, { name: 'house', layer: 'rental' });
    assert.deepEqual([line.count, line.city, line.share], [{ known: 'number', value: 8 }, { known: 'number', value: 40 }, 0.2]);
    assert.deepEqual(line.rate, { value: 9, low: 4, high: 14, city: 3, verdict: 'higher' });
    assert.match(asked[0], /^\/stats\/hazard\?near=113.75,23.02&radius=500&filter=severity > 2&datetime=2023-05\/2023-06&per=house$/);
    assert.match(asked[1], /^\/stats\/hazard\?filter=severity > 2&datetime=2023-05\/2023-06&per=house$/);
    // Rates that are refused leave the counts; of others the filter does not speak.
    const other = await askLine(layer({ id: 'tip', time_column: null }), circle, subject, { name: 'resident', layer: 'address' });
    assert.deepEqual([other.count.value, other.rate], [8, null]);
    assert.match(asked.at(-2), /^\/stats\/tip\?near=113.75,23.02&radius=500$/);
    // What is exposed is not for each of itself.
    const self = await askLine(layer({ id: 'rental' }), circle, subject, { name: 'house', layer: 'rental' });
    assert.equal(self.rate, null);
    const before = asked.length, person = await askLine(layer({ id: 'worker', personal: true }), circle, subject, null);
    assert.deepEqual([person.count, asked.length], [{ known: 'hidden' }, before], 'not even asked');
});

test('a unit is told by its group', async (t) => {
    const asked = answering(t, [[/by=town/, { count: 50, groups: [{ id: 'T1', count: null, hidden: true }, { id: 'T2', count: 50 }] }], [/by=kind/, { count: 10, groups: [{ id: 'a', count: 4 }] }]]);
    const line = await askLine(layer({ id: 'worker', personal: true }), town, subject, null);
    assert.deepEqual([line.count, line.city], [{ known: 'hidden' }, { known: 'number', value: 50 }]);
    assert.match(asked[0], /^\/stats\/worker\?by=town$/);
    const none = await askLine(layer({ columns: [] }), town, subject, null);
    assert.deepEqual(none.count, { known: 'unknown' }, 'it lies in no such unit');
    await askParts(layer(), 'kind', town, subject);
    assert.match(asked.find((a) => /by=kind/.test(a)), /filter=\(severity > 2\) AND \("town" = 'T1'\)/);
});

test('trends and parts', async (t) => {
    answering(t, [[/near=.*by=day/, { count: 3, groups: [{ id: '2023-05-02T00:00:00+08:00', count: 3 }] }], [/by=day/, { count: 9, groups: [{ id: '2023-05-01T00:00:00+08:00', count: 4 }, { id: '2023-05-02T00:00:00+08:00', count: 5 }, { id: null, count: 1 }] }],
        [/near=.*by=kind/, { count: 100, groups: [{ id: 'a', count: 90 }, { id: 'b', count: 10 }] }], [/by=kind/, { count: 1000, groups: [{ id: 'a', count: 500 }, { id: 'b', count: 490 }, { id: null, count: 10 }] }], [/by=level/, 404], [/by=wrong/, { status: 400, parameter: 'filter' }]]);
    const trend = await askTrend(layer(), circle, subject, 'day');
    assert.deepEqual(trend.steps, [{ at: '2023-05-01', count: 0, city: 4 }, { at: '2023-05-02', count: 3, city: 5 }]);
    assert.equal(await askTrend(layer({ time_column: null }), circle, subject, 'day'), null);
    const { parts } = await askParts(layer(), 'kind', circle, subject);
    assert.deepEqual(parts.map((p) => [p.id, p.count.value, p.share, p.verdict]), [['a', 90, 0.9, 'higher'], ['b', 10, 0.1, 'lower'], [null, 0, 0, 'same']]);
    assert.equal(await askParts(layer(), 'level', circle, subject), null, 'about persons: not told');
    await assert.rejects(askParts(layer(), 'wrong', circle, subject), (e) => e.parameter === 'filter');
    assert.deepEqual(categories(layer({ picture_by: 'severity', columns: [{ name: 'kind', type: 'category' }, { name: 'severity', type: 'integer' }, { name: 'town', type: 'category', unit: true }, { name: 'note', type: 'text' }] })).map((c) => c.name), ['severity', 'kind']);
    assert.deepEqual(countedLayers([layer(), layer({ unit_level: 'town' })]).length, 1);
});

test('a ranking', async (t) => {
    answering(t, [[/per=resident/, 400], [/per=house/, { count: 10, rate: 2, unit: '每千', groups: [{ id: 'T1', name: '甲', count: 8, exposure: 5, rate: 5, rate_low: 3, rate_high: 7 }, { id: 'T2', count: 2, exposure: 1, rate: null, rate_low: null, rate_high: null }, { id: null, count: 0 }] }],
        [/./, { count: 10, groups: [{ id: 'T1', count: 8 }, { id: 'T2', count: null, hidden: true }, { id: null, count: 2 }] }]]);
    const told = await askRanking(layer(), 'town', subject, 'house');
    assert.deepEqual(told.rows.map((r) => [r.id, r.name, r.count.value, r.share, r.rate, r.verdict]), [['T1', '甲', 8, 0.8, 5, 'higher'], ['T2', 'T2', 2, 0.2, null, 'unknown']]);
    const plain = await askRanking(layer(), 'town', subject, 'resident');
    assert.deepEqual([plain.refused, plain.rated, plain.rows.map((r) => r.count.known)], [true, false, ['number', 'hidden', 'number']]);
});

test('words are in both languages', async () => {
    for (const name of ['profile', 'sheet']) {
        const text = await readFile(`web/pages/${name}/words.js`, 'utf8');
        const pairs = [...text.matchAll(/(\w+): \[(['"])((?:(?!\2).)*)\2,\s*(['"])((?:(?!\4).)*)\4\]/gs)];
        assert.ok(pairs.length > 25, `${name}: ${pairs.length}`);
        for (const [, key, , zh, , en] of pairs) {
            const holes = (s) => [...s.matchAll(/\{\w+\}/g)].map(String).sort().join();
            assert.equal(holes(zh), holes(en), key);
            if (key !== 'language') assert.ok(!/[\u4e00-\u9fff]/.test(en), key);
        }
        // Every word that is said is there.
        const said = new Set(), sources = name === 'sheet' ? ['sheet/sheet'] : ['profile/profile', 'profile/exports', 'profile/parts', 'profile/drawing'];
        for (const source of sources) for (const [, key] of (await readFile(`web/pages/${source}.js`, 'utf8')).matchAll(/\b(?:say|tell)\('(\w+)'/g)) said.add(key);
        if (name === 'profile') for (const source of ['table', 'questions', 'compare', 'ranks']) for (const [, key] of (await readFile(`web/pages/analyst/${source}.js`, 'utf8')).matchAll(/\b(?:told|tell)\('(\w+)'/g)) said.add(key);
        const keys = new Set(pairs.map((p) => p[1]));
        for (const key of said) if (!['profile', 'ranking', 'export'].includes(key) || name === 'sheet') assert.ok(keys.has(key), `${name}: ${key}`);
    }
});

test('boxes of a picture cover neither each other nor the map', () => {
    const next = random(11), whole = (least, most) => least + Math.floor(next() * (most - least)), seen = new Set();
    for (let i = 0; i < 2000; i++) {
        const map = { width: whole(320, 1600), height: whole(240, 1000) };
        const legends = i % 7 ? { width: whole(60, Math.min(700, map.width)), height: whole(30, 500) } : { width: 0, height: 0 }, note = { width: whole(60, 324), height: whole(30, 200) };
        const at = placed(map, legends, note), boxes = [{ ...at.legends, ...legends }, { ...at.note, ...note }];
        for (const { x, y, width, height } of boxes) {
            assert.ok(x >= 0 && x + width <= Math.max(map.width, width) && y + height <= at.height, 'within the picture');
            assert.ok(y >= map.height, 'beneath the map');
        }
        assert.ok(boxes.some(({ y, height }) => y + height === at.height), 'nothing is empty below');
        const [a, b] = boxes;
        assert.ok(!legends.height || a.x + a.width <= b.x || a.y + a.height <= b.y, JSON.stringify([map, boxes]));
        seen.add(a.y === b.y);
    }
    assert.equal(seen.size, 2);
    // The half of a screen, as a legend of heat and five lines need it.
    assert.equal(placed({ width: 397, height: 720 }, { width: 324, height: 106 }, { width: 255, height: 120 }).height, 946);
    assert.equal(placed({ width: 794, height: 720 }, { width: 324, height: 106 }, { width: 255, height: 120 }).height, 840);
});

test('lines end between words, begin with none of their blanks, and are as many as may be', () => {
    const pen = { measureText: (t) => ({ width: [...t].reduce((n, c) => n + (c > '\u2e80' ? 2 : 1), 0) }) }, next = random(7);
    assert.deepEqual(broken(pen, 'Period: 28 May 2023 to 26 June', 12, 4), ['Period: 28', 'May 2023 to', '26 June']);
    assert.deepEqual(broken(pen, '问题隐患 2023年5月', 10, 4), ['问题隐患', '2023年5月']);
    assert.deepEqual(broken(pen, 'abcdefgh ij', 5, 4), ['abcde', 'fgh', 'ij']);
    assert.deepEqual(broken(pen, 'one two three four', 5, 2), ['one', 'two…']);
    assert.deepEqual(broken(pen, '', 5, 2), ['']);
    for (let i = 0; i < 500; i++) {
        const text = Array.from({ length: 1 + Math.floor(60 * next()) }, () => 'ab, 虎门  .'[Math.floor(10 * next())]).join(''), lines = broken(pen, text, 9, 99);
        assert.equal(lines.join('').replace(/\s/g, ''), text.replace(/\s/g, ''));
        for (const line of lines) assert.ok(pen.measureText(line).width <= 9 && line === line.trim(), JSON.stringify([text, lines]));
    }
});
