// Numbers far from all others take no answer about those away.
//
// Plan
//   integers that are not exact in JSON are refused by row and field, however
//   they come; codes among a file's integers are texts
//   sums beyond 64 bits are told as the nearest double, by every door, and in
//   memory as in files; maps that weigh by the column are drawn
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, onemap } from './onemap.mjs';
import { SOUTH, WEST, get, makeCity, tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

/** The last integer before doubles skip one. */
const MOST = 2n ** 53n;
/** So many of it are more than 64 bits hold. */
const ROWS = 1100;

/** A feature as text: JSON's numbers here are beyond JavaScript's. */
const row = (id, weight) => `{"type":"Feature","id":"${id}","geometry":{"type":"Point","coordinates":[${WEST + 0.05},${SOUTH + 0.05}]},` +
    `"properties":{"id":"${id}","kind":"far","weight":${weight},"note":"n","at":"2023-03-05T12:00:00+08:00"}}`;
const rows = (count, weight, name = 'F') => Array.from({ length: count }, (_, i) => row(`${name}${i}`, weight)).join('\n');

const post = (url, body, type = 'application/x-ndjson') =>
    fetch(`${url}/collections/place/items`, { method: 'POST', headers: { 'Content-Type': type }, body });

test('integers that JSON does not tell exactly are refused by row and field', { timeout: 120000 }, async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city);
    for (const weight of [MOST + 1n, -MOST - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
        const answer = await post(server.url, `${row('A', 1)}\n${row('B', weight)}\n`);
        assert.equal(answer.status, 400);
        const { errors } = await answer.json();
        assert.deepEqual(errors.map(({ row, id, field }) => [row, id, field]), [[2, 'B', 'weight']], `${weight}`);
        assert.match(errors[0].reason, /beyond 2\^53/);
        const table = await post(server.url, `lon,lat,id,weight\n113.6,22.8,T,${weight}\n`, 'text/csv');
        assert.match((await table.json()).errors[0].reason, /beyond 2\^53/);
    }
    assert.equal((await post(server.url, rows(1, -MOST, 'G'))).status, 200);
    await server.stop();

    const file = path.join(dir, 'far.geojsonl'), list = path.join(dir, 'rejects.csv');
    await writeFile(file, `${row('X', MOST)}\n${row('Y', MOST + 1n)}\n`);
    const table = path.join(dir, 'far.csv');
    await writeFile(table, `lon,lat,id,kind,weight,note,at\n113.6,22.8,V,far,${MOST},n,2023-03-05\n113.6,22.8,W,far,${MOST + 1n},n,2023-03-05\n`);
    for (const [from, id] of [[file, 'Y'], [table, 'W']]) {
        const told = await onemap('import', city, 'place', from, '--append', '--rejects', list);
        assert.match(told.stdout + told.stderr, /taken 1, rejected 1/);
        assert.match(await readFile(list, 'utf8'), new RegExp(`"${id}","weight","an integer beyond 2\\^53","${MOST + 1n}"`));
    }
    // In a layer of its own such a column holds codes.
    await done('import', city, 'code', file, '--quiet');
    assert.match(await done('query', city, 'code', '--format', 'geojson'), new RegExp(`"weight":"${MOST + 1n}"`));
});

test('sums beyond 64 bits are told, whether rows are in memory or in files', { timeout: 120000 }, async (t) => {
    const { dir, city } = await makeCity(t), first = await serve(t, city, '--beat', '86400');
    const ask = async ({ url }, target) => {
        const answer = await get(url + target);
        assert.equal(answer.status, 200, `${target}: ${answer.body}`);
        return answer;
    };
    const before = (await ask(first, '/stats/place?sum=weight')).json().sum;
    const wanted = before + ROWS * Number(MOST);
    async function told(server) {
        const sum = (await ask(server, '/stats/place?sum=weight')).json().sum;
        const groups = (await ask(server, '/stats/place?sum=weight&by=kind')).json().groups;
        const series = (await ask(server, '/stats/place?sum=weight&by=square&series=day')).json();
        for (const z of [3, 9, 12]) await ask(server, `/tiles/place/${z}/${tileX(WEST + 0.05, z)}/${tileY(SOUTH + 0.05, z)}.mvt`);
        for (const target of ['/tiles/heat:place/9/417/222.png?weight=weight', '/tiles/heat:place/9/417/222.days?weight=weight&bandwidth=800', '/hotspots/place?units=square&weight=weight'])
            await ask(server, target);
        const days = Math.round((Date.parse('2023-03-05') - Date.parse(series.first)) / 86400000);
        return { sum, far: groups.find(({ id }) => id === 'far').sum, day: Math.max(...series.groups.map((g) => g.series[days])) };
    }
    assert.equal((await post(first.url, rows(ROWS, MOST))).status, 200);
    const live = await told(first);
    await first.stop();
    assert.ok(wanted > 2 ** 63);
    assert.equal(live.sum, wanted);
    assert.equal(live.far, ROWS * Number(MOST));
    assert.ok(live.day >= live.far && live.day < live.far * 1.001);

    const file = path.join(dir, 'place.geojson'), anew = path.join(dir, 'anew');
    await done('query', city, 'place', '--format', 'geojson', '--out', file);
    await done('import', anew, 'square', path.join(dir, 'units.geojson'), '--as', 'unit:square', '--quiet');
    await done('import', anew, 'place', file, '--time', 'at', '--quiet');
    assert.match(await done('verify', anew), /all sound/);
    assert.equal(Number(await done('query', anew, 'place', '--sum', 'weight')), wanted);
    assert.deepEqual(await told(await serve(t, anew, '--beat', '86400')), live);
});
