// Import as users meet it: files in, answers out, nothing half done.
//
// Plan
//   a file is read, joined with units and counted, in whatever order it came
//   rows that cannot be taken are named; --append, --replace and their errors
//   an import waits for who writes files of the city just now
//   an import that is killed at any moment leaves the city as it was
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

import { done, folder, killedAfter, onemap, random } from './onemap.mjs';

const WEST = 113.5, SOUTH = 22.7, STEP = 0.1, SIDE = 4;

/** SIDE x SIDE squares, named by row and column. */
function squares() {
    const features = [];
    for (let row = 0; row < SIDE; row++) {
        for (let col = 0; col < SIDE; col++) {
            // Each corner from its own numbers, so that neighbours agree.
            const x = [WEST + col * STEP, WEST + (col + 1) * STEP];
            const y = [SOUTH + row * STEP, SOUTH + (row + 1) * STEP];
            features.push({
                type: 'Feature',
                properties: { id: `U${row}${col}`, name: `单元${row}${col}` },
                geometry: {
                    type: 'Polygon',
                    coordinates: [[[x[0], y[0]], [x[1], y[0]], [x[1], y[1]],
                        [x[0], y[1]], [x[0], y[0]]]],
                },
            });
        }
    }
    return JSON.stringify({ type: 'FeatureCollection', features });
}

/** n points; the middle of a square's cell, so that no one doubts its unit. */
function points(n, seed) {
    const next = random(seed), counts = new Map(), lines = ['lon,lat,id,kind,weight'];
    for (let i = 0; i < n; i++) {
        const lon = WEST - 0.02 + next() * (SIDE * STEP + 0.04);
        const lat = SOUTH - 0.02 + next() * (SIDE * STEP + 0.04);
        const x = Number(lon.toFixed(7)), y = Number(lat.toFixed(7));
        const col = Math.floor((x - WEST) / STEP), row = Math.floor((y - SOUTH) / STEP);
        const inside = col >= 0 && col < SIDE && row >= 0 && row < SIDE;
        const unit = inside ? `U${row}${col}` : '';
        counts.set(unit, (counts.get(unit) ?? 0) + 1);
        lines.push(`${x.toFixed(7)},${y.toFixed(7)},P${String(i).padStart(6, '0')},` +
            `${'abc'[i % 3]},${i % 100}`);
    }
    return { csv: lines.join('\n') + '\n', counts };
}

async function sources(t, n = 20000) {
    const dir = await folder(t);
    const { csv, counts } = points(n, 7);
    await writeFile(path.join(dir, 'units.geojson'), squares());
    await writeFile(path.join(dir, 'points.csv'), csv);
    return { dir, city: path.join(dir, 'city'), counts,
        units: path.join(dir, 'units.geojson'), csv: path.join(dir, 'points.csv') };
}

/** id,count lines of `query --by` as a map. */
async function countsBy(city, layer, unit) {
    const text = await done('query', city, layer, '--count', '--by', unit, '--format', 'csv');
    const lines = text.replace('\uFEFF', '').trim().split(/\r?\n/);
    const header = lines[0].split(',');
    const id = header.indexOf('id'), count = header.indexOf('count');
    return new Map(lines.slice(1).map((line) => {
        const cells = line.split(',');
        return [cells[id], Number(cells[count])];
    }));
}

for (const order of ['units first', 'points first']) {
    test(`points are joined with the units, ${order}`, async (t) => {
        const s = await sources(t);
        const units = () => done('import', s.city, 'square', s.units, '--as', 'unit:square');
        const rows = () => done('import', s.city, 'point', s.csv);
        if (order === 'units first') { await units(); await rows(); } else { await rows(); await units(); }
        const found = await countsBy(s.city, 'point', 'square');
        for (const [unit, count] of s.counts) assert.equal(found.get(unit), count, `unit ${unit}`);
        assert.equal([...found.values()].reduce((a, b) => a + b), 20000);
        assert.match(await done('verify', s.city), /all sound/);
    });
}

test('a layer is not overwritten unless asked to', async (t) => {
    const s = await sources(t, 100);
    await done('import', s.city, 'point', s.csv);
    const again = await onemap('import', s.city, 'point', s.csv);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /point has rows already/);
    assert.match(await done('import', s.city, 'point', s.csv, '--replace'), /taken 100/);
    assert.match(await done('query', s.city, 'point', '--count'), /\b100\b/);
});

test('appended rows are a further segment, and its known ids are duplicates', async (t) => {
    const s = await sources(t, 100);
    await done('import', s.city, 'square', s.units, '--as', 'unit:square');
    await done('import', s.city, 'point', s.csv);
    const more = path.join(s.dir, 'more.csv'), rejects = path.join(s.dir, 'rejects.csv');
    await writeFile(more, 'lon,lat,id,kind,weight\n113.55,22.75,P000001,a,1\n' +
        '113.55,22.75,N1,a,1\n113.55,22.75,N1,b,2\n');
    const said = await done('import', s.city, 'point', more, '--append', '--rejects', rejects);
    assert.match(said, /read 3, taken 1, rejected 2/);
    assert.match(said, /duplicate id/);
    const lines = (await readFile(rejects, 'utf8')).trim().split(/\r?\n/);
    assert.equal(lines[0], 'row,id,column,reason,value');
    assert.equal(lines.length, 3);
    assert.match(await done('query', s.city, 'point', '--count'), /\b101\b/);
    assert.match(await done('info', s.city, 'point'), /segments\s+2/);
    assert.match(await done('query', s.city, 'point', '--id', 'N1', '--format', 'csv'), /N1/);
    assert.match(await done('verify', s.city), /all sound/);
});

test('rows that cannot be taken are named with row and reason', async (t) => {
    const s = await sources(t, 10);
    const dirty = path.join(s.dir, 'dirty.csv'), rejects = path.join(s.dir, 'rejects.csv');
    await writeFile(dirty, 'lon,lat,id,kind,weight\n113.55,22.75,A,a,1\n' +
        ',,B,a,1\n999,22.75,C,a,1\n113.56,22.76,D,a,2\n');
    const said = await done('import', s.city, 'dirty', dirty, '--rejects', rejects);
    assert.match(said, /read 4, taken 2, rejected 2/);
    const rows = (await readFile(rejects, 'utf8')).trim().split(/\r?\n/).slice(1);
    assert.deepEqual(rows.map((line) => line.split(',')[0]), ['2', '3']);
});

test('without --rejects the list lies in the city, and only if it holds rows', async (t) => {
    const s = await sources(t, 10);
    const dirty = path.join(s.dir, 'dirty.csv');
    await writeFile(dirty, 'lon,lat,id\n113.55,22.75,A\n999,22.75,B\n');
    assert.match(await done('import', s.city, 'dirty', dirty), /listed in .*rejects.dirty-1\.csv/);
    const rows = await readFile(path.join(s.city, 'rejects', 'dirty-1.csv'), 'utf8');
    assert.equal(rows.trim().split('\n').length, 2);
    await done('import', s.city, 'point', s.csv);
    assert.deepEqual(await readdir(path.join(s.city, 'rejects')), ['dirty-1.csv']);
});

test('a source of which nothing can be taken replaces nothing', async (t) => {
    const s = await sources(t, 10);
    const bad = path.join(s.dir, 'bad.csv');
    await writeFile(bad, 'lon,lat,id\n,,B\n');
    await done('import', s.city, 'point', s.csv);
    const result = await onemap('import', s.city, 'point', bad, '--replace');
    assert.equal(result.status, 1);
    assert.match(result.stderr, /none of 1 rows could be taken/);
    assert.match(await done('query', s.city, 'point', '--count'), /\b10\b/);
});

test('units that are replaced stay the level they are', async (t) => {
    const s = await sources(t, 1000);
    await done('import', s.city, 'square', s.units, '--as', 'unit:square');
    await done('import', s.city, 'point', s.csv);
    await done('import', s.city, 'square', s.units, '--replace');
    const found = await countsBy(s.city, 'point', 'square');
    for (const [unit, count] of s.counts) assert.equal(found.get(unit), count, `unit ${unit}`);
    assert.match(await done('verify', s.city), /all sound/);
});

test('nothing is written beside a source', async (t) => {
    const s = await sources(t, 10);
    const packed = path.join(s.dir, 'src', 'units.geojson.gz');
    await mkdir(path.dirname(packed));
    await writeFile(packed, gzipSync(squares()));
    await done('import', s.city, 'square', packed);
    assert.deepEqual(await readdir(path.dirname(packed)), ['units.geojson.gz']);
});

test('steps of time go before columns called like them', async (t) => {
    const s = await sources(t, 10);
    const csv = path.join(s.dir, 'steps.csv');
    await writeFile(csv, 'lon,lat,id,at,month\n113.5,22.7,a,2023-01-05,x\n113.5,22.7,b,2023-02-05,x\n');
    await done('import', s.city, 'timed', csv, '--time', 'at');
    assert.equal((await countsBy(s.city, 'timed', 'month')).size, 2);
    await writeFile(csv, 'lon,lat,id,month\n113.5,22.7,a,x\n113.5,22.7,b,x\n');
    await done('import', s.city, 'untimed', csv);
    assert.deepEqual([...(await countsBy(s.city, 'untimed', 'month')).keys()], ['x']);
});

test('wrong command lines and missing files say what to do', async (t) => {
    const s = await sources(t, 10);
    assert.equal((await onemap('import', s.city)).status, 2);
    assert.equal((await onemap('import', s.city, 'a', s.csv, '--wrong')).status, 2);
    const missing = await onemap('import', s.city, 'a', path.join(s.dir, 'none.csv'));
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /^onemap import: .*none\.csv/);
    assert.equal((await onemap('import', s.city, '../a', s.csv)).status, 1);
    assert.equal((await onemap('info', path.join(s.dir, 'nowhere'))).status, 1);
});

test('an import that is killed leaves the city as it was', async (t) => {
    const s = await sources(t, 60000);
    const first = path.join(s.dir, 'first.csv');
    await writeFile(first, points(500, 3).csv);
    await done('import', s.city, 'square', s.units, '--as', 'unit:square');
    await done('import', s.city, 'point', first);
    const manifest = () => readFile(path.join(s.city, 'city.json'), 'utf8');
    let before = await manifest();
    const start = Date.now();
    await done('import', path.join(s.dir, 'timing'), 'point', s.csv);
    const whole = Date.now() - start;
    const next = random(11);
    let killed = 0;
    for (let i = 0; i < 25; i++) {
        const end = await killedAfter(next() * whole, 'import', s.city, 'point', s.csv, '--replace');
        if (end.signal === 'SIGKILL') killed++;
        const counted = await done('query', s.city, 'point', '--count');
        if (await manifest() === before) {
            assert.match(counted, /\b500\b/);
        } else { // it was through in time: the new rows, all of them
            assert.match(counted, /\b60000\b/);
            await done('import', s.city, 'point', first, '--replace');
            before = await manifest();
        }
    }
    assert.ok(killed > 0, 'no run was killed in time');
    assert.match(await done('verify', s.city), /all sound/);
    // The next writer clears away what the dead ones left.
    await done('import', s.city, 'point', first, '--replace');
    const files = await readdir(path.join(s.city, 'layers'));
    assert.equal(files.length, 3, files.join(' ')); // units, points, their units
});

test('an import waits for who writes files of the city', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    const file = path.join(dir, 'rows.csv'), over = path.join(dir, 'over');
    await writeFile(file, 'lon,lat,id\n113.6,22.8,a\n');
    await done('import', city, 'spot', file);
    const holder = spawn('flock', [path.join(city, '.lock'), 'sh', '-c',
        'echo held; sleep 1; touch "$0"', over], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    await done('import', city, 'spot', file, '--replace');
    assert.ok(existsSync(over));
});
