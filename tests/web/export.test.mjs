// Archives of tiles, read by those who did not write them.
//
// Plan
//   vector tiles of several layers as PMTiles: the reader of npm finds every
//   tile that `onemap tile` draws, with its bytes, and none besides
//   pictures as MBTiles: gdalinfo opens them; ogrinfo counts vector ones
//   the counts of a zoom add up to the layer
//   killed and begun again: the same file as in one go
//   wrong words are refused before anything is written
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { done, folder, killedAfter, onemap, random } from './onemap.mjs';
import { serve } from './server.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
const { PMTiles, tileIdToZxy, zxyToTileId } = require('pmtiles');
const run = promisify(execFile);

const ROWS = 30000, ZOOMS = [8, 13];

async function makeCity(t) {
    const dir = await folder(t), city = path.join(dir, 'city');
    const next = random(3), lines = ['lon,lat,id,kind'];
    for (let i = 0; i < ROWS; i++)
        lines.push([(113.6 + next() * 0.3).toFixed(6), (22.8 + next() * next() * 0.3).toFixed(6),
            `P${i}`, ['shop', 'home'][i % 2]].join(','));
    lines.push('0.001,0.001,STRAY,shop'); // on the other side of the world
    await writeFile(path.join(dir, 'place.csv'), lines.join('\n') + '\n');
    const square = (x, y, id) => ({ type: 'Feature', properties: { id, name: `单元${id}` }, geometry: {
        type: 'Polygon', coordinates: [[[x, y], [x + 0.15, y], [x + 0.15, y + 0.15], [x, y + 0.15], [x, y]]] } });
    await writeFile(path.join(dir, 'unit.geojson'), JSON.stringify({ type: 'FeatureCollection',
        features: [square(113.6, 22.8, 'A'), square(113.75, 22.8, 'B'), square(113.6, 22.95, 'C')] }));
    await done('import', city, 'unit', path.join(dir, 'unit.geojson'), '--as', 'unit:ward', '--id', 'id');
    await done('import', city, 'place', path.join(dir, 'place.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id');
    return { dir, city };
}

/** A file as the reader of npm wants it. */
async function source(t, file) {
    const handle = await open(file);
    t.after(() => handle.close());
    return new PMTiles({
        getKey: () => file,
        async getBytes(offset, length) {
            const buffer = Buffer.alloc(length);
            const { bytesRead } = await handle.read(buffer, 0, length, offset);
            return { data: buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + bytesRead) };
        },
    });
}

test('vector tiles of two layers as PMTiles', async (t) => {
    const { dir, city } = await makeCity(t);
    const file = path.join(dir, 'city.pmtiles');
    const said = await done('export', city, 'place', 'ward', '--zoom', ZOOMS.join('-'), '--out', file);
    const archive = await source(t, file);
    const header = await archive.getHeader();
    assert.equal(header.specVersion, 3);
    assert.deepEqual([header.minZoom, header.maxZoom], ZOOMS);
    assert.ok(header.clustered);
    assert.ok(Math.abs(header.minLon) < 0.01 && Math.abs(header.maxLon - 113.9) < 0.01);
    assert.equal(Number(/^(\d+) tiles/.exec(said)[1]), header.numAddressedTiles);
    const metadata = await archive.getMetadata();
    assert.deepEqual(metadata.vector_layers.map((l) => l.id),
        ['place', 'place:cells', 'place:meta', 'ward', 'ward:cells', 'ward:meta']);
    assert.ok('kind' in metadata.vector_layers[0].fields);

    // Every tile of three zooms that has anything, and every one around them.
    let found = 0;
    for (const z of [8, 10, 11]) {
        const n = 2 ** z, x0 = Math.floor((113.6 + 180) / 360 * n) - 1, x1 = Math.floor((113.9 + 180) / 360 * n) + 1;
        const row = (lat) => Math.floor((1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * n);
        for (let x = x0; x <= x1; x++)
            for (let y = row(23.1) - 1; y <= row(22.8) + 1; y++) {
                const want = [];
                for (const name of ['place', 'ward']) {
                    const out = path.join(dir, 'tile.mvt');
                    await done('tile', city, name, `${z}/${x}/${y}`, '--out', out);
                    want.push((await readFile(out)).length);
                }
                const got = await archive.getZxy(z, x, y);
                assert.equal(!!got, want.some((bytes) => bytes > 0), `${z}/${x}/${y}`);
                if (got) found++;
            }
    }
    assert.ok(found > 8);
    // The stray row is there, at every zoom.
    for (const z of [8, 13]) assert.ok(await archive.getZxy(z, 2 ** (z - 1), 2 ** (z - 1) - 1));
    assert.equal(zxyToTileId(...tileIdToZxy(123456)), 123456);
});

test('one layer alone: the bytes that onemap tile writes', async (t) => {
    const { dir, city } = await makeCity(t);
    const file = path.join(dir, 'place.pmtiles'), out = path.join(dir, 'tile.mvt');
    await done('export', city, 'place', '--zoom', '9-12', '--where', "kind = 'shop'", '--out', file);
    const archive = await source(t, file), z = 12;
    const x = Math.floor((113.7 + 180) / 360 * 2 ** z);
    const y = Math.floor((1 - Math.asinh(Math.tan(22.83 * Math.PI / 180)) / Math.PI) / 2 * 2 ** z);
    await done('tile', city, 'place', `${z}/${x}/${y}`, '--where', "kind = 'shop'", '--out', out);
    const want = await readFile(out), got = await archive.getZxy(z, x, y);
    assert.ok(want.length > 1000);
    assert.deepEqual(Buffer.from(got.data), want); // the reader has unpacked it
});

test('pictures and vector tiles as MBTiles, opened by GDAL', async (t) => {
    const { dir, city } = await makeCity(t);
    const heat = path.join(dir, 'heat.mbtiles'), mvt = path.join(dir, 'ward.mbtiles');
    await done('export', city, 'heat:place', '--zoom', '8-11', '--bandwidth', '2000', '--out', heat);
    const about = JSON.parse((await run('gdalinfo', ['-json', heat])).stdout);
    assert.equal(about.driverShortName, 'MBTiles');
    assert.equal(about.metadata[''].minzoom, '8');
    assert.equal(about.bands.length, 4);
    await done('export', city, 'ward', '--zoom', '8-12', '--out', mvt);
    const { stdout } = await run('ogrinfo', ['-ro', '-al', '-so', mvt]);
    assert.match(stdout, /Layer name: ward/);
    assert.match(stdout, /name: String/);
});

test('killed and begun again, it is the same file', async (t) => {
    const { dir, city } = await makeCity(t);
    for (const ending of ['pmtiles', 'mbtiles']) {
        const whole = path.join(dir, `whole.${ending}`), file = path.join(dir, `broken.${ending}`);
        const words = ['export', city, 'place', '--zoom', '8-15'];
        const begun = Date.now();
        await done(...words, '--out', whole);
        // The machine may be quicker now than it was; whoever gets through is made to begin anew, and killed sooner.
        let took = Date.now() - begun, killed = 0;
        for (let i = 0; killed < 3; i++) {
            assert.ok(i < 60, 'never killed in time');
            await rm(file, { force: true });
            const { signal } = await killedAfter(took * (killed + 1) / 4, ...words, '--out', file);
            if (signal !== 'SIGKILL') took *= 0.8;
            else if (!existsSync(file)) killed++;
            else assert.ok((await stat(file)).size >= (await stat(whole)).size * 0.9, 'there is no part of it under its name');
        }
        await done(...words, '--out', file);
        assert.ok(!existsSync(`${file}.part`));
        if (ending === 'pmtiles') {
            assert.ok((await readFile(file)).equals(await readFile(whole)));
            continue;
        }
        // Pages of the database may lie otherwise; what they hold is test_archive's.
        assert.ok(Math.abs((await readFile(file)).length - (await readFile(whole)).length) <= 65536);
    }
});

test('the command line draws what the server sends', async (t) => {
    const { dir, city } = await makeCity(t);
    const { url } = await serve(t, city);
    const z = 11, x = Math.floor((113.7 + 180) / 360 * 2 ** z);
    const y = Math.floor((1 - Math.asinh(Math.tan(22.85 * Math.PI / 180)) / Math.PI) / 2 * 2 ** z);
    for (const [name, ending, query, words] of [
        ['place', 'mvt', 'by=kind', ['--by', 'kind']],
        ['place', 'png', "filter=kind='shop'&by=kind", ['--where', "kind='shop'", '--by', 'kind']],
        ['base', 'png', 'palette=light', ['--palette', 'light']],
        ['choropleth:ward', 'png', 'stat=count&layer=place', ['--stat', 'count', '--layer', 'place']],
        ['heat:place', 'png', 'bandwidth=500&kernel=epanechnikov', ['--bandwidth', '500', '--kernel', 'epanechnikov']],
    ]) {
        const out = path.join(dir, `tile.${ending}`);
        await done('tile', city, name, `${z}/${x}/${y}`, ...words, '--out', out);
        const answer = await fetch(`${url}/tiles/${name}/${z}/${x}/${y}.${ending}?${query}`);
        assert.equal(answer.status, 200, name);
        assert.deepEqual(Buffer.from(await answer.arrayBuffer()), await readFile(out), name);
    }
    const base = path.join(dir, 'base.pmtiles');
    await done('export', city, 'base', '--zoom', '8-11', '--out', base);
    const tile = await (await source(t, base)).getZxy(z, x, y);
    const answer = await fetch(`${url}/tiles/base/${z}/${x}/${y}.png`);
    assert.deepEqual(Buffer.from(tile.data), Buffer.from(await answer.arrayBuffer()));
});

test('wrong words are refused', async (t) => {
    const { dir, city } = await makeCity(t);
    const out = path.join(dir, 'x.pmtiles');
    for (const [words, said] of [
        [['place', '--zoom', '9-8', '--out', out], /--zoom: '9-8'/],
        [['place', '--zoom', '8-23', '--out', out], /--zoom/],
        [['place', '--out', out], /needs --zoom/],
        [['place', '--zoom', '8', '--out', path.join(dir, 'x.zip')], /neither .pmtiles nor/],
        [['place', 'heat:place', '--zoom', '8', '--out', out], /several names/],
        [['place', 'place', '--zoom', '8', '--out', out], /named twice/],
        [['heat:place', '--zoom', '8', '--format', 'mvt', '--out', out], /is a picture/],
        [['place', '--zoom', '8', '--format', 'png', '--bandwidth', '9', '--out', out], /--bandwidth is not for/],
        [['place', '--zoom', '8', '--where', 'nothing = 1', '--out', out], /no column 'nothing'/],
    ]) {
        const result = await onemap('export', city, ...words);
        assert.equal(result.status, 2, words.join(' '));
        assert.match(result.stderr, said);
    }
    const missing = await onemap('export', city, 'nowhere', '--zoom', '8', '--out', out);
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /nowhere/);
    assert.ok(!existsSync(out) && !existsSync(`${out}.part`));
});
