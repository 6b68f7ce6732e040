// onemap hotspots and /hotspots/{layer}: what users type, what they get, and
// what was planted in a small city.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test, { before, after } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import { done, onemap } from './onemap.mjs';
import { serve } from './server.mjs';
import { DESIGNS, scorePlanted } from '../score/hotspots.mjs';

let dir, city, source;
before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'onemap-hotspots-'));
    source = path.join(dir, 'src');
    city = path.join(dir, 'city');
    await done('synth', source, '--scale', '0.02', '--quiet');
    await done('import', city, '--all', source, '--quiet');
});
after(() => rm(dir, { recursive: true, force: true }));

const ask = async (...args) =>
    JSON.parse(await done('hotspots', city, 'hazard', '--format', 'json', ...args));
const csv = (text) => text.replace(/^\uFEFF/, '').trim().split('\r\n').map((l) => l.split(','));

test('every unit once, counts as query counts them, the most significant first', async () => {
    const { rows, ...about } = await ask('--time', '2023-05-28/2023-06-26');
    const counted = csv(await done('query', city, 'hazard', '--count', '--by', 'grid', '--time', '2023-05-28/2023-06-26'));
    assert.equal(rows.length, counted.length - 1);
    const byId = new Map(rows.map((r) => [r.id, r]));
    for (const [id, , count] of counted.slice(1)) assert.equal(byId.get(id).count, Number(count));
    for (let i = 1; i < rows.length; i++) assert.ok(rows[i - 1].q <= rows[i].q);
    assert.equal(about.count, rows.reduce((s, r) => s + r.count, 0));
    assert.equal(about.areas, rows.length);
    assert.equal(about.from, '2023-05-28T00:00:00+08:00');
    assert.equal(about.to, '2023-06-27T00:00:00+08:00');
    assert.equal(about.synthetic, true);
    assert.equal(about.stat, 'gistar');
    const mean = about.count / about.areas;
    assert.ok(Math.abs(about.mean - mean) < 1e-9);
    for (const r of rows) {
        assert.ok(Math.abs(r.ratio - r.count / mean) < 1e-9);
        assert.ok(r.p >= 0 && r.p <= r.q * (1 + 1e-12) && r.q <= 1);
        assert.match(r.class, /^(hot|cold) (90|95|99)%$|^not significant$/);
    }
});

test('a sentence in both languages', async () => {
    const { rows } = await ask('--time', '2023-05-28/2023-06-26', '--limit', '3');
    assert.equal(rows.length, 3);
    const r = rows[0];
    assert.match(r.text_en, new RegExp(`^[A-Z][a-z' A-Z]+, grid [A-Z][a-z']+ (Village|Community) Grid \\d+: ${r.count} reports in 30 days, `));
    assert.ok(r.text.startsWith(`${r.town}综合网格${r.name}:`), r.text);
    // Units of all levels, and what lies in them.
    for (const more of [['--units', 'town'], ['--units', 'village'], ['--units', 'hex:2000'], ['--stat', 'dbscan', '--eps', '500', '--min', '20']]) {
        const { rows: all } = await ask(...more);
        assert.ok(all.length > 5, more.join(' '));
        for (const { text_en: text } of all) assert.match(text, /^[ -~]+$/);
    }
    assert.match(r.text_en, / times the city's mean, (with its neighbours hot, \d\d % significant|not significant)/);
    assert.ok(r.text.includes(`30天内${r.count}条上报,为全市均值的`), r.text);
});

test('a sentence says hot or cold, and of its neighbourhood where it differs itself', async () => {
    const { rows } = await ask('--units', 'hex:500', '--each', 'department');
    const ends = { hot: [/with its neighbours hot, \d\d % significant/, /连同相邻单元为热点,置信度\d\d%/],
        cold: [/with its neighbours cold, \d\d % significant/, /连同相邻单元为冷点,置信度\d\d%/] };
    let differ = 0;
    for (const r of rows.filter((x) => x.bin && x.neighbours)) {
        const hot = r.bin > 0, [en, zh] = ends[hot ? 'hot' : 'cold'];
        if (hot ? r.ratio >= 1 : r.ratio <= 1) {
            assert.match(r.text_en, en);
            assert.match(r.text, zh);
            continue;
        }
        differ++;
        const [, more] = r.text_en.match(/, with its neighbours ([\d.]+) times and (?:hot|cold), \d\d % significant/);
        assert.ok(hot ? more >= 1 : more <= 1, r.text_en);
        assert.ok(r.text.includes(`,连同相邻单元为${more}倍,为${hot ? '热' : '冷'}点,置信度`), r.text);
    }
    assert.ok(differ > 0, 'else this tests nothing');
    const one = await ask('--time', '2023-06-26', '--units', 'hex:500');
    const single = one.rows.filter((r) => r.count === 1);
    assert.ok(single.length > 0);
    for (const r of single) assert.match(r.text_en, /: 1 report in 1 day, /);
});

test('Gi* by brute force, and the rate of each neighbourhood beside the own', async () => {
    const { features, rate_mean } = JSON.parse(await done('hotspots', city, 'hazard', '--units', 'hex:1000', '--per', 'house', '--rate', 'raw', '--format', 'geojson'));
    const centres = features.map(({ geometry }) => [0, 1].map((i) => geometry.coordinates[0].slice(0, 6).reduce((s, at) => s + at[i], 0) / 6 * (i ? 1 : Math.cos(23 * Math.PI / 180)) * 111.3));
    const known = features.map((f) => f.properties.z !== null), x = features.map((f) => f.properties.value).filter((v, i) => known[i]);
    const n = x.length, mean = x.reduce((a, b) => a + b) / n, sd = Math.sqrt(x.reduce((s, v) => s + (v - mean) ** 2, 0) / n);
    assert.ok(n > 50 && n < features.length);
    let otherwise = 0;
    features.forEach(({ properties: p }, i) => {
        if (!known[i]) return assert.deepEqual([p.near_rate, p.near_ratio], [null, null]);
        // Cells whose middles are as far apart as those of cells side by side.
        const near = features.filter((_, k) => known[k] && Math.hypot(centres[k][0] - centres[i][0], centres[k][1] - centres[i][1]) < 1.3).map((f) => f.properties), w = near.length;
        assert.equal(w, p.neighbours + 1, p.id);
        const sum = (of) => near.reduce((s, q) => s + of(q), 0), close = (a, b, what) => assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)), `${p.id} ${what}: ${a}, not ${b}`);
        close(p.z, (sum((q) => q.value) - mean * w) / (sd * Math.sqrt((n * w - w * w) / (n - 1))), 'z');
        close(p.rate, p.count / p.exposure, 'its own rate');
        close(p.near_rate, sum((q) => q.count) / sum((q) => q.exposure), 'that of its neighbourhood');
        close(p.near_ratio, p.near_rate / rate_mean, 'times the rate of the city');
        otherwise += p.z > 0 && p.ratio < 1 && p.near_ratio > 1;
    });
    assert.ok(otherwise > 0, 'else the two need not be told apart');
});

test('formats: columns of CSV, polygons of GeoJSON, a file whole or not at all', async (t) => {
    const lines = csv(await done('hotspots', city, 'hazard', '--units', 'town'));
    assert.deepEqual(lines[0], ['id', 'name', 'count', 'value', 'expected', 'ratio', 'z', 'p', 'q',
        'bin', 'class', 'neighbours', 'near_ratio', 'since', 'new', 'text', 'text_en']);
    assert.equal(lines.length, 34);
    const out = path.join(dir, 'hot.geojson');
    await done('hotspots', city, 'hazard', '--units', 'hex:3000', '--out', out);
    const fc = JSON.parse(await readFile(out, 'utf8'));
    assert.equal(fc.features.length, fc.areas);
    for (const f of fc.features) {
        assert.equal(f.geometry.coordinates[0].length, 7);
        assert.equal(f.properties.id.startsWith('hex3000-'), true);
    }
    assert.ok(fc.features.some((f) => f.properties.count === 0), 'empty cells count');
    const sum = fc.features.reduce((s, f) => s + f.properties.count, 0);
    assert.equal(sum + fc.outside, fc.count);
    const broken = await onemap('hotspots', city, 'hazard', '--units', 'hex:0', '--out', out);
    assert.equal(broken.status, 2);
    assert.equal(JSON.parse(await readFile(out, 'utf8')).areas, fc.areas);
});

test('every statistic answers, and says what it rests on', async () => {
    const moran = await ask('--stat', 'moran', '--per', 'house');
    assert.ok(moran.rows.every((r) => r.class === 'unknown' || Number.isFinite(r.moran_i)));
    assert.ok(Number.isFinite(moran.moran.i) && moran.per === 'house');
    const eb = await ask('--stat', 'eb', '--per', 'visit');
    for (const r of eb.rows.filter((x) => x.z !== null)) {
        assert.equal(r.z, r.value);
        const raw = r.count / r.exposure;
        assert.ok((r.rate_eb - eb.rate_mean) * (raw - eb.rate_mean) >= -1e-12, 'shrunk towards the mean');
        assert.ok(Math.abs(r.rate_eb - eb.rate_mean) <= Math.abs(raw - eb.rate_mean) + 1e-12);
    }
    const emerging = await ask('--stat', 'emerging');
    assert.equal(emerging.slices, 25);
    assert.equal(Object.values(emerging.classes).reduce((a, b) => a + b), emerging.areas);
    assert.equal(Object.keys(emerging.classes).length, 17);
    assert.match(emerging.neighbourhood, /and in the step before it$/);
    const sliced = await ask('--stat', 'emerging', '--compare', 'slice', '--limit', '1');
    assert.match(sliced.neighbourhood, /in the same step$/);
    const total = await ask('--stat', 'moran', '--moments', 'total', '--limit', '1');
    assert.match(total.caution, /false discovery rate is not kept/);
    assert.equal(moran.caution, undefined);
    assert.match(eb.caution, /not calibrated/);
    assert.ok(eb.rows.some((r) => Number.isFinite(r.rate_local)));
    const clusters = await ask('--stat', 'dbscan', '--eps', '150', '--min', '12');
    assert.equal(clusters.rows.reduce((s, r) => s + r.count, 0) + clusters.noise, clusters.count);
    for (let i = 1; i < clusters.rows.length; i++)
        assert.ok(clusters.rows[i - 1].count >= clusters.rows[i].count);
    const weighed = await ask('--weight', 'severity', '--neighbours', 'nearest:6', '--units', 'village');
    assert.ok(weighed.rows.every((r) => r.neighbours === 6 && r.sum >= r.count));
    const banded = await ask('--neighbours', 'band:3000', '--units', 'square:2000', '--limit', '1');
    assert.equal(banded.rows[0].id.startsWith('square2000-'), true);
});

test('planted hotspots are found by kind, wherever the departments are told apart', async () => {
    const truth = JSON.parse(await readFile(path.join(source, 'truth.json'), 'utf8'));
    const design = DESIGNS.filter(([name]) => name.includes('400 m'));
    const result = await scorePlanted(city, truth, () => {}, design);
    assert.equal(Object.values(result)[0].hits, truth.hotspots.length);
    // The answers do not come from the truth.
    const before = await done('hotspots', city, 'hazard', '--limit', '5');
    await rm(path.join(source, 'truth.json'));
    assert.equal(await done('hotspots', city, 'hazard', '--limit', '5'), before);
});

test('mistakes name the option', async () => {
    const bad = [
        [['--units', 'street'], /--units: .*grid, village, town/],
        [['--units', 'square:5'], /--units: square:5 makes more than/],
        [['--units', 'hex:'], /--units/],
        [['--stat', 'magic'], /--stat: 'magic' is none of: gistar moran/],
        [['--per', 'cow'], /--per: 'cow' is none of: area, .*visit/],
        [['--exposure', 'nowhere'], /--exposure: .*no layer of points 'nowhere'/],
        [['--exposure', 'rental:level'], /--exposure: rental has no number column/],
        [['--per', 'visit', '--exposure', 'visit'], /--exposure/],
        [['--rate', 'raw'], /--rate: a rate needs per or exposure/],
        [['--stat', 'eb'], /--stat: eb is about rates/],
        [['--neighbours', 'band:0'], /--neighbours/],
        [['--neighbours', 'nearest:1e9'], /--neighbours/],
        [['--weight', 'department'], /--weight: column 'department' is category/],
        [['--each', 'severity'], /--each: column 'severity' is integer/],
        [['--each', 'item'], /--units/],
        [['--time', 'yesterday'], /--time/],
        [['--where', 'severity >'], /--where/],
        [['--confidence', '42'], /--confidence/],
        [['--limit', '0'], /--limit/],
        [['--stat', 'emerging', '--step', 'month'], /--step: the period holds 5 whole steps/],
        [['--stat', 'emerging', '--step', 'never'], /--step/],
        [['--stat', 'dbscan', '--eps', '-3'], /--eps/],
        [['--stat', 'dbscan', '--per', 'visit'], /--per: dbscan knows eps and min only/],
        [['--stat', 'dbscan', '--units', 'village'], /--units: dbscan knows eps and min only/],
        [['--stat', 'gistar', '--eps', '5'], /--eps: only dbscan knows it, not gistar/],
        [['--stat', 'moran', '--min', '5'], /--min: only dbscan/],
        [['--moments', 'total'], /--moments: only moran/],
        [['--stat', 'eb', '--per', 'visit', '--compare', 'slice'], /--compare: only emerging/],
        [['--neighbours', 'nearest:5000', '--units', 'town'], /--neighbours: nearest:5000 makes all 33 areas/],
        [['--neighbours', 'nearest:32', '--units', 'town'], /--neighbours/],
        ...['gistar', 'moran', 'emerging', 'eb'].map((stat) =>
            [['--stat', stat, '--per', 'house', '--rate', 'local'], /--rate: local rates average over the very neighbours/]),
        [['--stat', 'eb', '--per', 'house', '--rate', 'raw'], /--rate: eb judges the standard rate/],
        [['--format', 'xls'], /--format/],
    ];
    for (const [args, says] of bad) {
        const { status, stderr } = await onemap('hotspots', city, 'hazard', ...args);
        assert.equal(status, 2, args.join(' '));
        assert.match(stderr, says, args.join(' '));
    }
    const none = await onemap('hotspots', city, 'nothing');
    assert.equal(none.status, 1);
    assert.match(none.stderr, /no layer 'nothing'/);
    const shape = await onemap('hotspots', city, 'grid');
    assert.equal(shape.status, 1);
    const timeless = await onemap('hotspots', city, 'rental', '--stat', 'emerging');
    assert.equal(timeless.status, 2);
    assert.match(timeless.stderr, /no time column/);
});

test('a window with nothing in it: nothing is unusual', async () => {
    const { rows, count } = await ask('--time', '2019-01-01/2019-02-01');
    assert.equal(count, 0);
    assert.ok(rows.every((r) => r.count === 0 && r.z === 0 && r.class === 'not significant' && r.since === null));
});

test('the server gives the same answers', async (t) => {
    const { url } = await serve(t, city);
    const answer = await fetch(`${url}/hotspots/hazard?units=village&per=house&filter=${encodeURIComponent('severity >= 2')}&datetime=2023-06`);
    assert.equal(answer.status, 200);
    assert.ok(answer.headers.get('data-sequence'));
    const got = await answer.json();
    const want = await ask('--units', 'village', '--per', 'house', '--where', 'severity >= 2', '--time', '2023-06');
    assert.deepEqual(got, want);
    const geo = await (await fetch(`${url}/hotspots/hazard?units=town&f=geojson&limit=2`)).json();
    assert.equal(geo.type, 'FeatureCollection');
    assert.equal(geo.features.length, 2);
    const text = await (await fetch(`${url}/hotspots/hazard?units=town&f=csv`)).text();
    assert.equal(csv(text).length, 34);
    for (const [query, status, parameter] of [
        ['units=street', 400, 'units'], ['stat=magic', 400, 'stat'], ['filter=severity>', 400, 'filter'],
        ['datetime=never', 400, 'datetime'], ['units=square:5', 422, 'units'],
        ['units=hex:150', 422, 'limit'], ['per=cow', 400, 'per'], ['color=red', 400, 'color']]) {
        const wrong = await fetch(`${url}/hotspots/hazard?${query}`);
        assert.equal(wrong.status, status, query);
        const problem = await wrong.json();
        assert.equal(problem.parameter, parameter, query);
    }
    assert.equal((await fetch(`${url}/hotspots/nothing`)).status, 404);
});

test('a plain city: the same register, no hotspots, no alarms', async () => {
    const plain = path.join(dir, 'plain.src'), to = path.join(dir, 'plain');
    await done('synth', plain, '--scale', '0.02', '--plain', '--only', 'town,village,grid,rental,premises,hazard,visit', '--quiet');
    assert.deepEqual(await readFile(path.join(plain, 'visit.csv')), await readFile(path.join(source, 'visit.csv')));
    await done('import', to, '--all', plain, '--quiet');
    const { hot, cold } = JSON.parse(await done('hotspots', to, 'hazard', '--per', 'visit', '--format', 'json'));
    assert.deepEqual([hot['99'], hot['95'], cold['99'], cold['95']], [0, 0, 0, 0]);
});
