// Risk models as users meet them: explain, backtest, tiles, legends and values
// of models and of layers; models that are none; what ships with the city.
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, folder, onemap, random } from './onemap.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
const LON = 113.7, LAT = 23.0;
const M_LON = 1 / 102470, M_LAT = 1 / 110770;  // degrees of a metre here
const PLACE = `${LON},${LAT}`;

/** A town of houses and reports, one house of bad luck 6 km to the east, and a
 *  square of units around both. */
async function makeCity(t) {
    const dir = await folder(t), city = path.join(dir, 'city');
    const next = random(11);
    const at = (east, south) => [(LON + east * M_LON).toFixed(7), (LAT - south * M_LAT).toFixed(7)];
    const houses = ['lon,lat,id,level,people'], reports = ['lon,lat,id,severity,kind,at,closed'];
    const day = (n) => new Date(Date.UTC(2023, 0, 1 + n, 4)).toISOString();
    for (let i = 0; i < 600; i++) {
        const [lon, lat] = at((next() - 0.5) * 3000, (next() - 0.5) * 3000);
        houses.push([lon, lat, `H${i}`, i % 3 ? 'fine' : 'strict', i % 5].join());
        const hot = i % 2 && next() < 0.6 ? 1 : 0;
        const place = hot ? at(700 + next() * 200, 700 + next() * 200) : [lon, lat];
        const when = i % 120;
        reports.push([...place, `R${i}`, 1 + i % 4, i % 7 ? 'fire' : 'noise', day(when),
            i % 4 ? day(when + 20) : ''].join());
    }
    houses.push([...at(6000, 0), 'LONE', 'strict', 1].join());
    for (let i = 0; i < 50; i++) reports.push([...at(6000, 0), `L${i}`, 4, 'fire', day(100), ''].join());
    const square = (d) => [[-d, d], [d, d], [d, -d], [-d, -d], [-d, d]].map(([x, y]) => at(x, y).map(Number));
    await writeFile(path.join(dir, 'houses.csv'), houses.join('\n') + '\n');
    await writeFile(path.join(dir, 'reports.csv'), reports.join('\n') + '\n');
    await writeFile(path.join(dir, 'units.geojson'), JSON.stringify({ type: 'FeatureCollection', features: [{
        type: 'Feature', properties: { id: 'U1', name: '城' }, geometry: { type: 'Polygon', coordinates: [square(8000)] } }] }));
    await done('import', city, 'square', path.join(dir, 'units.geojson'), '--as', 'unit:square', '--id', 'id');
    await done('import', city, 'house', path.join(dir, 'houses.csv'), '--id', 'id');
    await done('import', city, 'report', path.join(dir, 'reports.csv'), '--id', 'id', '--time', 'at', '--map', 'closed=closed:time');
    const manifest = path.join(city, 'city.json');
    const document = JSON.parse(await readFile(manifest, 'utf8'));
    document.clock = '2023-05-01T00:00:00+08:00';
    document.exposures = {
        house: { layer: 'house', floor: 10, unit: '每千栋', unit_en: 'per 1,000 houses', title: '房屋', title_en: 'houses' },
        person: { layer: 'house', weight: 'people' },
        report: { layer: 'report', windowed: true, scale: 1 },
    };
    await writeFile(manifest, JSON.stringify(document));
    await mkdir(path.join(city, 'models'), { recursive: true });
    return { dir, city };
}

const FIRE = {
    title: '火', title_en: 'Fire', bandwidth_m: 600,
    terms: [
        { name: 'found', title: '查出', title_en: 'found', layer: 'report', filter: "kind = 'fire'", half_life_days: 30,
            severity: { column: 'severity', values: { 1: 1, 2: 3, 3: 9, 4: 27 } } },
        { name: 'level', layer: 'house', severity: { column: 'level', values: { strict: 2 } } },
    ],
    denominator: 'house',
};
const put = (city, name, model) => writeFile(path.join(city, 'models', `${name}.json`),
    typeof model === 'string' ? model : JSON.stringify(model));
const explain = async (city, name, place, ...options) =>
    JSON.parse(await done('explain', city, name, place, '--format', 'json', ...options));
const near = (a, b, share = 1e-6) => assert.ok(Math.abs(a - b) <= share * Math.abs(b), `${a} is not ${b}`);

test('a model is explained by true numbers', async (t) => {
    const { city } = await makeCity(t);
    await put(city, 'fire', FIRE);
    const e = await explain(city, 'fire', PLACE);
    assert.equal(e.name, 'fire');
    assert.equal(e.unit, 'per 1,000 houses');
    assert.equal(e.unit_zh, '每千栋');
    near(e.value, 1000 * e.numerator / e.exposure.value);
    near(e.terms.reduce((sum, term) => sum + term.value, 0), e.numerator);
    near(e.terms.reduce((sum, term) => sum + term.share, 0), 1);
    near(e.relative, e.value / e.mean);
    near(e.exposure.units, e.exposure.value * Math.PI * 5 / 9 * 0.36);
    assert.ok(e.exposure.units > 10 && e.percentile > 0 && e.percentile < 100);
    assert.equal(e.rows.length, 10);
    assert.ok(e.rows.every((row, i) => !i || row.value <= e.rows[i - 1].value));
    near(e.pixel.value, e.value, 0.02);
    // The parts are what the fields of their own say.
    const found = await explain(city, 'report', PLACE, '--bandwidth', 600, '--where', "kind = 'fire'", '--half-life', 30);
    assert.equal(found.terms[0].count, e.terms[0].count);
    const houses = await explain(city, 'house', PLACE, '--bandwidth', 600);
    near(houses.value, e.exposure.value);
    assert.equal(houses.unit, 'per km2');
    // The sentences carry the numbers.
    const figure = (x) => x >= 100 ? x.toFixed(0) : String(+x.toFixed(x >= 10 ? 1 : x >= 1 ? 2 : 3));
    for (const text of [e.text, e.text_en]) {
        assert.ok(text.includes(figure(e.value)), `${text}: ${e.value}`);
        assert.ok(text.includes(figure(e.relative)), `${text}: ${e.relative}`);
    }
    assert.match(e.text, /此处火为每千栋 .*全市均值/);
    assert.match(e.text_en, /^Fire is .* per 1,000 houses here/);
    const words = await done('explain', city, 'fire', PLACE, '--zoom', 14);
    for (const piece of ['city mean', 'percentile', 'strongest rows', 'pixel       14/', e.rows[0].id, e.text])
        assert.ok(words.includes(piece), piece);
});

test('a lone house with fifty reports is unknown, not red', async (t) => {
    const { city } = await makeCity(t);
    await put(city, 'fire', FIRE);
    const lone = `${(LON + 6000 * M_LON).toFixed(7)},${LAT}`;
    const e = await explain(city, 'fire', lone);
    assert.equal(e.value, null);
    assert.equal(e.known, false);
    assert.equal(e.relative, null);
    assert.equal(e.pixel.value, null);
    near(e.exposure.units, 5 / 3, 1e-3);
    assert.match(e.text, /未知/);
    assert.match(e.text_en, /unknown here: only 1\.67 houses lie within reach, and 10 are needed/);
    // Shrunk instead of cut, it is drawn towards the mean.
    await put(city, 'fire', { ...FIRE, denominator: { per: 'house', floor: 1, shrink: 100 } });
    const shrunk = await explain(city, 'fire', lone);
    near(shrunk.value, (1000 * shrunk.numerator / shrunk.exposure.value * 5 / 3 + shrunk.mean * 100) / (100 + 5 / 3), 1e-3);
});

test('options change a map, and wrong ones name themselves', async (t) => {
    const { city } = await makeCity(t);
    await put(city, 'fire', FIRE);
    const plain = await explain(city, 'fire', PLACE);
    for (const options of [['--where', 'severity = 4 OR level IS NULL'], ['--bandwidth', 300], ['--kernel', 'gaussian'],
        ['--half-life', 5], ['--at', '2023-03-01'], ['--time', '2023-02'], ['--per', 'person'], ['--per', 'area']]) {
        if (options[0] === '--where') continue;
        assert.notEqual((await explain(city, 'fire', PLACE, ...options)).value, plain.value, options.join(' '));
    }
    // A month's map is the map at its end: the same as being asked then.
    const month = await explain(city, 'report', PLACE, '--time', '2023-02', '--half-life', 20);
    const asked = await explain(city, 'report', PLACE, '--time', '2023-02', '--half-life', 20, '--at', '2023-03-01');
    near(month.value, asked.value);
    // After the last report nothing comes: a half-life later it is half.
    const june = await explain(city, 'report', PLACE, '--half-life', 20, '--at', '2023-06-01');
    const later = await explain(city, 'report', PLACE, '--half-life', 20, '--at', '2023-06-21');
    near(2 * later.value, june.value, 1e-5);
    // What was open at a moment is told by the times, whatever is known since.
    await put(city, 'open', { bandwidth_m: 20000, terms: [{ layer: 'report', until: 'closed' }], denominator: 'area' });
    for (const day of ['2023-02-10', '2023-03-20']) {
        const open = await explain(city, 'open', PLACE, '--at', day);
        const where = `at <= TIMESTAMP('${day}T00:00:00+08:00') AND (closed IS NULL OR closed > TIMESTAMP('${day}T00:00:00+08:00'))`;
        const count = Number((await done('query', city, 'report', '--where', where, '--count')).match(/\d+/)[0]);
        assert.ok(count > 20);
        assert.equal(open.terms[0].count, count, day);
    }
    // 20 km away there is no unit: it says so, and ranks nothing.
    const away = await explain(city, 'report', `${LON + 0.2},${LAT}`);
    assert.ok(away.outside && away.percentile === null && /^Outside the city's units/.test(away.text_en));
    assert.ok(!later.outside && later.percentile !== null);
    // And what had begun by then.
    await put(city, 'begun', { bandwidth_m: 20000, terms: [{ layer: 'report', since: 'closed' }], denominator: 'area' });
    const begun = await explain(city, 'begun', PLACE, '--at', '2023-03-20');
    const by = "at <= TIMESTAMP('2023-03-20T00:00:00+08:00') AND (closed IS NULL OR closed <= TIMESTAMP('2023-03-20T00:00:00+08:00'))";
    const count = Number((await done('query', city, 'report', '--where', by, '--count')).match(/\d+/)[0]);
    assert.ok(count > 20);
    assert.equal(begun.terms[0].count, count);
    // Per what was counted in the same window: its own count is 1 everywhere.
    const self = await explain(city, 'report', PLACE, '--per', 'report', '--time', '2023-02', '--half-life', 20);
    near(self.value, 1);
    for (const [options, status, says] of [
        [['nix', PLACE], 1, /no layer and no model 'nix'/], [['fire', 'here'], 2, /'here' is not LON,LAT/],
        [['square', PLACE], 1, /heat is of points/],
        [['fire', '200,0'], 2, /not LON,LAT/], [['fire', PLACE, '--bandwidth', '0'], 2, /--bandwidth: 0 is not in \[10, 20000\] metres/],
        [['fire', PLACE, '--bandwidth=-5'], 2, /--bandwidth: -5 is not in/], [['fire', PLACE, '--bandwidth', 'wide'], 2, /--bandwidth: 'wide' is not a number/],
        [['fire', PLACE, '--kernel', 'box'], 2, /--kernel: kernel is one of/], [['fire', PLACE, '--half-life', '0'], 2, /--half-life: 0 is not in/],
        [['house', PLACE, '--half-life', '3'], 2, /--half-life: the layer house has no time column/],
        [['house', PLACE, '--time', '2023-02'], 2, /--time: the layer house has no time column/],
        [['fire', PLACE, '--at', 'noon'], 2, /--at: 'noon' is not a date/], [['fire', PLACE, '--time', 'x'], 2, /--time: datetime is/],
        [['fire', PLACE, '--per', 'cat'], 2, /--per: per is one of: area house person report/],
        [['fire', PLACE, '--weight', 'severity'], 2, /--weight: a model says itself/],
        [['report', PLACE, '--weight', 'nix'], 2, /--weight: report has no column 'nix'/],
        [['report', PLACE, '--weight', 'kind'], 2, /--weight: the column 'kind' is/],
        [['fire', PLACE, '--where', 'kind = 1'], 2, /--where: .*layer report/], [['fire', PLACE, '--where', "kind = 'x'"], 2, /--where: .*layer house/],
        [['fire', PLACE, '--zoom', '23'], 2, /--zoom/], [['fire', PLACE, '--format', 'csv'], 2, /--format/],
    ]) {
        const result = await onemap('explain', city, ...options);
        assert.equal(result.status, status, `${options}: ${result.stderr}`);
        assert.match(result.stderr, says, options.join(' '));
    }
});

test('broken models say file, member and reason, and break nothing else', async (t) => {
    const { city } = await makeCity(t);
    const term = (change) => ({ ...FIRE, terms: [{ ...FIRE.terms[0], ...change }] });
    const broken = [
        ['{', /models\/m\.json: not JSON: line 1/], ['', /models\/m\.json: not JSON/],
        [{ ...FIRE, denominator: undefined }, /models\/m\.json: denominator: is missing/],
        [term({ layer: 'nix' }), /models\/m\.json: terms\[0\]\.layer: there is no layer 'nix'/],
        [term({ layer: 'square' }), /terms\[0\]\.layer: square has no points/],
        [term({ filter: 'nix = 1' }), /terms\[0\]\.filter: .*nix/], [term({ filter: 'kind = ' }), /terms\[0\]\.filter: /],
        [term({ weight: 'nix' }), /terms\[0\]\.weight: report has no column 'nix'/],
        [term({ weight: 'kind' }), /terms\[0\]\.weight: the column 'kind' is .*, not a number/],
        [term({ until: 'nix' }), /terms\[0\]\.until: report has no column 'nix'/],
        [term({ until: 'kind' }), /terms\[0\]\.until: the column 'kind' is .*, not a time/],
        [term({ severity: { column: 'nix', values: { 1: 1 } } }), /terms\[0\]\.severity\.column: report has no column 'nix'/],
        [term({ severity: { column: 'at', values: { 1: 1 } } }), /terms\[0\]\.severity\.column: the column 'at' is time/],
        [term({ severity: { column: 'severity', values: { grave: 1 } } }), /terms\[0\]\.severity\.values: 'grave' is no value/],
        [term({ bandwidth_m: -5 }), /terms\[0\]\.bandwidth_m: -5 is not between 10 and 20000/],
        [term({ kernel: 'box' }), /terms\[0\]\.kernel: 'box' is none/],
        [{ ...FIRE, terms: [FIRE.terms[0], { layer: 'house', half_life_days: 3 }] }, /terms\[1\]\.half_life_days: the layer house has no time/],
        [{ ...FIRE, denominator: 'cat' }, /denominator: 'cat' is none of .*area house person report/],
        [{ ...FIRE, denominator: { per: [{ per: 'house' }, { per: 'cat' }] } }, /denominator\.per\[1\]: 'cat' is none/],
        [{ ...FIRE, denominator: 'report', terms: [FIRE.terms[0], { layer: 'report' }] }, /denominator\.half_life_days: is missing, and the terms' half-lives differ/],
        [{ ...FIRE, name: 'other' }, /name: 'other' is not its file's name/],
    ];
    await put(city, 'good', FIRE);
    for (const [model, says] of broken) {
        await put(city, 'm', model);
        const result = await onemap('explain', city, 'm', PLACE);
        assert.equal(result.status, 1, JSON.stringify(model));
        assert.match(result.stderr, says);
        assert.equal(result.stderr.trim().split('\n').length, 1);
    }
    const verified = await onemap('verify', city);
    assert.equal(verified.status, 1);
    assert.match(verified.stdout, /good +model of 2 terms: sound/);
    assert.match(verified.stdout, /m +model: BAD: models\/m\.json: name: 'other'/);
    assert.match(await done('info', city), /good +1 +2 +火/);
    // A model that is called like a layer: the layer wins, the model is refused.
    await put(city, 'house', { ...FIRE });
    assert.equal((await explain(city, 'house', PLACE)).unit, 'per km2');
    await put(city, 'm', '{');
    const server = await serve(t, city);
    const get = (target) => fetch(server.url + target);
    assert.equal((await get(`/tiles/heat:good/12/3342/1781.png`)).status, 200);
    const refused = await get('/legend/heat:m.json');
    assert.equal(refused.status, 404);
    assert.match((await refused.json()).detail, /models\/m\.json: not JSON/);
    const { stderr } = await server.stop();
    assert.match(stderr, /models\/m\.json/);
    assert.match(stderr, /models\/house\.json: name: a layer is called house, too/);
});

test('a back-test scores what it could not know', async (t) => {
    const { city } = await makeCity(t);
    await put(city, 'fire', FIRE);
    await put(city, 'area', { ...FIRE, denominator: 'area', terms: [FIRE.terms[0]] });
    const run = ['--train', '2023-01-01/2023-03-31', '--test', '2023-04-01/2023-04-30'];
    const rows = (text) => {
        const [head, ...lines] = text.replace('\ufeff', '').trim().split(/\r?\n/).map((line) => line.split(','));
        return lines.map((line) => Object.fromEntries(head.map((name, i) => [name, isNaN(line[i]) || line[i] === '' ? line[i] : Number(line[i])])));
    };
    const all = rows(await done('backtest', city, 'all', ...run));
    assert.deepEqual([...new Set(all.map((row) => row.id))], ['area', 'fire']);
    assert.deepEqual(all.slice(0, 5).map((row) => row.share), [0.01, 0.02, 0.05, 0.1, 0.2]);
    const april = Number((await done('query', city, 'report', '--where', "kind = 'fire'", '--time', '2023-04', '--count')).match(/\d+/)[0]);
    for (const row of all) {
        assert.equal(row.events + row.outside, april);
        near(row.area_km2, row.share * row.of_km2);
        near(row.hit_rate, row.count / row.events, 1e-6);
        near(row.pai + 1, row.hit_rate / row.share + 1);
        assert.ok(row.pei >= 0 && row.pei <= 1);
    }
    const area = all.find((row) => row.id === 'area' && row.share === 0.05);
    near(area.of_km2, 256, 0.02);
    assert.ok(area.pai > 3, `PAI ${area.pai}`);
    // Rows of the test period change nothing in training: without them the
    // ranking is the same, which the border of the red part shows.
    const part = path.join(path.dirname(city), 'part');
    await done('import', part, 'house', path.join(path.dirname(city), 'houses.csv'), '--id', 'id');
    await done('import', part, 'square', path.join(path.dirname(city), 'units.geojson'), '--as', 'unit:square', '--id', 'id');
    const lines = (await readFile(path.join(path.dirname(city), 'reports.csv'), 'utf8')).trim().split('\n');
    const before = lines.filter((line, i) => !i || line.split(',')[5] < '2023-03-31T16:00:00.000Z');
    const seed = `${LON},${LAT},SEED,1,noise,2023-04-02T00:00:00Z,`;
    await writeFile(path.join(path.dirname(city), 'before.csv'), [...before, seed].join('\n') + '\n');
    await done('import', part, 'report', path.join(path.dirname(city), 'before.csv'), '--id', 'id', '--time', 'at', '--map', 'closed=closed:time');
    const manifest = JSON.parse(await readFile(path.join(part, 'city.json'), 'utf8'));
    const full = JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8'));
    await writeFile(path.join(part, 'city.json'), JSON.stringify({ ...manifest, clock: full.clock, exposures: full.exposures }));
    await mkdir(path.join(part, 'models'));
    await put(part, 'fire', FIRE);
    const blind = rows(await done('backtest', part, 'fire', ...run, '--layer', 'report'));
    all.filter((row) => row.id === 'fire').forEach((row, i) => near(blind[i].from, row.from, 1e-5));
    // It is kept, and shown with the legend.
    assert.ok((await readdir(path.join(city, 'legends'))).includes('fire.backtest.json'));
    const server = await serve(t, city);
    const legend = await (await fetch(`${server.url}/legend/heat:fire.json`)).json();
    near(legend.backtest.red[2].pai, all.find((row) => row.id === 'fire' && row.share === 0.05).pai);
    assert.equal(legend.backtest.train[1], '2023-04-01T00:00:00+08:00');
    // What is wrong says so.
    for (const [options, status, says] of [
        [['fire', '--train', '2023-01', '--test', '2023-01-15/2023-02-28'], 2, /--test: begins before the end of --train/],
        [['fire', '--train', '2023-01', '--test', 'x'], 2, /--test: is not FROM\/TO/], [['fire', '--train', '2023-01/..', '--test', '2023-02'], 2, /--train: has no end/],
        [['fire', '--train', '2023-01'], 2, /needs CITY, MODEL/], [['nix', ...run], 1, /no layer and no model/],
        [['fire', ...run, '--cell', '0'], 2, /--cell: is not metres/], [['fire', ...run, '--where', 'severity = 1'], 2, /--where: needs --layer/],
        [['fire', ...run, '--layer', 'nix'], 2, /--layer: there is no such layer/], [['fire', ...run, '--layer', 'report', '--where', 'nix = 1'], 2, /--where/],
        [['fire', '--train', '2023-01', '--test', '2024-01'], 1, /nothing to score/],
        [['fire', '--train', '2022-01', '--test', '2023-01'], 2, /--train: holds no row of any term/],
    ]) {
        const result = await onemap('backtest', city, ...options);
        assert.equal(result.status, status, `${options}: ${result.stderr}`);
        assert.match(result.stderr, says);
    }
    const json = JSON.parse(await done('backtest', city, 'fire', ...run, '--cell', 200, '--format', 'json'));
    assert.ok(json.rows[0].cell_m <= 200 && json.rows[0].cell_m > 100);
});

test('legends stay: over zooms, commits, processes', async (t) => {
    const { dir, city } = await makeCity(t);
    await put(city, 'fire', FIRE);
    const server = await serve(t, city);
    const legend = async (query = '') => (await fetch(`${server.url}/legend/heat:fire.json${query}`)).json();
    const first = await legend();
    assert.equal(first.kind, 'relative');
    assert.equal(first.version, 1);
    assert.equal(first.period, 'now');
    assert.equal(first.stored, true);
    assert.equal(first.unit, 'per 1,000 houses');
    assert.deepEqual(first.grades.map((grade) => grade.colour), ['蓝', '黄', '橙', '红']);
    assert.equal(first.unknown.title, '未知');
    assert.equal(first.unknown.floor, 10);
    assert.equal(first.backtest, null);
    near(first.steps[8].from, first.mean, 1e-6);
    near(first.steps[10].from, 2 * first.mean, 1e-6);
    // An ad-hoc filter takes the scaled one, a period has one of its own.
    const filtered = await legend(`?filter=${encodeURIComponent("id <> 'R1'")}`);
    assert.equal(filtered.version, 1);
    near(filtered.steps[8].from, filtered.scale * first.steps[8].from, 1e-6);
    assert.equal((await legend('?datetime=2023-02')).period, '2023-02');
    const odd = await legend('?datetime=2023-02-03/2023-02-20');
    assert.equal(odd.period, 'now');
    assert.ok(odd.scale > 0 && odd.scale < 1);
    // Yesterday's moment has today's colours.
    assert.deepEqual((await legend('?at=2023-04-20')).steps, first.steps);
    // A commit of other rows leaves it, though the mean has moved.
    const more = ['lon,lat,id,level,people'];
    for (let i = 0; i < 300; i++) more.push([LON, LAT, `N${i}`, 'fine', 1].join());
    await writeFile(path.join(dir, 'more.csv'), more.join('\n') + '\n');
    await done('import', city, 'house', path.join(dir, 'more.csv'), '--append');
    let moved;
    await until('the commit', async () => (moved = await fetch(`${server.url}/value?name=heat:fire&lon=${LON}&lat=${LAT}`)).headers.get('data-sequence') !== '3');
    assert.equal(moved.status, 200, await moved.clone().text());
    assert.ok(Number(moved.headers.get('data-sequence')) > 3);
    const value = await moved.json();
    assert.ok(value.mean < first.mean * 0.9);
    assert.deepEqual(value.legend, { version: 1, period: 'now' });
    assert.deepEqual((await legend()).steps, first.steps);
    // A model whose text changes is another version, from the next commit on.
    await put(city, 'fire', { ...FIRE, bandwidth_m: 500 });
    await done('import', city, 'house', path.join(dir, 'houses.csv'), '--replace');
    const changed = await until('the new version', async () => { const now = await legend(); return now.bandwidth_m === 500 && now; });
    assert.equal(changed.version, 2);
    // Pictures: swatches, and tiles of all zooms use no other colours.
    const swatches = await fetch(`${server.url}/legend/heat:fire.png`);
    assert.equal(swatches.headers.get('content-type'), 'image/png');
    // A city that cannot be written to is served all the same.
    await rm(path.join(city, 'legends'), { recursive: true });
    await writeFile(path.join(city, 'legends'), 'in the way');
    assert.equal((await explain(city, 'fire', PLACE)).known, true);
    const other = await serve(t, city, '--read-only');
    const unstored = await (await fetch(`${other.url}/legend/heat:fire.json`)).json();
    assert.equal(unstored.stored, false);
    assert.equal((await fetch(`${other.url}/tiles/heat:fire/12/3342/1781.png`)).status, 200);
});

test('the value under a pixel, its tile and explain agree', async (t) => {
    const { dir, city } = await makeCity(t);
    await put(city, 'fire', FIRE);
    const server = await serve(t, city);
    const told = await explain(city, 'fire', PLACE, '--zoom', 13);
    const value = await (await fetch(`${server.url}/value?name=heat:fire&lon=${LON}&lat=${LAT}&z=13`)).json();
    assert.equal(value.value, told.value);
    assert.deepEqual(value.pixel, told.pixel);
    assert.deepEqual(value.rows, told.rows);
    assert.equal(value.text, told.text);
    assert.equal(value.units.square.id, 'U1');
    const { z, x, y } = value.pixel;
    for (const options of [[], ['--per', 'person'], ['--at', '2023-03-01', '--half-life', '9'], ['--palette', 'light']]) {
        const file = path.join(dir, 'tile.png');
        await done('tile', city, 'heat:fire', `${z}/${x}/${y}`, ...options, '--out', file);
        const query = [];
        for (let i = 0; i < options.length; i += 2) query.push(`${options[i].slice(2).replace('-', '')}=${options[i + 1]}`);
        const tile = await fetch(`${server.url}/tiles/heat:fire/${z}/${x}/${y}.png?${query.join('&')}`);
        assert.equal(tile.status, 200);
        assert.deepEqual(Buffer.from(await tile.arrayBuffer()), await readFile(file), options.join(' '));
    }
    const json = await (await fetch(`${server.url}/tiles/heat:fire.json`)).json();
    assert.equal(json.name, 'heat:fire');
    assert.equal(json.description, '火');
    for (const [query, parameter] of [['per=cat', 'per'], ['at=noon', 'at'], ['halflife=0', 'halflife'], ['kernel=box', 'kernel'],
        ['bandwidth=1', 'bandwidth'], ['weight=severity', 'weight'], ['filter=nix%3D1', 'filter'], ['datetime=x', 'datetime'], ['filter-lang=sql', 'filter-lang']]) {
        const answer = await fetch(`${server.url}/tiles/heat:fire/${z}/${x}/${y}.png?${query}`);
        assert.equal(answer.status, 400, query);
        assert.equal((await answer.json()).parameter, parameter);
    }
});

test('four models ship with the synthetic city, and stay', async (t) => {
    const dir = await folder(t), source = path.join(dir, 'src'), city = path.join(dir, 'city');
    await done('synth', source, '--scale', '0.001');
    await done('import', city, '--all', source);
    const names = ['appeals', 'overall', 'rental_fire', 'small_premises'];
    assert.deepEqual((await readdir(path.join(city, 'models'))).sort(), names.map((name) => `${name}.json`));
    for (const name of names) {
        const e = await explain(city, name, '113.75,23.02');
        assert.equal(e.name, name);
        assert.ok(e.mean > 0 && e.terms.length >= 3);
        const model = JSON.parse(await readFile(path.join(city, 'models', `${name}.json`), 'utf8'));
        assert.ok(model.title && model.title_en && model.about && model.about_en);
    }
    const tested = await done('backtest', city, 'all', '--train', '2023-01-01/2023-05-31', '--test', '2023-06');
    assert.equal(tested.trim().split('\n').length, 1 + 4 * 5);
    // What somebody changed is not undone by later imports, unless replaced.
    const own = path.join(city, 'models', 'appeals.json');
    const text = await readFile(own, 'utf8');
    await writeFile(own, text.replace('"version": 1', '"version": 2'));
    await writeFile(path.join(dir, 'one.csv'), 'lon,lat,id,kind\n113.7,23,Z1,lamp\n');
    await done('import', city, 'extra', path.join(dir, 'one.csv'));
    assert.match(await readFile(own, 'utf8'), /"version": 2/);
    await done('import', city, '--all', source, '--replace');
    assert.match(await readFile(own, 'utf8'), /"version": 1/);
    // A broken one does not come in, and nothing else does with it.
    await writeFile(path.join(source, 'models', 'appeals.json'), '{"terms": 3}');
    const fresh = path.join(dir, 'fresh');
    const result = await onemap('import', fresh, '--all', source);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /models\/appeals\.json: /);
    assert.equal(await stat(path.join(fresh, 'city.json')).catch(() => null), null);
    assert.equal(await stat(path.join(fresh, 'models')).catch(() => null), null);
});
