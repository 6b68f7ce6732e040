// A row that is written makes exactly the tiles above it new.
//
// Plan
//   one row: of every tile of four zooms over the city, vector, heat of a
//     layer, heat of a model and picture, exactly those above it get a new ETag:
//     vector tiles that hold its cell (of level 18, 141 m), pictures whose pixels
//     the cell is so near to as dots are seen to reach, at each zoom, of one
//     pixel for one and of two; all others answer 304 to the old one, and none
//     of them is drawn. What remains: where the row lies in its cell is not told
//     apart, so that beside a border a tile may be new whose bytes are not; and of
//     heat, between the kernel's reach and that with five nodes of the lattice,
//     either is right. Layers that were not written to keep all of theirs.
//     Another server on the same city, with nothing in memory, draws the same
//     tiles under the same tags.
//   one shape: of every tile of four zooms, vector, picture, base map, counts by
//     unit, exactly those whose bytes are others get a new ETag, and what lies
//     elsewhere is not drawn to find out; a server that begins anew draws the same;
//     /changes names all cells that its box meets, old and new
//   counts by unit: a tile is new where a unit in it got another colour, and only
//     there; nothing is drawn to say that others are as they were
//   both places: a row that moves makes the tiles of its old and new place new
//   every kind of answer: what shows the row is new once it is written, and 304
//     until then; what does not stays
//   on the beat: the share of the legend that a filter leaves moves when the beat
//     does, and not between
//   never stale: while rows are written, who has been told that one is written
//     never again gets the tile without it, and never 304 for the tag from before
//   pages: a link to the next page goes on after a write; no row twice, none
//     that stayed is missed; 410 when the layer has been replaced
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { ask as askFor } from './ask.mjs';
import { done, folder, random } from './onemap.mjs';
import { decode } from './png.mjs';
import { makeCity, SOUTH, STEP, tileX, tileY, WEST } from './sample.mjs';
import { charge, serve as begin } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });

/* What is told of persons is held back from others, and told anew by a server
 * that begins: those in charge ask for what there is. */
let auth = {};
async function serve(t, city, ...args) {
    const those = await charge(path.dirname(city));
    auth = those.auth;
    return begin(t, city, ...those.args, ...args);
}

const ask = (url, how = {}) => askFor(url, { agent, ...how, headers: { ...auth, ...how.headers } });

const hash = (bytes) => createHash('sha1').update(bytes).digest('hex');

async function metric(url, name) {
    const text = (await ask(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)[1]);
}

/** All of them, some at a time. */
async function each(list, work) {
    let next = 0;
    await Promise.all(Array.from({ length: 8 }, async () => {
        while (next < list.length) {
            const i = next++;
            await work(list[i], i);
        }
    }));
}

// Grid cells of 2^-32 of the world, and cells of level 18, as the change map has
// them.
const CELLS = 2 ** 32, LEVEL = 18, SIDE = 2 ** (32 - LEVEL);
const place = (lon, lat) => ({
    x: (lon + 180) / 360 * CELLS,
    y: (1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * CELLS,
});
/** The level-18 cell of a place, as a box. */
function cellOf({ x, y }) {
    const x0 = Math.floor(x / SIDE) * SIDE, y0 = Math.floor(y / SIDE) * SIDE;
    return { x0, y0, x1: x0 + SIDE - 1, y1: y0 + SIDE - 1 };
}
function boxOf({ z, x, y }) {
    const side = 2 ** (32 - z);
    return { x0: x * side, y0: y * side, x1: (x + 1) * side - 1, y1: (y + 1) * side - 1 };
}
/** How far two boxes lie apart, along the axis where that is more. */
const gap = (a, b) => Math.max(a.x0 - b.x1, b.x0 - a.x1, a.y0 - b.y1, b.y0 - a.y1, 0);
/** Metres on the ground of a grid cell, some. */
const metres = (lat) => 40075016.686 * Math.cos(lat * Math.PI / 180) / CELLS;

const ZOOMS = [9, 11, 12, 13];
function tilesOf([west, south, east, north], zooms = ZOOMS) {
    const tiles = [];
    for (const z of zooms)
        for (let x = tileX(west, z); x <= tileX(east, z); x++)
            for (let y = tileY(north, z); y <= tileY(south, z); y++) tiles.push({ z, x, y });
    return tiles;
}

const feature = (id, lon, lat, properties = {}) => JSON.stringify({ type: 'Feature', id,
    geometry: { type: 'Point', coordinates: [lon, lat] }, properties });

// Maps of the synthetic city. `beat`: its colours follow from figures of the whole
// city, which a server finds on the beat, and another one at another moment.
const MAPS = [
    { path: (t) => `/tiles/hazard/${t.z}/${t.x}/${t.y}.mvt`, kind: 'exact' },
    { path: (t) => `/tiles/hazard/${t.z}/${t.x}/${t.y}.png`, kind: 'pixels', side: 256 },
    { path: (t) => `/tiles/hazard/${t.z}/${t.x}/${t.y}@2x.png?by=department`, kind: 'pixels', side: 512 },
    { path: (t) => `/tiles/heat:hazard/${t.z}/${t.x}/${t.y}.png`, kind: 'kernel', bandwidth: 800 },
    { path: (t) => `/tiles/heat:hazard/${t.z}/${t.x}/${t.y}.png?bandwidth=2000&kernel=gaussian`, kind: 'kernel', bandwidth: 2000, gaussian: true, beat: true },
    { path: (t) => `/tiles/heat:hazard/${t.z}/${t.x}/${t.y}.png?filter=severity%3E1`, kind: 'kernel', bandwidth: 800, beat: true },
    { path: (t) => `/tiles/visit/${t.z}/${t.x}/${t.y}.mvt`, kind: 'none' },
    { path: (t) => `/tiles/heat:address/${t.z}/${t.x}/${t.y}.png`, kind: 'none' },
    { path: (t) => `/tiles/building/${t.z}/${t.x}/${t.y}.mvt`, kind: 'none' },
    { path: (t) => `/tiles/base/${t.z}/${t.x}/${t.y}.png`, kind: 'none' },
    { path: (t) => `/tiles/rental/${t.z}/${t.x}/${t.y}.png`, kind: 'none' },
];

/** Must, may or must not a tile be another once the cell has changed? Of
 *  pictures dotsReach says so. */
function expected(map, tile, cells, lat) {
    const near = Math.min(...cells.map((c) => gap(boxOf(tile), c)));
    if (map.kind === 'none') return 'same';
    if (map.kind === 'exact') return near === 0 ? 'new' : 'same';
    if (map.kind === 'pixels') return 'either';
    // A Gaussian is softened by a tenth beyond its cut, and each kernel looked for
    // a tenth farther; nodes are a seventh of a bandwidth apart at most.
    const kernel = map.bandwidth / metres(lat);
    const reach = ((map.gaussian ? 1.21 : 1.1) + 5 / 7) * kernel + 2 * 2 ** (32 - tile.z) / 256;
    return near < 0.98 * kernel ? 'new' : near > 1.02 * reach ? 'same' : 'either';
}

/** Pixels of a zoom that dots are seen to reach beyond the one of their place:
 *  as far as any pixel has changed. */
function dotsReach(list, side, z, places) {
    let reach = -1;
    const dots = places.map((p) => [p.x, p.y].map((v) => Math.floor(v * side / 2 ** (32 - z))));
    for (const { tile, is, now } of list) {
        if (is.bytes === now.bytes) continue;
        const [before, after] = [decode(is.body).rgba, decode(now.body).rgba];
        for (let i = 0; i < side * side; i++) {
            if (before.readUInt32LE(4 * i) === after.readUInt32LE(4 * i)) continue;
            const x = tile.x * side + i % side, y = tile.y * side + Math.floor(i / side);
            reach = Math.max(reach, Math.min(...dots.map(([a, b]) => Math.max(Math.abs(x - a), Math.abs(y - b)))));
        }
    }
    return reach;
}

/** A picture is new exactly if its pixels lie so near to a changed cell as dots
 *  of that zoom reach. */
function checkPictures(t, asked, cells, places) {
    for (const map of MAPS.filter((m) => m.kind === 'pixels'))
        for (const z of ZOOMS) {
            const list = asked.filter((a) => a.map === map && a.tile.z === z), px = 2 ** (32 - z) / map.side;
            const reach = dotsReach(list, map.side, z, places);
            assert.ok(reach >= 0, `${map.path(list[0].tile)}: nothing has changed`);
            for (const a of list) {
                const near = Math.min(...cells.map((c) => gap(boxOf(a.tile), c)));
                assert.equal(a.state, near <= reach * px ? 'new' : 'same', `${a.path}: ${near / px} of ${reach} pixels away`);
            }
            t.diagnostic(`${map.path({ z, x: 'x', y: 'y' })}: dots reach ${reach} pixels, ${list.filter((a) => a.state === 'new').length} of ${list.length} are new`);
        }
}

async function synthetic(t) {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', 0.01, '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    return { dir, city };
}

test('a row makes the tiles above it new, and no others', { timeout: 600000 }, async (t) => {
    const { city } = await synthetic(t);
    // A day's beat: nothing in this test moves with time.
    const first = await serve(t, city, '--beat', '86400');
    const { url } = first;
    const bounds = (await ask(`${url}/tiles/hazard.json`)).json().bounds;
    const tiles = tilesOf(bounds);
    const asked = MAPS.flatMap((map) => tiles.map((tile) => ({ map, tile, path: map.path(tile) })));
    assert.ok(tiles.length > 200, `${tiles.length} tiles`);

    const take = (at, key) => each(asked, async (a) => {
        const answer = await ask(`${at}${a.path}`);
        assert.ok([200, 204].includes(answer.status), `${a.path}: ${answer.status}`);
        a[key] = { etag: answer.headers.etag, bytes: hash(answer.body), body: a.map.kind === 'pixels' && answer.body };
    });
    /** Ask with the tag that is known; note who is new. */
    const again = (at, cells, lat) => each(asked, async (a) => {
        const answer = await ask(`${at}${a.path}`, { headers: { 'If-None-Match': a.is.etag } });
        const want = cells ? expected(a.map, a.tile, cells, lat) : 'same';
        const state = answer.status === 304 ? 'same' : 'new';
        if (want !== 'either') assert.equal(state, want, `${a.path} with ${a.is.etag}`);
        if (state === 'same') {
            assert.equal(answer.headers.etag, a.is.etag);
            assert.equal(answer.body.length, 0);
        } else {
            assert.ok([200, 204].includes(answer.status));
            assert.notEqual(answer.headers.etag, a.is.etag);
            // HEAD says the same and sends nothing.
            const head = await ask(`${at}${a.path}`, { method: 'HEAD' });
            assert.equal(head.headers.etag, answer.headers.etag);
            assert.equal(head.body.length, 0);
        }
        a.state = state;
    });

    await take(url, 'is');
    for (const a of asked) assert.match(a.is.etag, /^(W\/)?"[0-9a-f]{16}(-g)?"$/, a.path);
    let drawn = await metric(url, 'onemap_tiles_drawn_total');
    await again(url, null);
    assert.equal(await metric(url, 'onemap_tiles_drawn_total'), drawn);

    const lon = bounds[0] + 0.37 * (bounds[2] - bounds[0]), lat = bounds[1] + 0.61 * (bounds[3] - bounds[1]);
    const one = (await ask(`${url}/collections/hazard/items?limit=1`)).json().features[0];
    const properties = { ...one.properties, severity: 3 };
    for (const unit of ['grid', 'village', 'town', 'id']) delete properties[unit];
    const made = await ask(`${url}/collections/hazard/items`, { method: 'POST', body: feature('新-1', lon, lat, properties) });
    assert.equal(made.status, 201, made.body.toString());

    const cells = [cellOf(place(lon, lat))];
    await again(url, cells, lat);
    const changed = asked.filter((a) => a.state === 'new');
    for (const map of MAPS)
        assert.equal(changed.some((a) => a.map === map), map.kind !== 'none', map.path(tiles[0]));
    for (const z of ZOOMS)
        assert.equal(changed.filter((a) => a.map === MAPS[0] && a.tile.z === z).length, 1);
    // Only they were drawn; nothing was drawn to say that all others are as
    // they were, in memory or not.
    assert.equal(await metric(url, 'onemap_tiles_drawn_total') - drawn, changed.length);

    // What is served now is what a server that has nothing in memory draws, and
    // tiles whose bytes are others are among those that said so.
    await take(url, 'now');
    checkPictures(t, asked, cells, [place(lon, lat)]);
    await first.stop();
    const second = await serve(t, city, '--beat', '86400', '--read-only');
    await take(second.url, 'fresh');
    for (const a of asked) {
        if (!a.map.beat) assert.equal(a.now.bytes, a.fresh.bytes, a.path);
        if (a.state === 'same') assert.equal(a.now.bytes, a.is.bytes, a.path);
    }
    await second.stop();
    const third = await serve(t, city, '--beat', '86400');
    await take(third.url, 'fresh');
    for (const a of asked) if (!a.map.beat) assert.equal(a.fresh.etag, a.now.etag, a.path);

    // It moves to where four tiles meet: both places are new, and what it reaches
    // into.
    for (const a of asked) a.is = a.fresh;
    const corner = [tileX(bounds[0] + 0.7 * (bounds[2] - bounds[0]), 11), tileY(bounds[1] + 0.3 * (bounds[3] - bounds[1]), 11)];
    const lon2 = (corner[0] + 1e-4) / 2 ** 11 * 360 - 180, lat2 = Math.atan(Math.sinh(Math.PI * (1 - 2 * (corner[1] + 1e-4) / 2 ** 11))) * 180 / Math.PI;
    const put = await ask(`${third.url}/collections/hazard/items/${encodeURIComponent('新-1')}`, { method: 'PUT', body: feature('新-1', lon2, lat2, properties) });
    assert.equal(put.status, 200, put.body.toString());
    drawn = await metric(third.url, 'onemap_tiles_drawn_total');
    await again(third.url, [...cells, cellOf(place(lon2, lat2))], (lat + lat2) / 2);
    for (const z of ZOOMS.slice(1))
        assert.equal(asked.filter((a) => a.map === MAPS[0] && a.tile.z === z && a.state === 'new').length, 2);
    assert.equal(await metric(third.url, 'onemap_tiles_drawn_total') - drawn, asked.filter((a) => a.state === 'new').length);
    await take(third.url, 'now');
    checkPictures(t, asked, [...cells, cellOf(place(lon2, lat2))], [place(lon, lat), place(lon2, lat2)]);
});

const SHAPE_ZOOMS = [8, 10, 11, 12];
// Maps that show roads, and what shows none.
const SHAPES = [
    { path: (t) => `/tiles/road/${t.z}/${t.x}/${t.y}.mvt`, roads: true },
    { path: (t) => `/tiles/road/${t.z}/${t.x}/${t.y}.mvt?properties=name`, roads: true },
    { path: (t) => `/tiles/road/${t.z}/${t.x}/${t.y}.png`, roads: true },
    { path: (t) => `/tiles/base/${t.z}/${t.x}/${t.y}.png`, roads: true },
    { path: (t) => `/tiles/base/${t.z}/${t.x}/${t.y}.png?labels=no`, roads: true },
    { path: (t) => `/tiles/labels/${t.z}/${t.x}/${t.y}.png`, roads: true },
    { path: (t) => `/tiles/water/${t.z}/${t.x}/${t.y}.mvt` },
    { path: (t) => `/tiles/building/${t.z}/${t.x}/${t.y}.mvt` },
    { path: (t) => `/tiles/building/${t.z}/${t.x}/${t.y}.png` },
    { path: (t) => `/tiles/grid/${t.z}/${t.x}/${t.y}.mvt` },
    { path: (t) => `/tiles/choropleth:grid/${t.z}/${t.x}/${t.y}.png?layer=hazard` },
];

/** Every tile of some maps: its tag and a hash of its bytes. */
async function takeAll(url, asked, key) {
    await each(asked, async (a) => {
        const answer = await ask(`${url}${a.path}`);
        assert.ok([200, 204].includes(answer.status), `${a.path}: ${answer.status}`);
        a[key] = { etag: answer.headers.etag, bytes: hash(answer.body) };
    });
}

/** Those that are not as their tag says. */
async function renewed(url, asked, key) {
    const list = [];
    await each(asked, async (a) => {
        const answer = await ask(`${url}${a.path}`, { headers: { 'If-None-Match': a[key].etag } });
        assert.ok([200, 204, 304].includes(answer.status), `${a.path}: ${answer.status}`);
        if (answer.status !== 304) list.push(a);
    });
    return list;
}

/** A level-18 cell's corner of a place. */
const cellAt = ([lon, lat]) => Object.values(place(lon, lat)).map((v) => Math.floor(v / SIDE));

test('a shape makes the tiles that show it new, and no others', { timeout: 600000 }, async (t) => {
    const { city } = await synthetic(t);
    const first = await serve(t, city, '--beat', '86400');
    const { url } = first;
    const bounds = (await ask(`${url}/tiles/road.json`)).json().bounds;
    const tiles = tilesOf(bounds, SHAPE_ZOOMS);
    const asked = SHAPES.flatMap((map) => tiles.map((tile) => ({ map, tile, path: map.path(tile) })));
    const lon = bounds[0] + 0.37 * (bounds[2] - bounds[0]), lat = bounds[1] + 0.61 * (bounds[3] - bounds[1]);
    const line = (east, north) => [0, 1, 2, 3].map((k) => [lon + east + 0.004 * k, lat + north + 0.002 * k + 0.001 * (k % 2)]);
    const road = (coordinates) => JSON.stringify({ type: 'Feature', id: '新路', geometry: { type: 'LineString', coordinates },
        properties: { kind: 'highway', name: '新新新路' } });
    await takeAll(url, asked, 'is');

    let sequence = Number((await ask(`${url}/collections`)).headers['data-sequence']);
    const lines = [line(0, 0), line(0.21, -0.07), null];
    for (const [step, coordinates] of lines.entries()) {
        const drawn = await metric(url, 'onemap_tiles_drawn_total');
        assert.equal((await renewed(url, asked, 'is')).length, 0);
        assert.equal(await metric(url, 'onemap_tiles_drawn_total'), drawn);
        const before = step ? lines[step - 1] : null;
        const wrote = coordinates
            ? await ask(`${url}/collections/road/items${before ? '/' + encodeURIComponent('新路') : ''}`, { method: before ? 'PUT' : 'POST', body: road(coordinates) })
            : await ask(`${url}/collections/road/items/${encodeURIComponent('新路')}`, { method: 'DELETE' });
        assert.ok([200, 201, 204].includes(wrote.status), wrote.body.toString());

        const fresh = new Set(await renewed(url, asked, 'is'));
        const looked = await metric(url, 'onemap_tiles_drawn_total') - drawn;
        await takeAll(url, asked, 'now');
        for (const a of asked) {
            // The tag is another exactly if the bytes are.
            assert.equal(fresh.has(a), a.now.bytes !== a.is.bytes, `${a.path} in step ${step}: ${JSON.stringify([a.is, a.now])}`);
            assert.equal(a.now.etag !== a.is.etag, a.now.bytes !== a.is.bytes, a.path);
            if (!a.map.roads) assert.ok(!fresh.has(a), a.path);
        }
        for (const map of SHAPES.slice(0, 2))
            for (const z of SHAPE_ZOOMS)
                assert.ok([...fresh].some((a) => a.map === map && a.tile.z === z), map.path({ z, x: '', y: '' }));
        for (const map of SHAPES.slice(0, 5)) assert.ok([...fresh].some((a) => a.map === map), map.path(tiles[0]));
        // Tiles far from it were not drawn to find that out.
        assert.ok(looked < asked.filter((a) => a.map.roads).length / 2, `${looked} tiles were drawn`);
        t.diagnostic(`${fresh.size} of ${asked.length} tiles are new, ${looked} were drawn`);

        // What is told are the cells of its box, as it was and is.
        const told = (await ask(`${url}/changes?since=${sequence}`)).json();
        assert.deepEqual(Object.keys(told.layers), ['road']);
        const { cells, level } = told.layers.road;
        const up = 2 ** (LEVEL - level), names = new Set(cells.map((c) => c.join()));
        assert.ok(cells.length > 4);
        for (const end of [before, coordinates].filter(Boolean).flatMap((l) => [l[0], l.at(-1)]))
            assert.ok(names.has(cellAt(end).map((v) => Math.floor(v / up)).join()), `${end}`);
        sequence = told.sequence;
        for (const a of asked) a.is = a.now;
    }
    await first.stop();
    const second = await serve(t, city, '--beat', '86400', '--read-only');
    await takeAll(second.url, asked, 'fresh');
    for (const a of asked) assert.equal(a.fresh.bytes, a.is.bytes, a.path);
});

test('counts by unit are new where a unit got another colour', { timeout: 600000 }, async (t) => {
    const { city } = await synthetic(t);
    const first = await serve(t, city, '--beat', '86400');
    const { url } = first;
    const bounds = (await ask(`${url}/tiles/hazard.json`)).json().bounds;
    const asked = ['grid', 'town'].flatMap((level) => tilesOf(bounds, SHAPE_ZOOMS).map((tile) => (
        { level, tile, path: `/tiles/choropleth:${level}/${tile.z}/${tile.x}/${tile.y}.png?layer=hazard` })));
    const one = (await ask(`${url}/collections/hazard/items?limit=1`)).json().features[0];
    const properties = { ...one.properties, severity: 3 };
    for (const unit of ['grid', 'village', 'town', 'id']) delete properties[unit];
    const [lon, lat] = one.geometry.coordinates;
    await takeAll(url, asked, 'is');
    let some = 0;
    for (const [round, count] of [1, 1, 400].entries()) {
        const drawn = await metric(url, 'onemap_tiles_drawn_total');
        const features = Array.from({ length: count }, (_, i) => JSON.parse(feature(`多-${round}-${i}`, lon, lat, properties)));
        const made = await ask(`${url}/collections/hazard/items`, { method: 'POST', body: JSON.stringify({ type: 'FeatureCollection', features }) });
        assert.ok([200, 201].includes(made.status), made.body.toString());
        const fresh = new Set(await renewed(url, asked, 'is'));
        assert.equal(await metric(url, 'onemap_tiles_drawn_total') - drawn, fresh.size);
        await takeAll(url, asked, 'now');
        for (const a of asked) {
            if (a.now.bytes !== a.is.bytes) assert.ok(fresh.has(a), a.path);
            if (!fresh.has(a)) assert.equal(a.now.etag, a.is.etag);
            a.is = a.now;
        }
        t.diagnostic(`${count} rows more: ${fresh.size} of ${asked.length} tiles are new`);
        if (fresh.size && fresh.size < asked.length) some++;
        // Most of the time one row changes no unit's colour.
        if (count === 1) assert.ok(fresh.size < asked.length / 2);
    }
    assert.ok(some > 0);
    await first.stop();
    const second = await serve(t, city, '--beat', '86400', '--read-only');
    await takeAll(second.url, asked, 'fresh');
    for (const a of asked) {
        assert.equal(a.fresh.bytes, a.is.bytes, a.path);
        assert.equal(a.fresh.etag, a.is.etag, a.path);
    }
});

test('no tile is older than what was acknowledged', { timeout: 600000 }, async (t) => {
    const { city } = await makeCity(t);
    const { url } = await serve(t, city);
    const next = random(11), z = 16;
    const maps = [(x, y) => `/tiles/place/${z}/${x}/${y}.mvt`, (x, y) => `/tiles/place/${z}/${x}/${y}.png`, (x, y) => `/tiles/heat:place/${z}/${x}/${y}.png?bandwidth=300`];
    let stop = false, conditional = 0;
    // Readers that keep every tile hot, so that most answers are kept ones.
    const spots = Array.from({ length: 6 }, (_, i) => ({ lon: WEST + 0.05 + 0.05 * i, lat: SOUTH + 0.21 }));
    const readers = spots.map(async (s) => {
        const tags = new Map();
        while (!stop)
            for (const map of maps) {
                const target = map(tileX(s.lon, z), tileY(s.lat, z));
                const tag = tags.get(target);
                const answer = await ask(url + target, { headers: tag ? { 'If-None-Match': tag } : {} });
                assert.ok([200, 204, 304].includes(answer.status));
                tags.set(target, answer.headers.etag);
            }
    });
    const writers = spots.map(async (s, w) => {
        for (let i = 0; i < 25; i++) {
            const id = `W${w}-${i}`, lon = s.lon + next() * 0.0005, lat = s.lat + next() * 0.0005;
            const targets = maps.map((map) => map(tileX(lon, z), tileY(lat, z)));
            const before = await Promise.all(targets.map((target) => ask(url + target)));
            const made = await ask(`${url}/collections/place/items`, { method: 'POST', body: feature(id, lon, lat, { kind: 'shop', weight: 1, at: '2023-04-01T12:00:00+08:00' }) });
            assert.equal(made.status, 201, made.body.toString());
            for (const [k, target] of targets.entries()) {
                const after = await ask(url + target, { headers: { 'If-None-Match': before[k].headers.etag } });
                assert.equal(after.status, 200, target);
                assert.notEqual(after.headers.etag, before[k].headers.etag);
                if (k === 0) assert.ok(after.body.includes(id), `${id} is in ${target}`);
                conditional++;
            }
        }
    });
    await Promise.all(writers);
    stop = true;
    await Promise.all(readers);
    assert.equal(conditional, 6 * 25 * maps.length);
    assert.ok(await metric(url, 'onemap_cache_invalidated_total\\{cache="answers"\\}') > 0);
});

test('every kind of answer is new when what it shows is', { timeout: 600000 }, async (t) => {
    const { city } = await makeCity(t);
    auth = {};
    const { url } = await begin(t, city, '--beat', '86400');
    const lon = WEST + 0.123, lat = SOUTH + 0.237, z = 15, zoom = 2 ** z;
    const x = tileX(lon, z), y = tileY(lat, z), row = Math.floor((90 - lat) / 180 * zoom / 2);
    const box = `${lon - 0.01},${lat - 0.01},${lon + 0.01},${lat + 0.01}`, far = `${WEST + 0.35},${SOUTH + 0.01},${WEST + 0.37},${SOUTH + 0.03}`;
    const shows = [
        `/tiles/place/${z}/${x}/${y}.mvt`, `/tiles/place/${z}/${x}/${y}.pbf?by=kind`, `/tiles/place/${z}/${x}/${y}.png`, `/tiles/place/${z}/${x}/${y}@2x.png?by=kind&size=512`,
        `/tiles/heat:place/${z}/${x}/${y}.png`, `/tiles/heat:place/${z}/${x}/${y}.png?filter=weight%3E2&palette=light`,
        `/tiles/choropleth:square/9/${tileX(lon, 9)}/${tileY(lat, 9)}.png?layer=place&filter=weight%3D99`,
        `/collections/place/tiles/WebMercatorQuad/${z}/${y}/${x}?f=mvt`, `/collections/place/map/tiles/WebMercatorQuad/${z}/${y}/${x}?f=png`,
        `/collections/place/map/tiles/CGCS2000Quad/${z}/${row}/${x}?f=png`, `/wmts/1.0.0/place/default/GoogleMapsCompatible/${z}/${y}/${x}.png`,
        `/map.png?layers=place&bbox=${box}&width=300&height=300&legend=no`, `/map.png?layers=heat:place&bbox=${box}&width=300&height=300&legend=no`,
        `/stats/place?by=kind`, `/stats/place?by=square`, `/stats/place?bbox=${box}`, `/value?name=heat:place&lon=${lon}&lat=${lat}`,
        `/collections/place/items?bbox=${box}`, `/collections/place`, `/catalog`, `/hotspots/place?units=square`,
    ];
    const stays = [
        `/tiles/place/${z}/${x + 3}/${y}.mvt`, `/tiles/road/${z}/${x}/${y}.mvt`, `/tiles/square/${z}/${x}/${y}.mvt`, `/tiles/base/${z}/${x}/${y}.png`,
        `/collections/place/map/tiles/CGCS2000Quad/${z}/${row}/${x + 3}?f=png`, `/stats/place?bbox=${far}`, `/stats/road?by=kind`,
        `/map.png?layers=road&bbox=${box}&width=300&height=300&legend=no`, `/conformance`, `/tileMatrixSets`,
    ];
    const tags = new Map();
    for (const target of [...shows, ...stays]) {
        const answer = await ask(url + target);
        assert.ok([200, 204].includes(answer.status), `${target}: ${answer.status} ${answer.body.toString().slice(0, 200)}`);
        assert.ok(answer.headers.etag, target);
        // No cache between gives it without having asked.
        assert.match(answer.headers['cache-control'], /^(public, )?no-cache$/, target);
        tags.set(target, answer.headers.etag);
        const again = await ask(url + target, { headers: { 'If-None-Match': answer.headers.etag } });
        assert.equal(again.status, 304, target);
        assert.equal(again.body.length, 0);
    }
    const made = await ask(`${url}/collections/place/items`, { method: 'POST', body: feature('here', lon, lat, { kind: '工厂', weight: 99, at: '2023-04-01T12:00:00+08:00' }) });
    assert.equal(made.status, 201, made.body.toString());
    for (const target of shows) {
        const answer = await ask(url + target, { headers: { 'If-None-Match': tags.get(target) } });
        assert.equal(answer.status, 200, target);
        assert.notEqual(answer.headers.etag, tags.get(target), target);
    }
    for (const target of stays)
        assert.equal((await ask(url + target, { headers: { 'If-None-Match': tags.get(target) } })).status, 304, target);
});

test('shares move on the beat, and exactly then', { timeout: 600000 }, async (t) => {
    const { city } = await makeCity(t);
    const { url } = await serve(t, city, '--beat', '2');
    const z = 14, x = tileX(WEST + 0.05, z), y = tileY(SOUTH + 0.05, z);
    // What is painted is far from what is written, but its colours are not.
    const target = `/tiles/heat:place/${z}/${x}/${y}.png?filter=weight%3D5`;
    const look = async () => {
        for (;;) {
            const before = await metric(url, 'onemap_beat_now'), tile = await ask(url + target);
            // The beat may have moved meanwhile: then nobody knows.
            if (before === await metric(url, 'onemap_beat_now')) return { beat: before, etag: tile.headers.etag, bytes: hash(tile.body) };
        }
    };
    let moved = 0, same = 0;
    for (let i = 0, first = await look(); moved < 3; i++) {
        const made = await ask(`${url}/collections/place/items`, { method: 'POST', body: JSON.stringify({ type: 'FeatureCollection',
            features: Array.from({ length: 300 }, (_, k) => JSON.parse(feature(`b${i}-${k}`, WEST + 0.35, SOUTH + 0.35, { kind: 'shop', weight: 5 }))) }) });
        assert.ok([200, 201].includes(made.status), made.body.toString());
        const now = await look();
        if (now.beat === first.beat) {
            assert.deepEqual(now, first);
            same++;
        } else {
            assert.equal(now.beat % 2, 0);
            assert.notEqual(now.etag, first.etag);
            first = now;
            moved++;
        }
    }
    assert.ok(same > 0);
});

test('pages go on after a write', { timeout: 600000 }, async (t) => {
    const { dir, city } = await makeCity(t);
    const { url } = await serve(t, city);
    const items = `${url}/collections/place/items`;
    for (const sort of ['', '&sortby=weight', '&sortby=-kind,at', '&sortby=note']) {
        const stayed = new Map(), seen = new Map();
        for (let next = `${items}?limit=10000${sort}`; next;) {
            const page = (await ask(next)).json();
            for (const f of page.features) stayed.set(f.id, 0);
            next = page.links.find((l) => l.rel === 'next')?.href;
        }
        const ids = [...stayed.keys()], dice = random(sort.length + 1);
        let pages = 0, last;
        for (let next = `${items}?limit=700${sort}`; next; pages++) {
            const page = (await ask(next)).json();
            for (const f of page.features) {
                assert.ok(!seen.has(f.id), `${f.id} twice, ${sort}`);
                seen.set(f.id, pages);
            }
            last = next;
            next = page.links.find((l) => l.rel === 'next')?.href;
            // The row that the page ends with goes, some others too, and some come.
            for (const id of [page.features.at(-1).id, ids[Math.floor(dice() * ids.length)]]) {
                const gone = await ask(`${items}/${id}`, { method: 'DELETE' });
                assert.ok([200, 204, 404].includes(gone.status), `DELETE ${gone.status}`);
                stayed.delete(id);
            }
            const made = await ask(items, { method: 'POST', body: feature(`N${sort.length}-${pages}`, WEST + dice() * 0.39, SOUTH + dice() * 0.39, { kind: 'shop', weight: Math.floor(dice() * 10), at: '2023-04-01T12:00:00+08:00' }) });
            assert.equal(made.status, 201, made.body.toString());
        }
        assert.ok(pages > 6);
        for (const id of stayed.keys()) assert.ok(seen.has(id), `${id} is missed, ${sort}`);
        assert.equal((await ask(last)).status, 200);
    }
    const link = (await ask(`${items}?limit=10`)).json().links.find((l) => l.rel === 'next').href;
    assert.equal((await ask(link)).status, 200);
    await writeFile(path.join(dir, 'few.csv'), (await readFile(path.join(dir, 'places.csv'), 'utf8')).split('\n').slice(0, 500).join('\n') + '\n');
    await done('import', city, 'place', path.join(dir, 'few.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at', '--replace');
    let status;
    await until('it is noticed', async () => (status = (await ask(link)).status) !== 200);
    assert.equal(status, 410);
});
