// Real clients: GDAL reads this server as it reads any other.
//
// Plan
//   OAPIF: layers, count, box, equality, everything page by page
//   WMTS in both systems, both spellings of EPSG:4490: every pixel is ours
//   MVT: the rows of a zoom, from metadata.json alone
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { serve } from './server.mjs';
import { get, makeCity, places, ROWS, run, SOUTH, WEST } from './sample.mjs';
import { decode } from './png.mjs';

const Z = 10, R = 2 * Math.PI * 6378137;
const QUIET = { GDAL_DISABLE_READDIR_ON_OPEN: 'YES', CPL_VSIL_CURL_USE_CACHE: 'NO', GDAL_ENABLE_WMS_CACHE: 'NO' };

/** Lines of a CSV that ogr2ogr makes of a source. */
async function rowsOf(source, layer, ...args) {
    const { stdout } = await run('ogr2ogr', ['-f', 'CSV', '/vsistdout/', source, layer, ...args], QUIET);
    const [head, ...lines] = stdout.trim().split('\n');
    const id = head.split(',').indexOf('id');
    return lines.map((l) => l.split(',')[id].replaceAll('"', ''));
}

test('GDAL as a client', async (t) => {
    const { dir, city } = await makeCity(t);
    const server = await serve(t, city), rows = places();
    const source = `OAPIF:${server.url}`;
    const at = (target) => get(server.url + target);
    const queries = async () => Number(/onemap_requests_total\{route="items",status="2xx"\} (\d+)/.exec((await at('/metrics')).text())?.[1] ?? 0);

    await t.test('OAPIF lists the layers and counts without reading', async () => {
        const { stdout } = await run('ogrinfo', ['-so', '-al', source], QUIET);
        for (const name of ['square', 'place', 'road']) assert.match(stdout, new RegExp(`Layer name: ${name}`));
        assert.match(stdout, new RegExp(`Layer name: place\\n[^]*?Feature Count: ${ROWS}\\n`));
        for (const field of ['id: String', 'weight: Integer', 'at: DateTime', 'square: String']) assert.match(stdout, new RegExp(field));
    });

    await t.test('OAPIF hands boxes and equality to the server', async () => {
        const [w, s, e, n] = [WEST + 0.0503, SOUTH + 0.0503, WEST + 0.1507, SOUTH + 0.1207];
        const before = await queries();
        const box = await rowsOf(source, 'place', '-spat', w, s, e, n, '-oo', 'PAGE_SIZE=10000');
        assert.deepEqual(box.sort(), rows.filter((r) => r.lon > w && r.lon < e && r.lat > s && r.lat < n).map((r) => r.id));
        const equal = await rowsOf(source, 'place', '-where', "kind = 'shop' AND weight = 3", '-oo', 'PAGE_SIZE=10000');
        assert.deepEqual(equal.sort(), rows.filter((r) => r.kind === 'shop' && r.weight === 3).map((r) => r.id));
        assert.ok((await queries()) - before < 12, 'it filters what it was sent');
        const { stdout } = await run('ogrinfo', ['-so', source, 'place', '-where', "id = 'P00042'"], QUIET);
        assert.match(stdout, /Feature Count: 1\n/);
    });

    await t.test('OAPIF reads everything, page by page', async () => {
        const before = await queries();
        const all = await rowsOf(source, 'place', '-oo', 'PAGE_SIZE=700');
        assert.deepEqual(all.sort(), rows.map((r) => r.id));
        const pages = (await queries()) - before;
        assert.ok(pages >= Math.ceil(ROWS / 700) && pages <= Math.ceil(ROWS / 700) + 3, String(pages));
        const shapes = path.join(dir, 'square.gpkg');
        await run('ogr2ogr', [shapes, source, 'square'], QUIET);
        const { stdout } = await run('ogrinfo', ['-so', shapes, 'square'], QUIET);
        assert.match(stdout, /Feature Count: 16\n/);
    });

    await t.test('WMTS gives the pixels of our own tiles, in both systems', async () => {
        for (const set of ['WebMercatorQuad', 'CGCS2000Quad', 'EPSG:4490']) {
            const name = `WMTS:${server.url}/wmts/1.0.0/WMTSCapabilities.xml,layer=heat:place,tilematrixset=${set},tilematrix=${Z},style=dark`;
            const info = JSON.parse((await run('gdalinfo', ['-json', name], QUIET)).stdout);
            const file = path.join(dir, 'out.raw');
            await run('gdal_translate', ['-q', '-of', 'ENVI', '-co', 'INTERLEAVE=BIP', name, file], QUIET);
            const [width, height] = info.size, pixels = await readFile(file);
            const [west, cell, , north] = info.geoTransform;
            const degrees = set !== 'WebMercatorQuad', side = degrees ? 360 : R;
            assert.ok(Math.abs(cell - side / 256 / 2 ** Z) < 1e-12 * side);
            assert.ok(width > 250 && height > 250);
            const col0 = Math.round((west + side / 2) / cell), row0 = Math.round(((degrees ? 90 : R / 2) - north) / cell);
            const tiles = new Map();
            let painted = 0;
            for (let y = 0; y < height; y++) {
                const row = row0 + y, tileRow = Math.floor(row / 256);
                for (let x = 0; x < width; x++) {
                    const col = col0 + x, tileCol = Math.floor(col / 256), key = `${tileRow}/${tileCol}`;
                    if (!tiles.has(key)) {
                        const target = degrees ? `/wmts/1.0.0/heat:place/dark/all/CGCS2000Quad/${Z}/${key}.png` : `/tiles/heat:place/${Z}/${tileCol}/${tileRow}.png`;
                        tiles.set(key, decode((await at(target)).body).rgba);
                    }
                    const from = ((row % 256) * 256 + col % 256) * 4, to = (y * width + x) * 4, rgba = tiles.get(key);
                    if (rgba[from + 3]) painted++;
                    if (rgba.readUInt32LE(from) !== pixels.readUInt32LE(to))
                        assert.fail(`${set}: pixel ${x} ${y}: ${[...pixels.subarray(to, to + 4)]}, ours ${[...rgba.subarray(from, from + 4)]}`);
                }
            }
            assert.ok(painted > width * height / 4, `${set}: ${painted}`);
        }
    });

    await t.test('MVT is found by metadata.json and read by zoom', async () => {
        const { stdout } = await run('ogrinfo', ['-so', '-al', `MVT:${server.url}/tiles/square/9`], QUIET);
        assert.match(stdout, /Layer name: square/);
        assert.match(stdout, /name: String/);
        const ids = new Set(await rowsOf(`MVT:${server.url}/tiles/square/9`, 'square', '-select', 'id'));
        assert.equal(ids.size, 16);
    });
});
