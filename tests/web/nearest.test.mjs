// What is nearest, and who may know where somebody is.
//
// Plan
//   nearest: the same rows as going through all of them, nearest first, with
//   their distances; filters, columns, limits, wrong parameters
//   personal layers: without the token no row, no distance, no picture, no
//   field, nothing that singles out; counts by unit and crowds of ten for all
//   those in charge: everything, and nothing of it from a cache for others
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';

import { onemap } from './onemap.mjs';
import { get, makeCity, places, SOUTH, tileX, tileY, WEST } from './sample.mjs';
import { serve } from './server.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
const TOKEN = 'a-token-of-those-in-charge';
const auth = { headers: { authorization: `Bearer ${TOKEN}` } };

/** Metres on a sphere; the program's are on the ellipsoid, at most 0.6 % apart. */
function metres(a, b) {
    const rad = Math.PI / 180, dy = (b.lat - a.lat) * rad, dx = (b.lon - a.lon) * rad;
    const h = Math.sin(dy / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dx / 2) ** 2;
    return 2 * 6371000 * Math.asin(Math.sqrt(h));
}

/** Make the layer `place` one of persons that are followed. */
async function follow(city) {
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.clock = '2023-04-20T12:00:00+08:00';
    manifest.positions = { layer: 'place', seen: 'at', retention_days: 2 };
    manifest.layers.find((l) => l.name === 'place').personal = true;
    await writeFile(file, JSON.stringify(manifest));
}

test('nearest', async (t) => {
    const { city } = await makeCity(t), rows = places();
    const { url } = await serve(t, city);
    const ask = (q) => get(`${url}/nearest/place?${q}`);

    await t.test('as going through all rows', async () => {
        for (let i = 0; i < 30; i++) {
            const at = { lon: WEST - 0.05 + (i * 0.0173) % 0.5, lat: SOUTH - 0.05 + (i * 0.0317) % 0.5 };
            const kind = i % 2 ? 'shop' : null;
            const { status, headers, json } = await ask(`lon=${at.lon}&lat=${at.lat}&k=7${kind ? `&filter=kind='${kind}'` : ''}`);
            assert.equal(status, 200);
            assert.match(headers['content-type'], /^application\/geo\+json/);
            assert.ok(headers['data-sequence']);
            const { features, numberReturned } = json();
            assert.equal(numberReturned, 7);
            const all = rows.filter((r) => !kind || r.kind === kind).map((r) => metres(at, r)).sort((a, b) => a - b);
            features.forEach((f, n) => {
                const row = rows.find((r) => r.id === f.id), d = f.properties.distance_m;
                assert.ok(Math.abs(d - metres(at, row)) <= 0.006 * d + 0.02, `${d} is not ${metres(at, row)}`);
                assert.ok(Math.abs(d - all[n]) <= 0.006 * d + 0.02, `number ${n}`);
                if (n) assert.ok(d >= features[n - 1].properties.distance_m);
            });
        }
    });
    await t.test('columns, default, and the layer of lines', async () => {
        const here = `lon=${WEST + 0.2}&lat=${SOUTH + 0.2}`;
        assert.equal((await ask(here)).json().features.length, 10);
        const [f] = (await ask(`${here}&k=1&properties=kind`)).json().features;
        assert.deepEqual(Object.keys(f.properties).sort(), ['distance_m', 'kind']);
        const road = (await get(`${url}/nearest/road?${here}&k=1`)).json().features[0];
        assert.match(road.id, /^R\d+$/);
    });
    await t.test('what is wrong is named', async () => {
        for (const [q, parameter] of [['lat=23', 'lon'], ['lon=113', 'lat'], ['lon=x&lat=23', 'lon'], ['lon=113&lat=91', 'lat'],
            ['lon=113&lat=23&k=0', 'k'], ['lon=113&lat=23&k=1001', 'k'], ['lon=113&lat=23&filter=nothing=1', 'filter'],
            ['lon=113&lat=23&properties=kind,nothing', 'properties'], ['lon=113&lat=23&radius=5', 'radius']]) {
            const answer = await ask(q);
            assert.equal(answer.status, 400, q);
            assert.equal(answer.json().parameter, parameter);
        }
        assert.equal((await get(`${url}/nearest/nothing?lon=113&lat=23`)).status, 404);
    });
});

test('what is about persons', async (t) => {
    const { dir, city } = await makeCity(t), rows = places();
    await follow(city);
    const file = path.join(dir, 'token');
    await writeFile(file, `${TOKEN}\n`);
    const { url } = await serve(t, city, '--in-charge-token-file', file);
    const here = `lon=${WEST + 0.2}&lat=${SOUTH + 0.2}`;

    await t.test('no row of it for anyone', async () => {
        for (const target of ['/collections/place/items', '/collections/place/items?f=csv', '/collections/place/items.fgb',
            '/collections/place/items/P00007', `/nearest/place?${here}`, '/tiles/place/10/835/443.png', '/tiles/heat:place/10/835/443.png',
            `/value?name=heat:place&${here}`, '/legend/heat:place.json', '/stats/place?filter=id=\'P00007\'', '/stats/place?by=id',
            `/stats/place?bbox=${WEST},${SOUTH},${WEST + 0.01},${SOUTH + 0.01}`, '/stats/place?by=kind', '/stats/place?sum=weight',
            '/hotspots/place?units=square', '/map.png?layers=place&width=64&height=64', '/map.png?layers=heat:place&width=64&height=64', '/legend/place.json', '/wmts/1.0.0/place/dark/WebMercatorQuad/10/443/835.png', '/collections/place/map/tiles/WebMercatorQuad/10/443/835', "/tiles/place/10/835/443.mvt?filter=id='P00007'",
            '/tiles/place/10/835/443.mvt?datetime=2023-01', '/tiles/place/10/835/443.mvt?properties=kind', '/tiles/place/10/835/443.mvt?by=kind']) {
            for (const headers of [{}, { authorization: 'Bearer a-token-of-those-in-chargE' }, { authorization: 'Bearer ' },
                { authorization: `Basic ${TOKEN}` }, { authorization: `Bearer ${TOKEN}x` }, { authorization: `Bearer ${TOKEN.slice(0, -1)}` }]) {
                const answer = await get(url + target, { headers });
                assert.equal(answer.status, 401, `${target} ${headers.authorization}`);
                if (!target.startsWith('/wmts')) assert.equal(answer.headers['www-authenticate'], 'Bearer');
                assert.doesNotMatch(answer.text(), /P0\d{4}/);
            }
        }
    });
    await t.test('counts by unit for all', async () => {
        const target = `${url}/stats/place?by=square`, stats = (await get(target)).json();
        assert.equal(stats.count, rows.length);
        const groups = (await get(target, { headers: { authorization: `Bearer ${TOKEN}` } })).json().groups, counted = groups.filter((g) => g.id !== null);
        assert.equal(groups.reduce((n, g) => n + g.count, 0), rows.length);
        // In steps of ten: where those are who are followed, if they are in a unit.
        const told = new Map(stats.groups.map((g) => [g.id, g.count]));
        assert.equal(told.size, counted.length);
        for (const { id, count } of counted) assert.ok(told.get(id) % 10 === 0 && Math.abs(told.get(id) - count) <= 5, `${id}: ${told.get(id)} of ${count}`);
        assert.equal((await get(`${url}/collections/place`)).json().personal, true);
        assert.equal((await get(`${url}/collections/road`)).json().personal, undefined);
        assert.equal((await get(`${url}/tiles/choropleth:square/10/835/443.png?layer=place`)).status, 200);
        assert.equal((await get(`${url}/tiles/choropleth:square/10/835/443.png?layer=place&filter=id='P00007'`)).status, 401);
    });
    await t.test('tiles count crowds of ten or more', async () => {
        const { VectorTile } = require('@mapbox/vector-tile'), { PbfReader, default: Pbf } = require('pbf');
        const read = (body) => new VectorTile(new (PbfReader ?? Pbf)(body)).layers;
        let crowds = 0, empty = 0;
        for (const z of [8, 10, 12, 13, 14, 16, 22])
            for (const row of rows.slice(0, 60)) {
                const at = `/tiles/place/${z}/${tileX(row.lon, z)}/${tileY(row.lat, z)}.mvt`;
                const answer = await get(url + at);
                if (answer.status === 204) {
                    empty++;
                    continue;
                }
                assert.equal(answer.status, 200);
                const layers = read(answer.body);
                assert.equal(layers.place, undefined);
                for (let i = 0; i < (layers.cells?.length ?? 0); i++) {
                    const { properties } = layers.cells.feature(i);
                    assert.deepEqual(Object.keys(properties), ['count']);
                    assert.ok(properties.count >= 10);
                    crowds++;
                }
            }
        assert.ok(crowds > 100 && empty > 60, `${crowds} crowds, ${empty} empty`);
        const at = `/tiles/place/14/${tileX(rows[1].lon, 14)}/${tileY(rows[1].lat, 14)}.mvt`;
        assert.ok(read((await get(url + at, auth)).body).place.length > 0);
        // In either order, whatever is kept.
        assert.equal((await get(url + at)).status, 204);
    });
    await t.test('those in charge see rows, and nobody else what they saw', async () => {
        for (const target of ['/collections/place/items/P00007', '/stats/place?by=kind', '/tiles/heat:place/10/835/443.png']) {
            const answer = await get(url + target, auth);
            assert.equal(answer.status, 200, target);
            assert.match(answer.headers['cache-control'], /^private/);
            assert.equal((await get(url + target)).status, 401, target);
        }
    });
    await t.test('nearest: who has been seen of late', async () => {
        const seen = rows.filter((r) => Date.parse(r.at) >= Date.parse('2023-04-20T12:00:00+08:00') - 300e3);
        assert.ok(seen.length > 100 && seen.length < rows.length / 2);
        const { features } = (await get(`${url}/nearest/place?${here}&k=1000`, auth)).json();
        assert.deepEqual(features.map((f) => f.id).sort(), seen.map((r) => r.id).sort());
        const all = (await get(`${url}/nearest/place?${here}&k=1000&datetime=../..`, auth)).json();
        assert.equal(all.features.length, 1000);
    });
});

test('nobody is in charge without a token; a bad token file is refused', async (t) => {
    const { dir, city } = await makeCity(t), file = path.join(dir, 'token');
    await follow(city);
    const { url } = await serve(t, city);
    for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer x' }])
        assert.equal((await get(`${url}/collections/place/items`, { headers })).status, 401);
    for (const text of ['', 'short\n', 'with a blank in it somewhere', 'x'.repeat(201), 'two-lines-of-a-token\ntwo-lines-of-a-token\n']) {
        await writeFile(file, text);
        const { status, stderr } = await onemap('serve', city, '--listen', '127.0.0.1:0', '--in-charge-token-file', file);
        assert.equal(status, 1);
        assert.match(stderr, /^onemap serve: .*token.*\n$/);
    }
});
