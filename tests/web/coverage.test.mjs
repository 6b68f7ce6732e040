// Coverage as users meet it: partition, workload and patrol, verb and route.
//
// Plan
//   the synthetic city is sound; planted faults are found, with areas
//   patrols add up to the register, and agree with a count in this language
//   the list is sorted, has addresses, and can be cut; a field of overdue risk
//   workloads add up; balance is Gini's
//   what is written wrong is named, on both sides
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { done, folder, onemap } from './onemap.mjs';
import { serve } from './server.mjs';

const run = promisify(execFile);
const SCALE = 0.004, MONTH = '2023-05';
const DAY_MS = 86400e3;
const FROM = Date.parse('2023-05-01T00:00:00+08:00');
const TO = Date.parse('2023-06-01T00:00:00+08:00');
const AT = Date.parse('2023-06-27T00:00:00+08:00');

/** Lines of a CSV without quotes in it, as objects. */
function table(text) {
    const [head, ...lines] = text.replace(/^\ufeff/, '').trimEnd().split(/\r?\n/);
    const names = head.split(',');
    return lines.map((line) => {
        const values = line.split(',');
        return Object.fromEntries(names.map((name, i) => [name, values[i]]));
    });
}

async function json(...args) {
    return JSON.parse(await done('coverage', ...args, '--format', 'json', '--quiet'));
}

function sum(rows, column) {
    return rows.reduce((total, row) => total + row[column], 0);
}

test('coverage', async (t) => {
    const dir = await folder(t);
    const src = path.join(dir, 'src'), city = path.join(dir, 'city');
    await done('synth', src, '--scale', SCALE, '--quiet');
    await done('import', city, '--all', src, '--quiet');
    const rentals = table(await readFile(path.join(src, 'rental.csv'), 'utf8'));
    const visits = table(await readFile(path.join(src, 'visit.csv'), 'utf8'));
    const workers = table(await readFile(path.join(src, 'worker.csv'), 'utf8'));

    await t.test('the synthetic city is sound', async () => {
        const answer = await json(city, 'partition');
        assert.equal(answer.sound, true);
        assert.equal(answer.faults, 0);
        const levels = answer.rows.filter((row) => row.class === 'level');
        assert.deepEqual(levels.map((row) => row.id), ['grid', 'village', 'town']);
        // The three levels are one area.
        for (const row of levels)
            assert.ok(Math.abs(row.value / levels[0].value - 1) < 1e-12);
        for (const row of answer.rows.filter((row) => row.class === 'layer'))
            assert.equal(row.count, 0);
        const manned = new Set(workers.map((row) => row.duty_grid));
        const grids = levels[0].count;
        assert.equal(answer.unmanned, grids - manned.size);
        assert.equal(answer.rows.filter((row) => row.class === 'no_worker').length,
            grids - manned.size);
        const towns = await json(city, 'partition', '--by', 'town', '--layer', 'address');
        assert.deepEqual(towns.rows.map((row) => row.class), ['level', 'layer']);
    });

    await t.test('patrols add up to the register', async () => {
        const levels = (await json(city, 'patrol', '--by', 'level', '--month', MONTH)).rows;
        const register = new Map();
        for (const row of rentals) register.set(row.level, (register.get(row.level) ?? 0) + 1);
        for (const [level, count] of register)
            assert.equal(levels.find((row) => row.layer === 'rental' && row.level === level).count,
                count);
        for (const by of ['grid', 'village', 'town']) {
            const units = (await json(city, 'patrol', '--by', by, '--month', MONTH)).rows;
            for (const column of ['count', 'owed', 'due', 'done', 'missed', 'ahead', 'extra',
                'visits', 'overdue', 'never', 'unjudged'])
                assert.equal(sum(units, column), sum(levels, column), `${column} by ${by}`);
            assert.ok(Math.abs(sum(units, 'risk') / sum(levels, 'risk') - 1) < 1e-9);
            const split = (await json(city, 'patrol', '--by', by, '--month', MONTH, '--levels')).rows;
            assert.equal(sum(split, 'count'), sum(units, 'count'));
        }
    });

    await t.test('patrols agree with a count in this language', async () => {
        const DUTY = { lenient: 1, warning: 2, strict: 3, prohibited: 4 };
        const days = new Map(), last = new Map();
        for (const visit of visits) {
            const at = Date.parse(visit.at);
            if (visit.target_layer !== 'rental' || at >= AT) continue;
            last.set(visit.target_id, Math.max(last.get(visit.target_id) ?? 0, at));
            if (at < FROM || at >= TO) continue;
            const set = days.get(visit.target_id) ?? new Set();
            days.set(visit.target_id, set.add(visit.at.slice(0, 10)));
        }
        const want = { owed: 0, done: 0, extra: 0, overdue: 0, never: 0, unjudged: 0 };
        for (const house of rentals) {
            const n = DUTY[house.level];
            const since = Date.parse(`${house.level_since}T00:00:00+08:00`);
            if (!last.has(house.id)) want.never++;
            if (since >= TO) {
                want.unjudged++;
                continue;
            }
            const parts = [];
            for (let k = 0; k < n; k++) {
                const begins = FROM + (k * (TO - FROM)) / n;
                if (begins >= since) parts.push(FROM + ((k + 1) * (TO - FROM)) / n);
            }
            const first = since > FROM ? house.level_since : MONTH;
            const seen = [...days.get(house.id) ?? []].filter((day) => day >= first).length;
            const paid = Math.min(seen, parts.length);
            want.owed += parts.length;
            want.done += paid;
            want.extra += seen - paid;
            want.overdue += paid < parts.length && (last.get(house.id) ?? 0) < TO;
        }
        const got = (await json(city, 'patrol', '--by', 'level', '--month', MONTH,
            '--layer', 'rental')).rows;
        for (const [column, value] of Object.entries(want))
            assert.equal(sum(got, column), value, column);
        assert.ok(want.done > 0 && want.overdue > 0);
    });

    await t.test('the list a worker walks by', async () => {
        const { rows, numberMatched } = await json(city, 'patrol', '--rows', '--month', MONTH);
        assert.equal(rows.length, numberMatched);
        const houses = new Map(rentals.map((row) => [row.id, row]));
        let before = Infinity;
        for (const row of rows) {
            assert.ok(row.overdue_days <= before);
            before = row.overdue_days;
            if (row.class !== 'overdue') assert.equal(row.overdue_days, 0);
            if (row.layer !== 'rental') continue;
            const house = houses.get(row.id);
            assert.equal(row.level, house.level);
            assert.ok(Math.abs(row.lon - house.lon) < 1e-6 && Math.abs(row.lat - house.lat) < 1e-6);
            houses.delete(row.id);
        }
        assert.equal(houses.size, 0);
        assert.ok(rows.every((row) => (row.layer === 'rental') === Boolean(row.address)));
        assert.ok(rows.every((row) => row.grid && row.village && row.town));
        // What a page says of a list is of all of it, and of no more.
        const also = { due: (row) => +row.due > 0, visited: (row) => +row.done > 0 };
        assert.notEqual(rows.filter(also.due).length, rows.length, 'not all of them owe something');
        for (const state of ['overdue', 'missed,unjudged', 'done', 'due', 'visited', 'overdue,visited']) {
            const page = await json(city, 'patrol', '--rows', '--month', MONTH, '--state', state, '--limit', '3');
            const words = state.split(','), states = words.filter((w) => !also[w]);
            const meant = rows.filter((row) => (!states.length || states.includes(row.class)) && words.every((w) => !also[w] || also[w](row)));
            assert.equal(page.numberMatched, meant.length, state);
            assert.equal(page.rows.length, Math.min(3, meant.length));
            for (const column of ['owed', 'due', 'done', 'missed', 'visits']) assert.equal(page.sums[column], sum(meant, column), `${state}: ${column}`);
        }
        const grid = rows.find((row) => row.class === 'overdue').grid;
        const mine = (await json(city, 'patrol', '--rows', '--month', MONTH, '--state', 'overdue',
            '--where', `grid = '${grid}'`)).rows;
        assert.deepEqual(mine, rows.filter((row) => row.grid === grid && row.class === 'overdue'));
        const few = table(await done('coverage', city, 'patrol', '--rows', '--limit', 3));
        assert.equal(few.length, 3);
        const features = JSON.parse(await done('coverage', city, 'patrol', '--rows', '--limit', 3,
            '--format', 'geojson')).features;
        assert.ok(features.every((f) => f.geometry.type === 'Point' && !('lon' in f.properties)));
    });

    await t.test('overdue risk as a field', async () => {
        const tif = path.join(dir, 'overdue.tif');
        const { rows } = await json(city, 'patrol', '--by', 'level', '--month', MONTH,
            '--raster', tif, '--bandwidth', 1500, '--cell', 100);
        const { stdout } = await run('gdalinfo', ['-json', '-stats', tif]);
        const info = JSON.parse(stdout);
        const [columns, lines] = info.size;
        const integral = Number(info.bands[0].metadata[''].STATISTICS_MEAN) *
            columns * lines * info.geoTransform[1] ** 2 / 1e6;
        assert.ok(Math.abs(integral / sum(rows, 'risk') - 1) < 0.005, `${integral}`);
        assert.match(info.bands[0].unit, /per km2/);
        assert.deepEqual((await readdir(dir)).filter((name) => name.startsWith('.')), []);
        const none = await onemap('coverage', city, 'patrol', '--month', '2022-05', '--raster', tif);
        assert.equal(none.status, 1);
        assert.match(none.stderr, /nothing is overdue/);
    });

    await t.test('a running month is judged so far', async () => {
        const early = await json(city, 'patrol', '--by', 'level', '--month', MONTH,
            '--at', '2023-05-02');
        assert.equal(sum(early.rows, 'due'), 0);
        assert.equal(sum(early.rows, 'overdue'), 0);
        assert.ok(sum(early.rows, 'owed') > 0);
        // Without a month: the last that ended.
        const ended = await json(city, 'patrol', '--by', 'level');
        assert.equal(ended.from, '2023-05-01T00:00:00+08:00');
        assert.equal(ended.to, '2023-06-01T00:00:00+08:00');
        assert.equal(ended.at, '2023-06-27T00:00:00+08:00');
        const turned = await json(city, 'patrol', '--by', 'level', '--at', '2023-06-01');
        assert.equal(turned.from, ended.from);
        const running = await json(city, 'patrol', '--by', 'level', '--month', '2023-06');
        assert.equal(running.from, '2023-06-01T00:00:00+08:00');
        assert.ok(sum(running.rows, 'due') < sum(running.rows, 'owed'));
        for (const row of ended.rows) {
            assert.ok(row.text_en.includes(`${row.unjudged} unjudged`), row.text_en);
            assert.match(row.text, /应巡/);
        }
        assert.ok(sum(ended.rows, 'unjudged') > 0);
        const two = await json(city, 'patrol', '--by', 'level', '--time', '2023-04/2023-05');
        assert.equal(two.months, 2);
        const parts = await Promise.all(['2023-04', '2023-05'].map((month) =>
            json(city, 'patrol', '--by', 'level', '--month', month)));
        for (const column of ['owed', 'due', 'done', 'missed', 'extra', 'visits'])
            assert.equal(sum(two.rows, column),
                sum(parts[0].rows, column) + sum(parts[1].rows, column), column);
        const none = await json(city, 'patrol', '--by', 'level', '--month', '2022-05');
        assert.equal(sum(none.rows, 'owed') + sum(none.rows, 'visits'), 0);
    });

    await t.test('workloads add up, and balance is Gini\'s', async () => {
        const units = await json(city, 'workload', '--month', MONTH);
        const total = Number(await done('query', city, 'address', '--count'));
        const people = Number(await done('query', city, 'address', '--sum', 'residents'));
        assert.equal(sum(units.rows, 'addresses'), total);
        assert.equal(sum(units.rows, 'residents'), people);
        assert.equal(sum(units.rows, 'rental'), rentals.length);
        assert.equal(sum(units.rows, 'workers'), workers.length);
        assert.equal(sum(units.rows, 'rental_strict'),
            rentals.filter((row) => row.level === 'strict').length);
        const manned = units.rows.filter((row) => row.workers);
        const loads = manned.map((row) => row.owed / row.workers).sort((a, b) => a - b);
        let differences = 0;
        for (const a of loads) for (const b of loads) differences += Math.abs(a - b);
        const mean = loads.reduce((a, b) => a + b, 0) / loads.length;
        const balance = units.balance.owed;
        assert.ok(Math.abs(balance.gini - differences / (2 * loads.length ** 2 * mean)) < 1e-9);
        assert.ok(Math.abs(balance.max_over_mean - loads.at(-1) / mean) < 1e-9);
        const sorted = (await json(city, 'workload', '--month', MONTH, '--sorted')).rows;
        assert.equal(sorted[0].rank, 1);
        assert.equal(sorted[0].class, 'most');
        assert.equal(sorted[0].value, loads.at(-1));
        const each = (await json(city, 'workload', '--by', 'worker', '--month', MONTH)).rows;
        assert.equal(each.length, workers.length);
        const checks = table(await readFile(path.join(src, 'check.csv'), 'utf8'));
        const of = (id) => checks.filter((row) => row.worker === id && row.month === MONTH)
            .reduce((n, row) => n + Number(row.count), 0);
        for (const row of each.slice(0, 20)) {
            assert.equal(row.checks, of(row.id));
            assert.equal(row.checks_norm, 50);
        }
        // A running month is held against a whole norm, as its checks are whole.
        const june = (await json(city, 'workload', '--by', 'worker', '--month', '2023-06')).rows;
        assert.equal(june[0].checks_norm, 50);
        // The city's mean is that of its workers, not of its units.
        const towns = await json(city, 'workload', '--by', 'town', '--month', MONTH);
        const staffed = towns.rows.filter((row) => row.workers);
        const mean1 = sum(staffed, 'owed') / sum(staffed, 'workers');
        assert.ok(Math.abs(towns.balance.owed.per_worker - mean1) < 1e-9);
        for (const row of staffed)
            assert.ok(Math.abs(row.ratio - row.owed / row.workers / mean1) < 1e-9);
        assert.ok(staffed[0].text_en.includes(`the city's ${mean1.toFixed(1)}`));
        const balances = (await json(city, 'workload', '--balance', '--month', MONTH)).rows;
        assert.ok(balances.some((row) => row.level === 'city' && row.measure === 'owed' &&
            Math.abs(row.gini - balance.gini) < 1e-12));
        assert.equal(new Set(balances.filter((row) => row.level === 'town')
            .map((row) => row.id)).size, 33);
    });

    await t.test('the route says what the verb says', async (t) => {
        // Workload by worker is about single persons: for those in charge.
        const file = path.join(src, 'token');
        await writeFile(file, 'of-those-in-charge');
        const { url } = await serve(t, city, '--in-charge-token-file', file);
        const authorization = 'Bearer of-those-in-charge';
        const unasked = await fetch(`${url}/coverage/workload?by=worker`);
        assert.equal(unasked.status, 401);
        const get = async (target) => {
            const answer = await fetch(url + target, { headers: { authorization } });
            return { status: answer.status, type: answer.headers.get('content-type'),
                text: await answer.text() };
        };
        for (const [target, ...args] of [
            ['/coverage/partition?by=town', 'partition', '--by', 'town'],
            [`/coverage/patrol?by=village&month=${MONTH}`, 'patrol', '--by', 'village',
                '--month', MONTH],
            [`/coverage/patrol?by=level&datetime=2023-04/2023-05&layer=rental` +
                '&filter=model_house%3Dtrue', 'patrol', '--by', 'level', '--time',
            '2023-04/2023-05', '--layer', 'rental', '--where', 'model_house=true'],
            ['/coverage/workload?by=worker&balance=true', 'workload', '--by', 'worker',
                '--balance']]) {
            const got = await get(target);
            assert.equal(got.status, 200, got.text);
            assert.deepEqual(JSON.parse(got.text), await json(city, ...args));
        }
        const csv = await get(`/coverage/patrol?by=town&f=csv&month=${MONTH}`);
        assert.match(csv.type, /^text\/csv/);
        assert.equal(table(csv.text).length, 33);
        const map = JSON.parse((await get('/coverage/patrol?by=town&f=geojson')).text);
        assert.equal(map.features.length, 33);
        for (const flag of ['rows', 'rows=1', 'rows=true']) {
            const few = JSON.parse((await get(`/coverage/patrol?${flag}&limit=2`)).text);
            assert.equal(few.rows.length, 2, flag);
        }
        const api = JSON.parse((await get('/api')).text);
        assert.ok(!JSON.stringify(api.paths['/coverage/patrol']).includes('raster'));
        assert.match(map.features[0].geometry.type, /Polygon$/);
        for (const [target, status, parameter] of [
            ['/coverage/magic', 404],
            ['/coverage/patrol?by=week', 400, 'by'],
            ['/coverage/patrol?month=5', 400, 'month'],
            ['/coverage/patrol?rows=maybe', 400, 'rows'],
            ['/coverage/patrol?rows=true&state=lazy', 400, 'state'],
            ['/coverage/patrol?filter=nothing%3D1', 400, 'filter'],
            ['/coverage/patrol?datetime=now', 400, 'datetime'],
            ['/coverage/patrol?sliver=1', 400, 'sliver'],
            ['/coverage/patrol?raster=/tmp/x.tif', 400, 'raster'],
            ['/coverage/partition?layer=nix', 400, 'layer'],
            ['/coverage/partition?f=xml', 400, 'f']]) {
            const got = await get(target);
            assert.equal(got.status, status, `${target}: ${got.text}`);
            if (parameter) assert.ok(got.text.includes(`"${parameter}"`) ||
                got.text.includes(`${parameter} `) || got.text.includes(parameter), got.text);
        }
    });

    await t.test('what is written wrong is named', async () => {
        for (const [says, ...args] of [
            [/none of partition/, 'magic'],
            [/--by: there is no level 'week'/, 'patrol', '--by', 'week'],
            [/--month: 'May'/, 'patrol', '--month', 'May'],
            [/--time: month and time/, 'patrol', '--month', MONTH, '--time', MONTH],
            [/--time: '2023-05\/2023-04'/, 'patrol', '--time', '2023-05/2023-04'],
            [/--at: 'noon'/, 'patrol', '--at', 'noon'],
            [/--state: 'lazy'/, 'patrol', '--rows', '--state', 'lazy'],
            [/--layer: 'hazard' is owed no visits/, 'patrol', '--layer', 'hazard'],
            [/--where: .*model_house/, 'patrol', '--where', 'model_house = true'],
            [/--measure: 'sweat'/, 'workload', '--measure', 'sweat'],
            [/--sliver: '-1'|--sliver: -1/, 'partition', '--sliver', '-1'],
            [/--limit: 'few'/, 'partition', '--limit', 'few'],
            [/--measure: partition has no option measure/, 'partition', '--measure', 'owed'],
            [/--format: 'shp'/, 'partition', '--format', 'shp']]) {
            const result = await onemap('coverage', city, ...args);
            assert.equal(result.status, 2, `${args}: ${result.stderr}`);
            assert.match(result.stderr, says);
            assert.equal(result.stdout, '');
        }
    });

    await t.test('a city that says nothing of duties', async () => {
        const other = path.join(dir, 'other');
        await cp(city, other, { recursive: true });
        const file = path.join(other, 'city.json');
        const document = JSON.parse(await readFile(file, 'utf8'));
        const duty = document.duty;
        delete document.duty;
        await writeFile(file, JSON.stringify(document));
        const result = await onemap('coverage', other, 'patrol');
        assert.equal(result.status, 1);
        assert.match(result.stderr, /city\.json: duty\.targets is not there/);
        assert.equal((await json(other, 'partition')).sound, true);
        document.duty = { ...duty, visits: { ...duty.visits, at: 'when' } };
        await writeFile(file, JSON.stringify(document));
        assert.match((await onemap('coverage', other, 'patrol')).stderr,
            /city\.json: duty\.visits\.at: the layer has no column 'when'/);
    });
});

// Metres to degrees, near enough for squares.
const M = 1 / 111320;

function square(id, x0, y0, x1, y1, more = {}) {
    const at = (x, y) => [113.7 + x * M, 23 + y * M];
    return { type: 'Feature', properties: { id, name: `单元${id}`, ...more },
        geometry: { type: 'Polygon',
            coordinates: [[at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1), at(x0, y0)]] } };
}

test('planted faults of a partition', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    const write = (name, features) => writeFile(path.join(dir, name),
        JSON.stringify({ type: 'FeatureCollection', features }));
    // a | b side by side, b 100 m over a; c, d, e, f around a hole of 400 x 400.
    await write('grid.geojson', [
        square('a', 0, 0, 1000, 1000, { town: 't1' }),
        square('b', 900, 0, 2000, 1000, { town: 't1' }),
        square('c', 0, 1000, 2000, 1300, { town: 't1' }),
        square('d', 0, 1300, 800, 1700, { town: 't2' }),
        square('e', 1200, 1300, 2000, 1700, { town: 't1' }),
        square('f', 0, 1700, 2000, 2000, { town: 't1' })]);
    await write('town.geojson', [square('t1', 0, 0, 2000, 2000)]);
    const at = (x, y) => `${113.7 + x * M},${23 + y * M}`;
    await writeFile(path.join(dir, 'place.csv'), 'lon,lat,id\n' +
        `${at(500, 500)},one\n${at(950, 500)},two\n${at(1000, 1500)},none\n${at(9000, 0)},far\n`);
    await done('import', city, 'grid', path.join(dir, 'grid.geojson'), '--as', 'unit:grid', '--quiet');
    await done('import', city, 'town', path.join(dir, 'town.geojson'), '--as', 'unit:town', '--quiet');
    await done('import', city, 'place', path.join(dir, 'place.csv'), '--quiet');

    const result = await onemap('coverage', city, 'partition', '--format', 'geojson');
    assert.equal(result.status, 1);
    const { features, sound } = JSON.parse(result.stdout);
    assert.equal(sound, false);
    const of = (kind) => features.filter((f) => f.properties.class === kind);
    const [gap] = of('gap'), [overlap] = of('overlap');
    assert.equal(of('gap').length + of('overlap').length + of('sliver').length, 2);
    // A degree of longitude is cos(lat) as long, one of latitude 0.5 % shorter.
    const shrink = Math.cos(23 * Math.PI / 180);
    assert.ok(Math.abs(gap.properties.value / (400 * 400 * shrink) - 1) < 0.01);
    assert.ok(Math.abs(overlap.properties.value / (100 * 1000 * shrink) - 1) < 0.01);
    assert.deepEqual(gap.properties.units, ['c', 'd', 'e', 'f']);
    assert.deepEqual(overlap.properties.units, ['a', 'b']);
    assert.match(overlap.geometry.type, /Polygon$/);
    assert.match(overlap.properties.text, /重叠/);
    const level = features.find((f) => f.properties.class === 'layer').properties;
    assert.equal(level.count, 3);
    assert.deepEqual(of('in_none').map((f) => f.properties.id).slice(0, 2).sort(), ['far', 'none']);
    assert.deepEqual(of('in_two').map((f) => [f.properties.id, f.properties.units]),
        [['two', ['a', 'b']]]);
    // d says t2 and lies in t1; the hole is a piece of t1 in no grid.
    assert.deepEqual(of('stated').map((f) => f.properties.id), ['d']);
    assert.deepEqual(of('uncovered').map((f) => f.properties.id), ['t1']);
    const wide = JSON.parse((await onemap('coverage', city, 'partition', '--sliver', 100,
        '--format', 'json', '--by', 'grid')).stdout);
    assert.deepEqual(wide.rows.filter((row) => row.class === 'sliver').map((row) => row.id),
        ['grid-overlap-1']);
});
