// Vector tiles as clients meet them: bytes over HTTP, MapLibre's own reader over
// all tiles of a zoom, GDAL, the command line, and a map that draws them.
//
// Plan
//   head: type, gzip, 204, ETag and 304, .pbf is .mvt
//   reader: @mapbox/vector-tile over all tiles of a zoom: rows add up to the
//   register, rings are wound right, ids are unique, types are JavaScript's
//   asked: filter, datetime, properties, by; wrong ones are named
//   GDAL: ogrinfo and ogr2ogr through MVT read the same rows, valid
//   command line: the same bytes as the server's
//   MapLibre: a layer of polygons and one of points are drawn
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { GL, launch, skip } from './chromium.mjs';
import { done, folder, onemap } from './onemap.mjs';
import { charge, serve } from './server.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
const run = promisify(execFile);
// Where a synthetic city lies.
const [WEST, SOUTH, EAST, NORTH] = [113.4, 22.5, 114.3, 23.2];

function tileOf(lonDeg, latDeg, z) {
    const n = 2 ** z, lat = latDeg * Math.PI / 180;
    return [Math.floor((lonDeg + 180) / 360 * n), Math.floor((1 - Math.asinh(Math.tan(lat)) / Math.PI) / 2 * n)];
}

function* tilesOf(z) {
    const [x0, y0] = tileOf(WEST, NORTH, z), [x1, y1] = tileOf(EAST, SOUTH, z);
    for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) yield [x, y];
}

/* Those in charge, who see all columns as the command line does. */
let all = {};

/** A tile decoded, or null where there is nothing. */
async function readTile(url) {
    const { VectorTile } = await import(require.resolve('@mapbox/vector-tile'));
    const { PbfReader, default: Pbf } = await import(require.resolve('pbf'));
    const answer = await fetch(url, { headers: all });
    if (answer.status === 204) return null;
    assert.equal(answer.status, 200, `${url}: ${answer.status}`);
    const Reader = PbfReader ?? Pbf;
    return new VectorTile(new Reader(new Uint8Array(await answer.arrayBuffer())));
}

const features = function* (layer) {
    for (let i = 0; layer && i < layer.length; i++) yield layer.feature(i);
};

function area2(ring) {
    let sum = 0;
    for (let i = 0; i + 1 < ring.length; i++) sum += ring[i].x * ring[i + 1].y - ring[i + 1].x * ring[i].y;
    return sum;
}

/** What all tiles of a zoom show and count of a layer. */
async function readZoom(url, name, z, query = '') {
    const ids = new Map(), found = { tiles: 0, counted: 0, told: 0, ids };
    for (const [x, y] of tilesOf(z)) {
        const tile = await readTile(`${url}/tiles/${name}/${z}/${x}/${y}.mvt${query}`);
        if (!tile) continue;
        found.tiles++;
        for (const feature of features(tile.layers[name])) {
            assert.ok(Number.isSafeInteger(feature.id) && feature.id >= 0);
            const known = ids.get(feature.id);
            assert.ok(known === undefined || known === feature.properties.id, 'two rows of one id');
            ids.set(feature.id, feature.properties.id);
            const rings = feature.loadGeometry();
            if (feature.type === 3) {
                assert.ok(area2(rings[0]) > 0, 'the first ring is an outer one');
                for (const ring of rings) assert.ok(ring.length >= 4 && area2(ring) !== 0);
            } else if (feature.type === 1) {
                assert.ok(rings[0][0].x >= 0 && rings[0][0].x < 4096 && rings[0][0].y >= 0 && rings[0][0].y < 4096);
            }
        }
        for (const cell of features(tile.layers.cells)) {
            assert.ok(cell.properties.count >= 1);
            assert.match(cell.properties.bbox, /^-?\d+\.\d+,-?\d+\.\d+,-?\d+\.\d+,-?\d+\.\d+$/);
            found.counted += cell.properties.count;
        }
        for (const meta of features(tile.layers.meta)) {
            assert.equal(meta.properties.total, meta.properties.shown + meta.properties.suppressed);
            assert.match(meta.properties.as_of, /^2023-06-27T00:00:00\+08:00$/);
            found.told += meta.properties.suppressed;
        }
    }
    assert.equal(found.told, found.counted);
    return found;
}

test('vector tiles', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.002', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const { args, auth } = await charge(dir), { url } = await serve(t, city, ...args);
    all = auth;
    const count = async (layer, ...more) => Number(await done('query', city, layer, '--count', ...more));
    const [X, Y] = tileOf(113.75, 23.02, 10);

    await t.test('head: type, gzip, 204, ETag, .pbf', async () => {
        const target = `${url}/tiles/address/10/${X}/${Y}`;
        const mvt = await fetch(`${target}.mvt`, { headers: { 'Accept-Encoding': 'gzip' } });
        assert.equal(mvt.status, 200);
        assert.equal(mvt.headers.get('content-type'), 'application/vnd.mapbox-vector-tile');
        assert.equal(mvt.headers.get('content-encoding'), 'gzip');
        assert.equal(mvt.headers.get('access-control-allow-origin'), null);
        assert.ok(mvt.headers.get('data-sequence') && mvt.headers.get('data-as-of'));
        const plain = await fetch(`${target}.pbf`, { headers: { 'Accept-Encoding': 'identity' } });
        assert.equal(plain.headers.get('content-encoding'), null);
        assert.deepEqual(Buffer.from(await mvt.arrayBuffer()), Buffer.from(await plain.arrayBuffer()));
        const again = await fetch(`${target}.mvt`, { headers: {
            'Accept-Encoding': 'gzip', 'If-None-Match': mvt.headers.get('etag') } });
        assert.equal(again.status, 304);
        const none = await fetch(`${url}/tiles/address/10/0/0.mvt`);
        assert.equal(none.status, 204);
        assert.ok(none.headers.get('etag'));
        assert.equal((await none.arrayBuffer()).byteLength, 0);
    });

    for (const [layer, zooms] of [['address', [0, 8, 11, 13]], ['hazard', [9, 12]], ['building', [6, 10, 13]],
        ['grid', [3, 6, 9, 12]], ['town', [5, 11]], ['road', [7, 10, 12]], ['water', [8, 11]]])
        await t.test(`reader: all tiles of ${layer} add up`, async () => {
            const rows = await count(layer);
            for (const z of zooms) {
                const { tiles, counted, ids } = await readZoom(url, layer, z);
                t.diagnostic(`${layer} z${z}: ${tiles} tiles, ${ids.size} rows shown, ${counted} counted`);
                assert.equal(ids.size + counted, rows, `${layer} at z${z}`);
            }
        });

    await t.test('asked: filter, datetime, properties, by', async () => {
        const filter = 'severity >= 3';
        const rows = await count('hazard', '--where', filter, '--time', '2023-02/2023-05');
        assert.ok(rows > 10);
        const query = `?filter=${encodeURIComponent(filter)}&datetime=2023-02/2023-05`;
        const all = await readZoom(url, 'hazard', 10, query);
        assert.equal(all.ids.size + all.counted, rows);

        // Addresses stand in stacks, so that some are counted at every zoom.
        const [x, y] = tileOf(113.75, 23.02, 9);
        const towns = await readTile(`${url}/tiles/address/9/${x}/${y}.mvt?by=town&properties=residents`);
        assert.equal(towns.layers.meta.feature(0).properties.by, 'town');
        for (const cell of features(towns.layers.cells)) {
            const parts = Object.entries(cell.properties).filter(([key]) => key.startsWith('town:'));
            assert.equal(parts.reduce((sum, [, n]) => sum + n, 0), cell.properties.count);
            assert.equal(typeof cell.properties['sum:residents'], 'number');
        }
        for (const row of features(towns.layers.address))
            assert.deepEqual(Object.keys(row.properties), ['id', 'residents']);
        const bare = await readTile(`${url}/tiles/address/9/${x}/${y}.mvt?by=&properties=`);
        assert.equal(bare.layers.meta.feature(0).properties.by, undefined);
        for (const cell of features(bare.layers.cells))
            assert.deepEqual(Object.keys(cell.properties).filter((key) => /:/.test(key)), []);

        const [hx, hy] = tileOf(113.75, 23.02, 13);
        const hazards = await readTile(`${url}/tiles/hazard/13/${hx}/${hy}.mvt`);
        const { properties } = hazards.layers.hazard.feature(0);
        assert.match(properties.reported, /^2023-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
        assert.equal(typeof properties.severity, 'number');
        assert.equal(typeof properties.id, 'string');
        for (const [bad, status, parameter] of [
            ['properties=nope', 400, 'properties'], ['by=nope', 400, 'by'], ['by=severity', 400, 'by'],
            ['by=grid', 422, 'by'], ['filter=nope%3D1', 400, 'filter'], ['datetime=never', 400, 'datetime'],
            ['palette=dark', 400, 'palette']]) {
            const answer = await fetch(`${url}/tiles/hazard/9/${x}/${y}.mvt?${bad}`);
            assert.equal(answer.status, status, bad);
            assert.equal((await answer.json()).parameter, parameter, bad);
        }
        assert.equal((await fetch(`${url}/tiles/heat:hazard/9/${x}/${y}.mvt`)).status, 404);
    });

    await t.test('GDAL: ogrinfo and ogr2ogr read the same rows', async () => {
        for (const [layer, z] of [['grid', 9], ['town', 11]]) {
            const out = path.join(dir, `${layer}.geojson`);
            await run('ogr2ogr', ['-f', 'GeoJSON', '-t_srs', 'EPSG:4326', out,
                `MVT:${url}/tiles/${layer}/${z}`, layer], { maxBuffer: 1 << 26 });
            const { features: read } = JSON.parse(await readFile(out, 'utf8'));
            assert.equal(new Set(read.map((f) => f.properties.id)).size, await count(layer));
            for (const f of read) assert.match(f.geometry.type, /Polygon$/);
        }
        const { stdout } = await run('ogrinfo', ['-ro', '-al', '-so', `MVT:${url}/tiles/road/12`]);
        assert.match(stdout, /Layer name: road/);
        assert.match(stdout, /kind: String/);
    });

    await t.test('command line: the same bytes', async () => {
        const out = path.join(dir, 'tile.mvt');
        for (const [layer, query, ...more] of [['grid', ''], ['building', ''],
            ['hazard', '?filter=severity%3D4&properties=item,severity&by=status', '--where', 'severity=4',
                '--properties', 'item,severity', '--by', 'status']]) {
            await done('tile', city, layer, `10/${X}/${Y}`, '--format', 'mvt', ...more, '--out', out);
            const served = await fetch(`${url}/tiles/${layer}/10/${X}/${Y}.mvt${query}`, { headers: all });
            assert.deepEqual(await readFile(out), Buffer.from(await served.arrayBuffer()), layer);
        }
        for (const [args, what] of [[['nowhere', '3/1/1'], /no layer 'nowhere'/], [['heat:hazard', '3/1/1'], /picture/],
            [['grid', '3/9/1'], /Z\/X\/Y/], [['grid', '3/1/1', '--by', 'nope'], /no column 'nope'/],
            [['grid', '3/1/1', '--palette', 'dark'], /--palette is not for vector tiles/]]) {
            const { status, stderr } = await onemap('tile', city, ...args, '--format', 'mvt', '--out', out);
            assert.notEqual(status, 0);
            assert.match(stderr, what);
        }
    });

    await t.test('MapLibre draws polygons and points', { skip }, async () => {
        const { page, close } = await launch(null, { flags: GL, viewport: { width: 900, height: 700 } });
        try {
            const said = [], tiles = [];
            page.on('pageerror', (e) => said.push(e.message));
            page.on('console', (m) => { if (m.type() === 'error') said.push(m.text()); });
            page.on('response', (r) => { if (/\.mvt/.test(r.url())) tiles.push(r.status()); });
            await page.route('**/vector-test', (route) => route.fulfill({ contentType: 'text/html', body: `<!doctype html>
<link rel="stylesheet" href="/pages/maplibre/maplibre-gl.css"><style>html,body,#map{height:100%;margin:0}</style><div id="map"></div>
<script type="module">
import {Map} from '/pages/maplibre/maplibre-gl.mjs';
const source = (name) => ({type: 'vector', tiles: [location.origin + '/tiles/' + name + '/{z}/{x}/{y}.mvt'], maxzoom: 16});
window.map = new Map({container: 'map', center: [113.82, 22.95], zoom: 9.4, attributionControl: false, style: {version: 8,
  sources: {grid: source('grid'), address: source('address')}, layers: [
  {id: 'ground', type: 'background', paint: {'background-color': '#000000'}},
  {id: 'grid', type: 'fill', source: 'grid', 'source-layer': 'grid', paint: {'fill-color': '#0000ff', 'fill-antialias': false}},
  {id: 'cells', type: 'circle', source: 'address', 'source-layer': 'cells', paint: {'circle-color': '#ff0000', 'circle-radius': 3}},
  {id: 'rows', type: 'circle', source: 'address', 'source-layer': 'address', paint: {'circle-color': '#ff0000', 'circle-radius': 3}}]}});
window.map.on('idle', () => { window.rest = true; });
</script>` }));
            await page.goto(`${url}/vector-test`);
            await page.waitForFunction(() => window.rest);
            const drawn = await page.evaluate(() => ({
                grids: new Set(window.map.queryRenderedFeatures({ layers: ['grid'] }).map((f) => f.id)).size,
                rows: window.map.queryRenderedFeatures({ layers: ['rows', 'cells'] }).length,
            }));
            const shot = await page.screenshot({ path: path.join(tmpdir(), 'onemap-vector.png') });
            const seen = await page.evaluate(async (bytes) => {
                const blob = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], { type: 'image/png' });
                const bitmap = await createImageBitmap(blob);
                const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
                context.drawImage(bitmap, 0, 0);
                const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
                let blue = 0, red = 0;
                for (let i = 0; i < data.length; i += 4) {
                    blue += data[i] < 30 && data[i + 2] > 220;
                    red += data[i] > 220 && data[i + 2] < 30;
                }
                return { blue: blue / (data.length / 4), red: red / (data.length / 4) };
            }, shot.toString('base64'));
            t.diagnostic(`${tiles.length} tiles, ${drawn.grids} units, ${drawn.rows} points; ` +
                `${(100 * seen.blue).toFixed(1)} % blue, ${(100 * seen.red).toFixed(1)} % red`);
            assert.deepEqual(said, []);
            assert.ok(tiles.length >= 4 && tiles.every((status) => status === 200 || status === 204 || status === 304));
            assert.ok(drawn.grids > 40 && drawn.rows > 100);
            assert.ok(seen.blue > 0.1 && seen.blue < 0.9, 'the city is blue');
            assert.ok(seen.red > 0.005, 'points are red');
        } finally {
            await close();
        }
    });
});
