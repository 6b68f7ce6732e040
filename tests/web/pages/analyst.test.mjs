// What the analyst's page thinks, without a browser.
//
// Plan
//   a filter's text and its boxes say the same, whatever is in them; what no
//   box can say stays as it was typed
//   periods: moved, played, the one before, the year before
//   two counts a unit: what differs is found, chance seldom taken for it, however
//   many are compared
//   what is drawn of a state: addresses, and nothing that the city has not; a
//   test for hotspots that is added asks as the wall does
//   words are in both languages
//   the page names all of its modules, so that none waits for another
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { conjuncts, format, parse } from '../../../web/pages/analyst/cql.js';
import { monthsOver, previous, series, shifted, span, stepOf, timeOf, yearBefore } from '../../../web/pages/analyst/days.js';
import { otherState } from '../../../web/pages/analyst/other.js';
import { clusterSteps } from '../../../web/pages/analyst/drawing.js';
import { drawnOf, hotspotsOf, levelOf, partsOf, tilesOf, withDrawn } from '../../../web/pages/analyst/shown.js';
import { emptyState, formatHash, parseHash } from '../../../web/pages/analyst/state.js';
import { byPlace, bySureness, compared } from '../../../web/pages/analyst/questions.js';
import { languageOf, words, writing } from '../../../web/pages/analyst/words.js';
import { classTitle, columnTitle } from '../../../web/pages/columns.js';
import { Moment, plan } from '../../../web/pages/wall/plan.js';
import { addDays } from '../../../web/pages/text.js';
import { random } from '../onemap.mjs';

const COLUMNS = [{ name: 'severity', type: 'integer' }, { name: 'department', type: 'category' }, { name: 'reported', type: 'time' }, { name: 'size', type: 'real' },
    { name: 'open', type: 'boolean' }, { name: '名 称', type: 'text' }, { name: 'in', type: 'category' }];

test('a filter is taken apart and put together again', () => {
    const next = random(11), pick = (list) => list[Math.floor(next() * list.length)];
    const texts = ['a', "b's", '消防 AND 救援', '(x)', '', "''", 'NULL', 'OR', '"', 'a, b'];
    const some = (list) => [...new Set(Array.from({ length: 1 + Math.floor(next() * 4) }, () => pick(list)))];
    const conditions = {
        severity: () => pick([{ values: some([1, 2, 3, -4, null]) }, { from: '2', to: '' }, { from: '', to: '-3' }, { from: '1', to: '4' }]),
        size: () => ({ from: pick(['', '0.5', '1000']), to: '7.25' }), department: () => ({ values: some([...texts, null]) }), '名 称': () => ({ values: some(texts) }),
        in: () => ({ values: some(texts) }), open: () => ({ values: some([true, false, null]) }), reported: () => ({ from: '2023-01-02', to: pick(['', '2023-06-26']) }),
    };
    const rests = ["name LIKE '%AND%'", 'a = 1 OR b = 2', 'NOT (severity = 1)', 'S_INTERSECTS(geom, POINT(1 2))', 'severity <> 2'];
    for (let i = 0; i < 3000; i++) {
        const parts = { conditions: new Map(), rest: next() < 0.3 ? some(rests) : [] };
        for (const { name } of COLUMNS) if (next() < 0.4) parts.conditions.set(name, conditions[name]());
        const text = format(parts, COLUMNS), again = parse(text, COLUMNS);
        const sorted = (m) => [...m].map(([name, c]) => [name, 'values' in c ? { values: [...c.values].sort() } : c]);
        assert.deepEqual(sorted(again.conditions), sorted(parts.conditions), text);
        assert.equal(format(again, COLUMNS), text);
    }
});

test('columns and classes have names in both languages; what has none is told as it is', () => {
    assert.deepEqual(['zh-CN', 'en'].map((lang) => columnTitle(lang, 'department')), ['部门', 'Department']);
    assert.deepEqual(['own_column', 'toString', '名 称'].map((name) => columnTitle('zh-CN', name)), ['own_column', 'toString', '名 称']);
    assert.deepEqual(['hot 99%', 'low 90%', 'low-high', 'new cold', 'not significant', 'unknown', 'odd', 'odd hot'].map((c) => classTitle('zh-CN', c)),
        ['热点 99%', '偏低 90%', '低-高', '新增冷点', '不显著', '未知', 'odd', 'odd hot']);
    assert.equal(classTitle('en', 'hot 99%'), 'hot 99%');
});

test('what is above the city comes first: itself, then by its neighbours; what was not tested last', () => {
    const row = (id, cls, ratio, near_ratio, z) => ({ id, class: cls, ratio, near_ratio, z });
    const rows = [row('cold', 'cold 99%', 0.1, 0.2, -5), row('unknown', 'unknown', null, null, null), row('near', 'hot 99%', 0.9, 5.5, 16), row('less', 'hot 95%', 8.9, 2.8, 4), row('nearer', 'hot 90%', 0.5, 6, 3),
        row('most', 'hot 99%', 30, 3, 14), row('plain', 'not significant', 3, 1, 1.5), row('plainer', 'not significant', 1, 1, -1), row('high', 'high 95%', 1.5, undefined, 3)];
    const next = random(3), shuffled = () => [...rows].map((r) => [next(), r]).sort((a, b) => a[0] - b[0]).map(([, r]) => r);
    const want = ['most', 'less', 'high', 'nearer', 'near', 'plain', 'plainer', 'cold'];
    for (let i = 0; i < 50; i++) {
        assert.deepEqual(shuffled().sort(byPlace(true)).map((r) => r.id), [...want, 'unknown']);
        assert.deepEqual(shuffled().sort(byPlace(false)).map((r) => r.id), [...want.toReversed(), 'unknown']);
    }
});

test('units that are tested are told surest first, what was not tested last', () => {
    const rows = [{ id: 'a', q: null, z: null }, { id: 'b', q: 0.5, z: 0.1 }, { id: 'c', q: 0.01, z: -4 }, { id: 'd', q: 0.5, z: -2 }];
    const sorted = (by, down) => [...rows].sort(bySureness(by, down)).map((r) => r.id).join('');
    assert.deepEqual([sorted('q', false), sorted('q', true), sorted('z', true)], ['cdba', 'dbca', 'bdca']);
});

test('clusters in steps of how many they hold', () => {
    const next = random(11), of = (counts) => clusterSteps(counts.map((count) => ({ properties: { count } })));
    assert.deepEqual(of([]), []);
    assert.deepEqual(of([12, 12]).map(({ from, to, clusters }) => [from, to, clusters]), [[12, null, 2]]);
    for (let i = 0; i < 200; i++) {
        const counts = Array.from({ length: 1 + Math.floor(next() * 60) }, () => 10 + Math.floor(next() ** 3 * 500)), steps = of(counts);
        assert.equal(steps.reduce((sum, s) => sum + s.clusters, 0), counts.length, 'each is in one');
        for (const s of steps) assert.equal(counts.filter((n) => n >= s.from && (s.to === null || n <= s.to)).length, s.clusters);
        assert.equal(new Set(steps.map((s) => s.colour)).size, steps.length);
        assert.equal(steps.at(-1).colour, '--class-7');
    }
});

test('months that a period touches and that are over', () => {
    const over = (time) => monthsOver(time, '2023-06-27T00:00:00+08:00');
    assert.deepEqual(['2023-05-10/2023-06-15', '2023-04-30/2023-05-01', '2023-06-01/2023-06-26', '2023-01-01/..', '../2023-03-31', '', '2022-12-31/2022-12-31'].map(over),
        ['2023-05/2023-05', '2023-04/2023-05', '', '2023-01/2023-05', '', '', '2022-12/2022-12']);
});

test('what no box can say stays as it was typed', () => {
    for (const text of ['severity === 1', "x = 'abc", 'a OR severity = 1', 'severity = 1 OR severity = 2', '))((', 'NOT severity = 1', 'size > 3', "department = 5", "severity = 'x'",
        'severity BETWEEN 1', 'department IN ()', 'AND', '\u0000', '😀 = 1']) {
        const parts = parse(text, COLUMNS);
        assert.equal(parts.conditions.size, 0, text);
        assert.equal(format(parts, COLUMNS), text === 'AND' ? '' : text);
    }
    const mixed = parse("severity >= 2 AND severity <= 3 AND size > 1 AND department IN ('a','b') AND department = 'c'", COLUMNS);
    assert.deepEqual(mixed.conditions.get('severity'), { from: '2', to: '3' });
    assert.deepEqual(mixed.rest, ['size > 1', "department = 'c'"]);
    assert.equal(format(parse('a OR b', COLUMNS), COLUMNS), 'a OR b');
    assert.equal(format({ ...parse('a OR b', COLUMNS), conditions: new Map([['open', { values: [true] }]]) }, COLUMNS), 'open = TRUE AND (a OR b)');
    assert.deepEqual(conjuncts("a BETWEEN 1 AND 2 AND b = 'x AND y' and (c AND d)"), ['a BETWEEN 1 AND 2', "b = 'x AND y'", '(c AND d)']);
    assert.equal(format(parse("severity = 1 AND department = 'a'", COLUMNS), COLUMNS, 'severity'), "department = 'a'");
});

test('days without gaps, and periods that move within them', () => {
    const days = series([{ id: '2023-01-05T00:00:00+08:00', count: 2 }, { id: '2023-01-02', count: 5 }, { id: null, count: 9 }]);
    assert.deepEqual(days, { first: '2023-01-02', counts: [5, 0, 0, 2] });
    assert.deepEqual(series([]), { first: '', counts: [] });
    const long = series([{ id: '1990-01-01', count: 1 }, { id: '2023-06-26', count: 3 }]);
    assert.equal(long.counts.length, 730);
    assert.equal(addDays(long.first, 729), '2023-06-26');
    assert.deepEqual(span('2023-01-03/..', days), { from: 1, to: 3 });
    assert.deepEqual(span('2020-01-01/2030-01-01', days), { from: 0, to: 3 });
    assert.equal(timeOf(3, 1, '2023-01-02'), '2023-01-03/2023-01-05');
    for (let by = -9; by < 9; by++) {
        const at = shifted({ from: 1, to: 2 }, by, 4);
        assert.equal(at.to - at.from, 1);
        assert.ok(at.from >= 0 && at.to < 4);
    }
    assert.equal(stepOf({ from: 0, to: 6 }), 1);
    assert.equal(stepOf({ from: 0, to: 29 }), 4);
});

test('the period before, and the year before', () => {
    assert.equal(previous('2023-06-20/2023-06-26'), '2023-06-13/2023-06-19');
    assert.equal(previous('2023-03-01/2023-03-01'), '2023-02-28/2023-02-28');
    // Whole months are compared with whole months.
    assert.deepEqual(['2023-05-01/2023-05-31', '2023-03-01/2023-03-31', '2023-01-01/2023-03-31', '2024-01-01/2024-12-31', '2023-05-02/2023-05-31'].map(previous),
        ['2023-04-01/2023-04-30', '2023-02-01/2023-02-28', '2022-10-01/2022-12-31', '2023-01-01/2023-12-31', '2023-04-02/2023-05-01']);
    assert.equal(yearBefore('2024-02-29/2024-03-31'), '2023-02-28/2023-03-31');
    for (const open of ['', '2023-01-01/..', '../2023-01-01']) assert.deepEqual([previous(open), yearBefore(open)], ['', '']);
});

test('what differs between two sides is told, chance seldom is, however many units are compared', () => {
    const next = random(17), poisson = (mean) => {
        let n = 0;
        for (let left = Math.exp(-mean); ; n++) if ((left /= next()) > 1) return n;
    };
    const side = (means) => means.map((mean, i) => ({ id: `${i}`, count: poisson(mean) }));
    const told = (rows) => rows.filter((r) => r.className === 'sure').map((r) => r.id);
    // All units have the same mean on both sides: each one that is told is wrong.
    const same = Array.from({ length: 33 }, (_, i) => 20 + 3 * i);
    let runs = 0;
    for (let i = 0; i < 400; i++) runs += told(compared(side(same), side(same))).length > 0;
    assert.ok(runs <= 0.08 * 400, `something is told in ${runs} of 400 comparisons without any difference`);
    // Five have twice as many: of what is told few are others.
    let found = 0, wrong = 0;
    for (let i = 0; i < 400; i++) for (const id of told(compared(side(same.map((m, k) => k < 28 ? m : 2 * m)), side(same)))) id >= 28 ? found++ : wrong++;
    assert.ok(found > 0.95 * 2000, `${found} of 2000 are found`);
    assert.ok(wrong <= 0.06 * (found + wrong), `${wrong} of ${found + wrong} are wrong`);
    // One alone is judged by itself, one of many is not; nothing is told of what is hidden or was never counted.
    const one = (a, b) => [[{ id: 'x', count: a }], [{ id: 'x', count: b }]], many = (n) => Array.from({ length: 33 }, (_, i) => ({ id: i ? `${i}` : 'x', count: i ? 50 : n }));
    assert.deepEqual(told(compared(...one(64, 40))), ['x']);
    assert.deepEqual(told(compared(many(64), many(40))), []);
    assert.deepEqual(told(compared(many(104), many(40))), ['x']);
    assert.deepEqual(compared(...one(null, 40)).concat(compared(...one(0, 0))).map((r) => [r.q, r.className]), [[null, ''], [null, '']]);
    assert.deepEqual(told(compared(...one(64, 4), { a: true, b: false })), []);
});

const layer = (id, more = {}) => ({ id, title: id, geometry: 'point', rows: 10, id_column: 'id', time_column: null, columns: [{ name: 'id', type: 'text' }, { name: 'n', type: 'integer' }, { name: 'village', type: 'category', unit: true }, { name: 'town', type: 'category', unit: true }], ...more });
const CITY = {
    layers: [layer('report', { time_column: 'at' }), layer('lot', { geometry: 'polygon' }), layer('guard', { personal: true, time_column: 'seen' }), layer('town', { geometry: 'polygon', unit_level: 'town' })],
    levels: ['village', 'town'], models: [{ name: 'fire', title: 'fire' }], exposures: { house: { title: 'houses' } }, duty: true, service: false,
};

test('what is drawn of a state', () => {
    const state = (more) => ({ ...emptyState(), layer: 'report', ...more });
    const first = (more, palette = 'dark') => { const [part] = partsOf(CITY, state(more)); return part && new URL(tilesOf(part, palette, 1).replace(/[{}]/g, ''), 'http://a'); };
    const asked = (url) => Object.fromEntries(url.searchParams);
    assert.deepEqual(drawnOf(CITY, state({})), [{ id: 'heat', opacity: 90 }]);
    assert.deepEqual(drawnOf(CITY, state({ layer: 'lot' })), [{ id: 'lot', opacity: 100 }]);
    const heat = first({ filter: 'n > 1', time: '2023-01-01/2023-01-31' });
    assert.equal(heat.pathname, '/tiles/heat:report/z/x/y@2x.png');
    assert.deepEqual(asked(heat), { filter: 'n > 1', datetime: '2023-01-01/2023-01-31', bandwidth: '800', palette: 'dark' });
    // A model has rows of its own; it keeps its period and its own bandwidth.
    assert.deepEqual(asked(first({ model: 'fire', filter: 'n > 1', time: '2023-01-01/..' })), { datetime: '2023-01-01/..', palette: 'dark' });
    const drawn = (id) => [{ id, opacity: 50 }];
    assert.deepEqual(asked(first({ layers: drawn('choropleth'), stat: 'rate', per: 'house', units: 'village' })), { layer: 'report', stat: 'rate', per: 'house', palette: 'dark', size: '512' });
    assert.deepEqual(asked(first({ layers: drawn('choropleth'), stat: 'sum' })), { layer: 'report', stat: 'sum', column: 'n', palette: 'dark', size: '512' });
    assert.equal(first({ layers: drawn('choropleth'), units: 'hex:500' }).pathname, '/tiles/choropleth:village/z/x/y.png');
    assert.equal(asked(first({ layers: drawn('hotspots'), spots: 'eb' })).per, 'house');
    assert.match(partsOf(CITY, state({ layers: drawn('hotspots'), units: 'hex:500' }))[0].shapes, /^\/hotspots\/report\?units=hex%3A500&stat=gistar&f=geojson/);
    assert.equal(first({ layers: drawn('coverage'), coverage: 'patrol' }).searchParams.get('stat'), 'patrol');
    // Times of persons are nobody's business, nor is their place.
    assert.deepEqual(partsOf(CITY, state({ layer: 'guard' })), []);
    assert.deepEqual(partsOf(CITY, state({ layers: drawn('nothing') })), []);
    // Another layer is drawn whole: the filter speaks of the one that is asked about.
    assert.deepEqual(asked(first({ layers: drawn('lot'), filter: 'n > 1' })), { palette: 'dark', size: '512' });
    assert.equal(levelOf(CITY, state({})), 'town');
    assert.equal(levelOf(CITY, state({ units: 'village' })), 'village');
    assert.equal(partsOf(CITY, state({ layers: [{ id: 'heat', opacity: 30 }] }))[0].opacity, 0.3);
});

test('a test for hotspots that is added is of the finest units by their area; the wall\'s link asks what the wall asks', () => {
    const state = (more) => ({ ...emptyState(), layer: 'report', ...more }), add = (now) => ({ ...now, ...withDrawn(CITY, now, 'hotspots') });
    const asked = (now) => { const { units, per } = hotspotsOf(CITY, now); return [units, per]; };
    const added = add(state({ unit: 't1' }));
    assert.deepEqual([asked(added), added.unit, added.layers.map((d) => d.id)], [['village', 'area'], '', ['heat', 'hotspots']]);
    assert.deepEqual(asked(parseHash(formatHash(added))), ['village', 'area']);
    // What was chosen before stays chosen, and so does what a link says.
    assert.deepEqual(asked(add(state({ units: 'town', per: 'house', unit: 't1' }))), ['town', 'house']);
    assert.equal(add(state({ units: 'town', unit: 't1' })).unit, 't1');
    assert.deepEqual(asked(state({ layers: [{ id: 'hotspots', opacity: 100 }] })), ['town', '']);
    assert.deepEqual(Object.keys(withDrawn(CITY, state({}), 'choropleth')), ['layers']);
    // Rates that are shrunk are of something that is counted.
    assert.deepEqual(asked({ ...added, spots: 'eb' }), ['village', 'house']);

    const now = new Moment('2023-06-27T00:00:00+08:00'), unit = (name, rows) => ({ name, rows, title: name, unit_level: name, geometry: 'polygon' });
    const { questions, parts } = plan({ title: 'x', synthetic: true, exposures: {}, maps: [{ name: 'heat:report', kind: 'heat' }], layers: [{ name: 'report', rows: 5, title: 'r', geometry: 'point' }, unit('village', 50), unit('town', 4)],
        wall: { map: { heat: 'heat:report', tour: { layer: 'report', days: 28, filter: 'n > 1' } } } });
    const wall = new URL(questions.find((q) => q.key === parts.map.tour.key).url(now), 'http://a'), linked = parseHash(new URL(parts.map.tour.spots(now), 'http://a').hash);
    const { units, stat, ...rest } = hotspotsOf(CITY, linked);
    assert.deepEqual([units, stat], ['village', 'gistar'], 'the finest, as the server takes where nothing is said');
    const said = Object.fromEntries([...wall.searchParams].filter(([name]) => !['f', 'limit'].includes(name)));
    assert.deepEqual(rest, said);
    assert.deepEqual([linked.layer, linked.table, drawnOf(CITY, linked).map((d) => d.id)], ['report', 'hotspots', ['hotspots']]);
});

test('both sides of a comparison ask for the legend of both', () => {
    const part = (state, id) => partsOf(CITY, state).find((p) => p.id === id).params, layers = [{ id: 'choropleth', opacity: 80 }, { id: 'heat', opacity: 80 }, { id: 'coverage', opacity: 80 }];
    const now = { ...emptyState(), layer: 'report', layers, coverage: 'patrol', time: '2023-05-01/2023-05-31', filter: 'n > 1' };
    for (const [more, time, filter] of [[{ compare: 'previous' }, '2023-04-01/2023-04-30', 'n > 1'], [{ other: 'n > 2' }, now.time, 'n > 2'], [{ compare: '2022-01-01/2022-01-31', other: 'n = 3' }, '2022-01-01/2022-01-31', 'n = 3']]) {
        const a = { ...now, ...more }, b = otherState(a);
        assert.deepEqual([b.time, b.filter], [time, filter]);
        for (const id of ['choropleth', 'heat']) {
            const [mine, theirs] = [part(a, id), part(b, id)];
            assert.deepEqual([mine.datetime, mine.filter, mine.with_datetime, mine.with_filter], [now.time, now.filter, time, filter]);
            assert.deepEqual([theirs.datetime, theirs.filter, theirs.with_datetime, theirs.with_filter], [time, filter, now.time, now.filter]);
        }
        assert.deepEqual([part(a, 'coverage').datetime, part(a, 'coverage').with_datetime], [now.time, time]);
    }
    // Against all rows of a layer without times.
    const all = { ...emptyState(), layer: 'lots', layers: [{ id: 'heat', opacity: 100 }], other: 'n > 2' }, city = { ...CITY, layers: [...CITY.layers, layer('lots')] };
    assert.equal(partsOf(city, otherState(all))[0].params.with_filter, '"id" IS NOT NULL');
    assert.equal(partsOf(city, { ...all, other: '' })[0].params.with_filter, undefined);
});

test('a heat map over coloured units is lines; these have the other ramp', () => {
    const params = (layers, more = {}) => Object.fromEntries(partsOf(CITY, { ...emptyState(), layer: 'report', layers: layers.map((id) => ({ id, opacity: 100 })), ...more }).map((p) => [p.id, p.params]));
    assert.deepEqual([params(['heat']).heat.form, params(['choropleth']).choropleth.ramp], [undefined, undefined]);
    const both = params(['choropleth', 'heat']), under = params(['heat', 'choropleth']);
    assert.deepEqual([both.heat.form, both.choropleth.ramp, under.heat.form, under.choropleth.ramp], ['lines', 'cool', undefined, 'cool']);
    assert.equal(params(['choropleth', 'heat'], { form: 'fill' }).heat.form, undefined);
    assert.equal(params(['heat'], { form: 'lines' }).heat.form, 'lines');
    assert.equal(params(['hotspots', 'heat']).hotspots.ramp, undefined, 'classes have colours of their own');
});

test('words and numbers in both languages', () => {
    assert.deepEqual([languageOf('?lang=en', ['zh-CN']), languageOf('', ['en-GB']), languageOf('', ['zh-TW']), languageOf('?lang=zh', ['en']), languageOf('', ['enm'])], ['en', 'en', 'zh-CN', 'zh-CN', 'zh-CN']);
    assert.equal(words('en')('rows', { n: 3 }), '3 rows');
    assert.equal(words('zh-CN')('rows', { n: 3 }), '3 行');
    const zh = writing('zh-CN'), en = writing('en');
    assert.deepEqual([zh.short(1133600), en.short(1133600), zh.short(9999), en.exact(1133600)], ['113.4万', '1.13 M', '9,999', '1,133,600']);
    assert.deepEqual([zh.moment('2023-06-26T14:05:31+08:00'), en.moment('2023-06-26T14:05:31+08:00'), zh.moment('soon')], ['2023年6月26日 14:05', '26 Jun 2023 14:05', '?']);
    assert.deepEqual([zh.about(641.1), zh.about(0.00123), zh.about(NaN), zh.figure(607.26), en.figure(123456)], ['641', '0.00123', '?', '610', '120 k']);
});

test('the page names all of its modules', async () => {
    const seen = new Set();
    const walk = async (file) => {
        if (seen.has(file)) return;
        seen.add(file);
        const text = await readFile(path.join('web/pages', file), 'utf8');
        for (const [, from] of text.matchAll(/^(?:import|export)[^;]*?from '(\.[^']+)'/gm)) await walk(path.join(path.dirname(file), from));
    };
    await walk('analyst/app.js');
    const page = await readFile('web/pages/analyst/index.html', 'utf8');
    const named = [...page.matchAll(/<link rel="modulepreload" href="\/pages\/([^"]+)">/g)].map((m) => m[1]);
    assert.deepEqual(named.sort(), [...seen].filter((f) => f !== 'analyst/app.js').sort());
});
