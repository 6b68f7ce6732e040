// A city of which one layer's files cannot be opened: the others are served.
//
// Plan
//   a file of a layer missing, its header damaged, cut short: query, info and
//   serve open the city; the layer is named with the reason in the log, by
//   /ready and info; requests for it get 503 that says it, writes too; the
//   others are read and written
//   imports and compactions of other layers leave the damaged file where it is
//   import --replace mends the layer, also beside a running server; so does
//   putting the file back: what was in the journal for it is there
//   a level of units: rows keep the units they have, no layer takes rows, and
//   nothing without units gets into a file
//   no layer that can be opened: refused
//   a flipped bit is in no backup: the older one stays; --damaged saves the rest
import assert from 'node:assert/strict';
import { open, readdir, readFile, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask, GEOJSON, LINES, MERGE } from './ask.mjs';
import { done, onemap } from './onemap.mjs';
import { get, makeCity, ROWS, SOUTH, tileX, tileY, WEST } from './sample.mjs';
import { serve } from './server.mjs';
import { feature as place, ITEMS as PLACE, until } from './write_sample.mjs';

const ROAD = '/collections/road/items';
const road = (id) => ({ type: 'Feature', id, geometry: { type: 'LineString', coordinates: [[WEST + 0.1, SOUTH], [WEST + 0.2, SOUTH + 0.3]] }, properties: { kind: 'lane' } });
const post = (url, items, feature) => ask(`${url}${items}`, { method: 'POST', body: feature });
const countOf = async (url, items) => (await get(`${url}${items}?limit=1`)).json().numberMatched;

/** The path of a layer's only file of a kind. */
async function fileOf(city, layer, kind) {
    const files = (await readdir(path.join(city, 'layers'))).filter((f) => f.startsWith(`${layer}-`) && f.endsWith(`.${kind}`));
    assert.equal(files.length, 1, files.join(' '));
    return path.join(city, 'layers', files[0]);
}
async function flip(file, at) {
    const handle = await open(file, 'r+'), byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] ^= 4;
    await handle.write(byte, 0, 1, at);
    await handle.close();
}
/** Out of layers/: what nobody names there is removed. */
const away = (file) => path.join(path.dirname(path.dirname(file)), 'away');
const HARM = {
    'is missing': (file) => rename(file, away(file)),
    'has a damaged header': (file) => flip(file, 20),
    'is cut short': async (file) => truncate(file, (await stat(file)).size - 70000),
    'is empty': (file) => truncate(file, 0),
};
const mvt = (name) => `/tiles/${name}/12/${tileX(113.7, 12)}/${tileY(22.9, 12)}.mvt`;

test('a flipped bit is in no backup', async (t) => {
    const { dir, city } = await makeCity(t), saved = path.join(dir, 'saved'), other = path.join(dir, 'other');
    await done('backup', city, saved);
    const older = await readFile(saved);
    for (const kind of ['seg', 'units']) {
        const file = await fileOf(city, 'place', kind), { size } = await stat(file);
        // Past the header, in what the layer is, and among the checksums themselves.
        for (const at of [70000, Math.floor(size / 2), size - 5]) {
            await flip(file, at);
            const answer = await onemap('backup', city, saved);
            assert.equal(answer.status, 1, `${kind} ${at}: ${answer.stdout}`);
            assert.match(answer.stderr, new RegExp(`${path.basename(file)}: .*wrong checksum.*--damaged`, 's'));
            assert.deepEqual(await readFile(saved), older);
            await flip(file, at);
        }
    }
    await done('backup', city, saved);
    const file = await fileOf(city, 'place', 'seg');
    await flip(file, 70000);
    const rest = await onemap('backup', city, saved, '--damaged');
    assert.equal(rest.status, 0, rest.stderr);
    assert.match(rest.stderr, new RegExp(`damaged: .*${path.basename(file)}`));
    assert.match(rest.stdout, /1 of them damaged or missing/);
    const refused = await onemap('restore', saved, other);
    assert.equal(refused.status, 1, refused.stdout);
    assert.match(refused.stderr, new RegExp(`${path.basename(file)}: .*wrong checksum.*--damaged`, 's'));
    await assert.rejects(stat(other), /ENOENT/);
    const restored = await onemap('restore', saved, other, '--damaged');
    assert.equal(restored.status, 0, restored.stderr);
    assert.match(restored.stderr, new RegExp(path.basename(file)));
    assert.match((await onemap('query', other, 'road', '--count')).stdout, /\d/);
});

for (const [what, harm] of Object.entries(HARM)) test(`a layer's file ${what}`, async (t) => {
    const { dir, city } = await makeCity(t), file = await fileOf(city, 'place', 'seg'), name = path.basename(file);
    await harm(file);
    const before = what === 'is missing' ? null : await readFile(file);
    const untouched = async () => { if (before) assert.deepEqual(await readFile(file), before); };

    // The command line: the other layer is answered, with a word on stderr.
    const other = await onemap('query', city, 'road', '--count');
    assert.deepEqual([other.status, other.stdout.trim()], [0, '30'], other.stderr);
    assert.match(other.stderr, new RegExp(`layer place is not served.*${name}`));
    const own = await onemap('query', city, 'place', '--count');
    assert.equal(own.status, 1);
    assert.match(own.stderr, new RegExp(`query: layer place is not served: .*layers/${name}`));
    const info = await onemap('info', city);
    assert.equal(info.status, 0);
    assert.match(info.stdout, new RegExp(`^place .*NOT SERVED: .*layers/${name}`, 'm'));
    assert.match(info.stdout, /^road .* 30 /m);
    const about = await onemap('info', city, 'place');
    assert.equal(about.status, 1);
    assert.match(about.stderr, /info: layer place is not served/);
    const verified = await onemap('verify', city);
    assert.equal(verified.status, 1);
    assert.match(verified.stdout, new RegExp(`^place .*BAD: .*${name}`, 'm'));
    assert.match(verified.stdout, /^road .*sound$/m);

    // The server.
    const server = await serve(t, city), { url } = server;
    const ready = await get(`${url}/ready`);
    assert.equal(ready.status, 200);
    assert.deepEqual(ready.json().damaged, ['place']);
    assert.match(ready.json().not_served.place, new RegExp(`layers/${name}`));
    assert.ok(!ready.text().includes(dir), 'paths of the machine are for the log');
    for (const at of [PLACE, `${PLACE}/P00001`, '/collections/place', '/collections/place/queryables', '/stats/place?by=square', `/tiles/place/0/0/0.mvt`, `/tiles/place/0/0/0.png`,
        '/tiles/heat:place/0/0/0.png', '/tiles/place.json', '/tiles/heat:place.json', '/legend/heat:place.json', `/nearest/place?lon=${WEST}&lat=${SOUTH}`, `/value?name=heat:place&lon=${WEST}&lat=${SOUTH}&z=12`,
        '/hotspots/place', '/changes?since=1&layers=place', '/map.png?layers=place&bbox=113,22,114,23&width=64&height=64', '/styles/place.json', '/collections/place/tiles',
        '/coverage/workload?layer=place&by=square', '/tiles/choropleth:square/0/0/0.png?layer=place']) {
        const answer = await get(`${url}${at}`);
        if (at.startsWith('/coverage') && answer.status === 400) continue;  // this city has no workers
        assert.equal(answer.status, 503, `${at}: ${answer.status} ${answer.text()}`);
        assert.match(answer.headers['content-type'], /problem\+json/, at);
        assert.match(answer.json().detail, new RegExp(`layer place is not served: .*layers/${name}`), at);
    }
    for (const [method, at] of [['POST', PLACE], ['PUT', `${PLACE}/x`], ['PATCH', `${PLACE}/P00001`], ['DELETE', `${PLACE}/P00001`]]) {
        const answer = await ask(`${url}${at}`, { method, body: method === 'DELETE' ? null : place('x'), type: method === 'PATCH' ? MERGE : GEOJSON });
        assert.equal(answer.status, 503, `${method} ${at}: ${answer.text()}`);
        assert.match(answer.json().detail, /layer place is not served/);
    }
    for (const at of ['/', '/collections', '/catalog', '/api', '/metrics', `${ROAD}?limit=1`, mvt('road'), mvt('square'), '/tiles/base/10/835/445.png', '/wmts/1.0.0/WMTSCapabilities.xml', '/collections/nothing/items'])
        assert.equal((await get(`${url}${at}`)).status, at.includes('nothing') ? 404 : 200, at);
    assert.equal((await post(url, ROAD, road('new'))).status, 201);
    assert.equal(await countOf(url, ROAD), 31);

    // Others' files come and go; this one stays as it is.
    await done('import', city, 'road', path.join(dir, 'roads.geojson'), '--id', 'id', '--replace');
    await until('the import is seen', async () => await countOf(url, ROAD) === 30);
    await untouched();
    assert.equal((await get(`${url}${PLACE}`)).status, 503);
    const appended = await onemap('import', city, 'place', path.join(dir, 'places.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at', '--append');
    assert.equal(appended.status, 1, 'rows are not added to what cannot be read');
    assert.match(appended.stderr, new RegExp(name));
    await untouched();
    // All rows are joined anew when units change, and these cannot be.
    const units = await onemap('import', city, 'square', path.join(dir, 'units.geojson'), '--as', 'unit:square', '--id', 'id', '--replace');
    assert.equal(units.status, 1);
    assert.match(units.stderr, new RegExp(`place cannot be joined with the units: .*${name}.*--replace`));
    await untouched();

    await done('import', city, 'place', path.join(dir, 'places.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at', '--replace');
    await until('the layer is served', async () => (await get(`${url}${PLACE}?limit=1`)).status === 200);
    assert.equal(await countOf(url, PLACE), ROWS);
    assert.equal((await post(url, PLACE, place('mended'))).status, 201);
    const well = (await get(`${url}/ready`)).json();
    assert.deepEqual([well.damaged, well.not_served, well.writable], [undefined, undefined, true]);
    await server.stop();
    await done('verify', city);
    assert.equal((await done('query', city, 'place', '--count')).trim(), String(ROWS + 1));
});

test('a layer that is away, compactions of others, and its file put back', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    await writeFile(config, JSON.stringify({ compact_rows: 300, journal_rows: 400 }));
    let server = await serve(t, city);
    for (let i = 0; i < 5; i++) assert.equal((await post(server.url, PLACE, place(`kept-${i}`))).status, 201);
    await server.stop('SIGKILL');
    const file = await fileOf(city, 'place', 'seg');
    await rename(file, away(file));
    server = await serve(t, city, '--config', config);
    assert.equal((await get(`${server.url}${PLACE}`)).status, 503);
    for (let i = 0; i < 6; i++) {
        const rows = Array.from({ length: 200 }, (_, j) => JSON.stringify(road(`R-${i}-${j}`))).join('\n');
        assert.equal((await ask(`${server.url}${ROAD}`, { method: 'POST', type: LINES, body: rows })).status, 200);
    }
    await until('a compaction', async () => Number(/^onemap_compactions_total (\d+)/m.exec((await get(`${server.url}/metrics`)).text())[1]) > 0);
    await server.stop();
    await rename(away(file), file);
    // What was written before it went is still in the journal.
    assert.equal((await done('query', city, 'place', '--count')).trim(), String(ROWS + 5));
    assert.equal((await done('query', city, 'road', '--count')).trim(), String(30 + 1200));
    await done('verify', city);
    // Away while a reader opens, back while it serves: it looks when city.json is touched.
    await rename(file, away(file));
    server = await serve(t, city, '--read-only');
    assert.equal((await get(`${server.url}${PLACE}`)).status, 503);
    await rename(away(file), file);
    await utimes(path.join(city, 'city.json'), new Date(), new Date());
    await until('the layer is back', async () => (await get(`${server.url}${PLACE}?limit=1`)).status === 200);
    assert.equal(await countOf(server.url, PLACE), ROWS + 5);
});

test('units that are away', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    await writeFile(config, JSON.stringify({ compact_rows: 3 }));
    const bySquare = ['query', city, 'place', '--count', '--by', 'square', '--format', 'csv'];
    const sound = await done(...bySquare);
    const file = await fileOf(city, 'square', 'seg');
    await rename(file, away(file));
    // Rows in files have the units that they were given.
    assert.deepEqual((await done('query', city, 'place', '--count', '--where', "square = 'U11'")).trim(), String(Number(/^U11,.*?(\d+)$/m.exec(sound)[1])));
    await rename(away(file), file);
    let server = await serve(t, city);
    for (let i = 0; i < 10; i++) assert.equal((await post(server.url, PLACE, place(`unit-${i}`))).status, 201);
    await server.stop('SIGKILL');
    const full = await done(...bySquare);
    assert.notEqual(full, sound);

    await rename(file, away(file));
    server = await serve(t, city, '--config', config);
    const { url } = server;
    assert.equal(await countOf(url, PLACE), ROWS + 10);
    assert.equal((await get(`${url}${PLACE}/unit-3`)).json().properties.square ?? null, null);
    for (const at of ['/collections/square/items', mvt('square'), '/stats/place?by=square', '/tiles/choropleth:square/10/835/445.png?layer=place', '/hotspots/place?units=square'])
        assert.equal((await get(`${url}${at}`)).status, 503, at);
    for (const items of [PLACE, ROAD]) {
        const refused = await post(url, items, items === PLACE ? place('no') : road('no'));
        assert.equal(refused.status, 503, refused.text());
        assert.match(refused.json().detail, /cannot be given their square: .*layers\/square/);
    }
    await new Promise((resolve) => setTimeout(resolve, 2500));  // two looks of the keeper
    assert.match((await get(`${url}/metrics`)).text(), /^onemap_compactions_total 0$/m);
    // Mended beside the server: its rows get their units.
    await done('import', city, 'square', path.join(dir, 'units.geojson'), '--as', 'unit:square', '--id', 'id', '--replace');
    await until('units are back', async () => (await get(`${url}${PLACE}/unit-3`)).json().properties.square === 'U11');
    assert.equal((await post(url, PLACE, place('yes'))).status, 201);
    assert.equal((await ask(`${url}${PLACE}/yes`, { method: 'DELETE' })).status, 204);
    await server.stop();
    assert.equal(await done(...bySquare), full);
    await done('verify', city);
});

test('a layer is mended while units are away, and then they are', async (t) => {
    const { dir, city } = await makeCity(t), sound = await done('query', city, 'place', '--count', '--by', 'square', '--format', 'csv');
    for (const layer of ['square', 'place']) await flip(await fileOf(city, layer, 'seg'), 20);
    assert.equal((await done('query', city, 'road', '--count')).trim(), '30');
    const import_ = (...args) => onemap('import', city, ...args, '--id', 'id', '--replace');
    const place_ = await import_('place', path.join(dir, 'places.csv'), '--x', 'lon', '--y', 'lat', '--time', 'at');
    assert.equal(place_.status, 0, place_.stderr);
    assert.match(place_.stderr, /have no square until square is imported again/);
    const square = await import_('square', path.join(dir, 'units.geojson'), '--as', 'unit:square');
    assert.equal(square.status, 0, square.stderr);
    assert.equal(await done('query', city, 'place', '--count', '--by', 'square', '--format', 'csv'), sound);
    await done('verify', city);
});

test('no layer that can be opened', async (t) => {
    const { city } = await makeCity(t);
    for (const layer of ['square', 'place', 'road']) await flip(await fileOf(city, layer, 'seg'), 20);
    for (const args of [['info', city], ['query', city, 'road', '--count'], ['serve', city, '--listen', '127.0.0.1:0']]) {
        const refused = await onemap(...args);
        assert.equal(refused.status, 1, args.join(' '));
        assert.match(refused.stderr, /layers\/square.*\.seg/, args.join(' '));
    }
});
