// OGC API Features: documents, rows in any order, system and form, files.
//
// Plan
//   documents: JSON Schemas of the standard, an OpenAPI linter, links that lead
//   /api speaks of every route, and every path of it is answered
//   rows: sorted as Array.sort says, pages that add up, chosen columns
//   systems: what GDAL's transformation makes of it, axes as the authority says
//   files: the same rows in every form, ranges that join, HEAD, If-Range
//   forms by Accept, 406 where nothing fits; v keeps for ever
//   what costs too much is refused with the limit in words
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, folder } from './onemap.mjs';
import { serve } from './server.mjs';
import { get, KINDS, makeCity, places, ROWS, run, SIDE, SOUTH, STEP, WEST } from './sample.mjs';
import * as schema from './schemas.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
const EPSG = 'http://www.opengis.net/def/crs/EPSG/0/';

/** All pages from an address on. */
async function pages(url) {
    const features = [];
    let page, count = 0;
    do {
        page = (await get(url)).json();
        features.push(...page.features);
        assert.equal(page.numberReturned, page.features.length);
        url = page.links.find((l) => l.rel === 'next')?.href;
        assert.ok(++count < 100);
    } while (url);
    assert.equal(features.length, page.numberMatched);
    return features;
}

test('OGC API Features', async (t) => {
    const { dir, city } = await makeCity(t);
    const server = await serve(t, city), rows = places();
    const at = (target, options) => get(server.url + target, options);
    const check = await schema.checker();

    await t.test('documents are as the standard says, and their links lead somewhere', async () => {
        const landing = (await at('/?f=json')).json();
        check(schema.landing, landing, 'landing');
        for (const rel of ['self', 'service-desc', 'service-doc', 'conformance', 'data'])
            assert.ok(landing.links.some((l) => l.rel === rel), rel);
        check(schema.conformance, (await at('/conformance')).json(), 'conformance');
        const all = (await at('/collections')).json();
        check(schema.collections, all, 'collections');
        assert.deepEqual(all.collections.map((c) => c.id), ['square', 'place', 'road']);
        const place = (await at('/collections/place')).json();
        check(schema.collection, place, 'collection');
        assert.deepEqual(place.extent.temporal.interval, [['2023-01-01T12:00:00+08:00', '2023-04-28T12:00:00+08:00']]);
        const documents = [landing, place, ...all.collections, (await at('/catalog')).json(), (await at('/tileMatrixSets')).json()];
        for (const { href } of documents.flatMap((d) => d.links ?? []).filter((l) => !l.templated)) {
            const answer = await get(href);
            assert.equal(answer.status, 200, `${href}: ${answer.body.subarray(0, 200)}`);
        }
        const named = (await at('/collections/place/queryables')).json();
        assert.equal(named.$schema, 'https://json-schema.org/draft/2020-12/schema');
        assert.deepEqual(named.properties.kind.enum, [...KINDS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
        assert.equal(named.properties.at.format, 'date-time');
        assert.equal(named.properties.id['x-ogc-role'], 'id');
        assert.equal(named.properties.geom['x-ogc-role'], 'primary-geometry');
    });

    await t.test('/api is valid OpenAPI and forgets no route', async () => {
        const { Validator } = await import('../../web/pages/node_modules/@seriousme/openapi-schema-validator/index.js');
        const answer = await at('/api'), api = answer.json();
        assert.equal(answer.headers['content-type'], 'application/vnd.oai.openapi+json;version=3.0');
        const result = await new Validator().validate(structuredClone(api));
        assert.ok(result.valid, JSON.stringify(result.errors));
        const { createConfig, lintFromString } = (await import('../../web/pages/node_modules/@redocly/openapi-core/lib/index.js')).default;
        const problems = await lintFromString({ source: answer.text(), absoluteRef: 'api.json', config: await createConfig({ extends: ['recommended'] }) });
        assert.deepEqual(problems.map((p) => `${p.ruleId}: ${p.message} (${p.location[0].pointer})`), []);
        // Some addresses are only written to.
        const asked = Object.entries(api.paths).filter(([, p]) => p.get);
        const ids = asked.map(([, p]) => p.get.operationId);
        assert.equal(new Set(ids).size, ids.length);
        for (const [route, { get: operation }] of asked) {
            assert.notEqual(operation.summary, operation.operationId, `${route} has no summary`);
            const inPath = operation.parameters.filter((p) => p.in === 'path').map((p) => p.name);
            assert.deepEqual(inPath, [...route.matchAll(/\{(\w+)\}/g)].map((m) => m[1]), route);
            assert.ok(!inPath.some((name) => /^p\d$/.test(name)), `${route}: a parameter without a name`);
            for (const p of operation.parameters.filter((q) => q.$ref))
                assert.ok(api.components.parameters[p.$ref.split('/').at(-1)], p.$ref);
            // Whatever stands for the parameters, the server knows the path.
            const target = route.replace('{extension}', 'png').replaceAll(/\{\w+\}/g, '1');
            const there = await at(route === '/changes' ? '/changes?f=json' : target);
            assert.doesNotMatch(there.status === 404 ? there.text() : '', /there is nothing here/, route);
        }
        const metrics = (await at('/metrics')).text();
        const routes = new Set([...metrics.matchAll(/route="(\w+)"/g)].map((m) => m[1]));
        for (const name of routes) assert.ok(name === 'none' || ids.includes(name), name);
        const columns = api.paths['/collections/place/items'].get.parameters.filter((p) => p.name);
        assert.ok(['id', 'kind', 'weight', 'note', 'at', 'square'].every((c) => columns.some((p) => p.name === c)));
        assert.equal(columns.find((p) => p.name === 'weight').schema.type, 'integer');
    });

    await t.test('rows come in the order that is asked for, page behind page', async () => {
        const text = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
        const last = (a, b) => (a === null) - (b === null);
        for (const [sortby, order] of [
            ['-weight,id', (a, b) => b.weight - a.weight || text(a.id, b.id)],
            ['%2Bnote', (a, b) => text(a.note, b.note)],
            ['+at,-id', (a, b) => text(a.at, b.at) || text(b.id, a.id)],
            ['kind,-note', (a, b) => last(a.kind, b.kind) || text(a.kind ?? '', b.kind ?? '') || text(b.note, a.note)],
            ['-kind,-note', (a, b) => last(a.kind, b.kind) || text(b.kind ?? '', a.kind ?? '') || text(b.note, a.note)],
        ]) {
            const some = rows.filter((r) => r.weight < 5).sort(order);
            const got = await pages(`${server.url}/collections/place/items?sortby=${sortby}&limit=700&filter=weight%3C5`);
            assert.deepEqual(got.map((f) => f.id), some.map((r) => r.id), sortby);
        }
        const unsorted = await pages(`${server.url}/collections/place/items?limit=999`);
        assert.equal(new Set(unsorted.map((f) => f.id)).size, ROWS);
    });

    await t.test('columns, equality and single rows', async () => {
        const page = (await at('/collections/place/items?properties=weight,kind&limit=3')).json();
        check(schema.features, page, 'items');
        for (const f of page.features) assert.deepEqual(Object.keys(f.properties), ['weight', 'kind']);
        assert.deepEqual(Object.keys((await at('/collections/place/items?properties=&limit=1')).json().features[0].properties), []);
        const equal = await pages(`${server.url}/collections/place/items?kind=${encodeURIComponent('工厂')}&weight=4`);
        assert.deepEqual(equal.map((f) => f.id).sort(), rows.filter((r) => r.kind === '工厂' && r.weight === 4).map((r) => r.id));
        const timed = (await at(`/collections/place/items?at=${encodeURIComponent('2023-02-06T12:00:00+08:00')}`)).json();
        assert.equal(timed.numberMatched, rows.filter((r) => r.at.startsWith('2023-02-06')).length);
        const one = (await at('/collections/place/items/P00042')).json();
        check(schema.feature, one, 'item');
        assert.equal(one.properties.note, rows[42].note);
        assert.equal((await get(one.links.find((l) => l.rel === 'self').href)).json().id, 'P00042');
        check(schema.features, (await at('/collections/square/items')).json(), 'polygons');
        check(schema.features, (await at('/collections/road/items?limit=2')).json(), 'lines');
        // A larger limit than is served means the largest.
        assert.equal((await at('/collections/place/items?limit=1000000000')).json().numberReturned, ROWS);
    });

    await t.test('coordinates in every system, as GDAL transforms them', async () => {
        const plain = (await at('/collections/place/items?limit=20')).json().features.map((f) => f.geometry.coordinates);
        const turned = new Set(['4326', '4490', '4547']);
        for (const code of ['4326', '4490', '4547', '3857']) {
            const answer = await at(`/collections/place/items?limit=20&crs=${EPSG}${code}`);
            assert.equal(answer.headers['content-crs'], `<${EPSG}${code}>`);
            const { stdout } = await new Promise((resolve, reject) => {
                import('node:child_process').then(({ execFile }) => {
                    const child = execFile('gdaltransform', ['-s_srs', 'OGC:CRS84', '-t_srs', `EPSG:${code}`, '-output_xy'],
                        (error, out) => error ? reject(error) : resolve({ stdout: out }));
                    child.stdin.end(plain.map((p) => p.join(' ')).join('\n') + '\n');
                });
            });
            const wanted = stdout.trim().split('\n').map((l) => l.split(' ').map(Number));
            answer.json().features.forEach((f, i) => {
                const [x, y] = turned.has(code) ? [...f.geometry.coordinates].reverse() : f.geometry.coordinates;
                const tolerance = ['4326', '4490'].includes(code) ? 1e-7 : 0.02;
                assert.ok(Math.abs(x - wanted[i][0]) < tolerance && Math.abs(y - wanted[i][1]) < tolerance, `${code}: ${x} ${y}, GDAL ${wanted[i]}`);
            });
        }
        const item = await at(`/collections/place/items/P00042?crs=${EPSG}4490`);
        assert.ok(Math.abs(item.json().geometry.coordinates[0] - rows[42].lat) < 1e-6);
        const square = (await at(`/collections/square/items/U00?crs=EPSG:4547`)).json().geometry.coordinates[0][0];
        assert.ok(square[0] > 2.4e6 && square[1] < 6e5, 'north before east');
    });

    await t.test('boxes and filters in every system take the same rows', async () => {
        // Not on a place: the grid has cells of a centimetre.
        const box = [WEST + 0.0503, SOUTH + 0.0503, WEST + 0.2507, SOUTH + 0.1507];
        const inside = rows.filter((r) => r.lon >= box[0] && r.lon <= box[2] && r.lat >= box[1] && r.lat <= box[3]).length;
        const count = async (query) => {
            const answer = await at(`/collections/place/items?limit=1&${query}`);
            assert.equal(answer.status, 200, `${query}: ${answer.body}`);
            return answer.json().numberMatched;
        };
        const [w, s, e, n] = box;
        assert.equal(await count(`bbox=${box}`), inside);
        assert.equal(await count(`bbox=${w},${s},-5,${e},${n},9000`), inside);
        // West of it and east of it: around the world, across the antimeridian.
        const beside = rows.filter((r) => (r.lon >= e || r.lon <= w) && r.lat >= s && r.lat <= n).length;
        assert.ok(beside > 0 && beside !== inside);
        assert.equal(await count(`bbox=${e},${s},${w},${n}`), beside);
        assert.equal(await count(`bbox=${s},${e},${n},${w}&bbox-crs=${EPSG}4326`), beside);
        const stats = await at(`/stats/place?bbox=${e},${s},${w},${n}`);
        assert.equal(stats.json().count, beside);
        // Of the squares of two rows those of the first column and of the last two.
        assert.equal((await at(`/collections/square/items?limit=1&bbox=${e},${s},${w},${n}`)).json().numberMatched, 6);
        for (const code of ['4326', '4490']) {
            assert.equal(await count(`bbox=${s},${w},${n},${e}&bbox-crs=${EPSG}${code}`), inside);
            assert.equal(await count(`filter-crs=${EPSG}${code}&filter=${encodeURIComponent(`S_INTERSECTS(geom,BBOX(${s},${w},${n},${e}))`)}`), inside);
            assert.equal(await count(`filter-lang=cql-text&filter-crs=${EPSG}${code}&filter=${encodeURIComponent(
                `S_INTERSECTS(geom,POLYGON((${s} ${w},${s} ${e},${n} ${e},${n} ${w},${s} ${w})))`)}`), inside);
        }
        const mercator = (lon, lat) => [lon * 6378137 * Math.PI / 180, 6378137 * Math.asinh(Math.tan(lat * Math.PI / 180))];
        assert.equal(await count(`bbox=${[...mercator(w, s), ...mercator(e, n)]}&bbox-crs=${EPSG}3857`), inside);
        // A box of 4547 is none of degrees: what GDAL makes of each row decides.
        const { stdout } = await run('ogr2ogr', ['-f', 'CSV', '/vsistdout/', path.join(dir, 'places.csv'), '-oo', 'X_POSSIBLE_NAMES=lon',
            '-oo', 'Y_POSSIBLE_NAMES=lat', '-s_srs', 'OGC:CRS84', '-t_srs', 'EPSG:4547', '-lco', 'GEOMETRY=AS_XY', '-select', 'id']);
        const points = stdout.trim().split('\n').slice(1).map((l) => l.split(',').slice(0, 2).map(Number));
        const [north0, east0, north1, east1] = [2520000, 455000, 2535000, 472000];
        const wanted = points.filter(([x, y]) => x >= east0 && x <= east1 && y >= north0 && y <= north1).length;
        assert.ok(wanted > 100, String(wanted));
        assert.equal(await count(`bbox=${[north0, east0, north1, east1]}&bbox-crs=EPSG:4547`), wanted);
        assert.equal(await count(`filter-crs=EPSG:4547&filter=${encodeURIComponent(`S_INTERSECTS(geom,BBOX(${[north0, east0, north1, east1]}))`)}`), wanted);
    });

    await t.test('files hold the same rows in every form', async () => {
        const query = `filter=${encodeURIComponent("kind = 'shop' AND weight > 2")}`;
        const wanted = rows.filter((r) => r.kind === 'shop' && r.weight > 2);
        for (const form of ['geojson', 'csv', 'fgb', 'gpkg']) {
            const file = await at(`/collections/place/items.${form}?${query}&sortby=id`);
            assert.equal(file.status, 200);
            assert.equal(file.headers['content-disposition'], `attachment; filename="place-selection.${form}"`);
            assert.equal(file.headers['ogc-numbermatched'], String(wanted.length));
            assert.equal(file.headers['accept-ranges'], 'bytes');
            const name = path.join(dir, `saved.${form}`);
            await writeFile(name, file.body);
            const { stdout } = await run('ogr2ogr', ['-f', 'CSV', '/vsistdout/', name, '-select', 'id,kind,weight,note', '-lco', 'STRING_QUOTING=IF_NEEDED']);
            const lines = stdout.trim().split('\n').slice(1);
            assert.deepEqual(lines.map((l) => l.split(',')[0]), wanted.map((r) => r.id), form);
            if (form !== 'geojson') assert.deepEqual((await at(`/collections/place/items?f=${form}&${query}&sortby=id`)).headers.etag, file.headers.etag);
        }
        const whole = await at('/collections/place/items.csv');
        assert.equal(whole.headers['content-disposition'], 'attachment; filename="place.csv"');
        assert.equal(whole.text().trim().split('\n').length, ROWS + 1);
        const projected = path.join(dir, 'projected.gpkg');
        await writeFile(projected, (await at('/collections/square/items?f=gpkg&crs=EPSG:4547')).body);
        const info = JSON.parse((await run('gdal' + 'srsinfo', ['-o', 'projjson', '--single-line', projected]).catch(() => ({ stdout: '{}' }))).stdout || '{}');
        assert.ok(!info.id || info.id.code === 4547);
        const { stdout: extent } = await run('ogrinfo', ['-so', projected, 'square']);
        assert.match(extent, /Extent: \(4[45]\d{4}/);
        assert.match(extent, /ID\["EPSG",4547\]/);
        assert.equal((await at('/collections/place/items.kml')).status, 404);
    });

    await t.test('a file is read in pieces, and gone on with where a line broke', async () => {
        const target = '/collections/place/items.csv', whole = await at(target);
        const range = (value, more = {}) => at(target, { headers: { Range: value, ...more } });
        const joined = [];
        for (let from = 0; from < whole.body.length; from += 100000) {
            const piece = await range(`bytes=${from}-${from + 99999}`);
            assert.equal(piece.status, 206);
            assert.equal(piece.headers['content-range'], `bytes ${from}-${Math.min(from + 99999, whole.body.length - 1)}/${whole.body.length}`);
            joined.push(piece.body);
        }
        assert.ok(Buffer.concat(joined).equals(whole.body));
        const end = await range('bytes=-10');
        assert.ok(end.body.equals(whole.body.subarray(-10)));
        assert.ok((await range('bytes=50-')).body.equals(whole.body.subarray(50)));
        for (const [value, status] of [[`bytes=${whole.body.length}-`, 416], ['bytes=-0', 416], ['bytes=9-5', 200], ['bytes=a-b', 200],
            ['bytes=0-1,3-4', 200], ['lines=0-1', 200], ['bytes=', 200], ['bytes=0-99999999999999999999999', 200]])
            assert.equal((await range(value)).status, status, value);
        assert.equal((await range('bytes=0-9', { 'If-Range': whole.headers.etag })).status, 206);
        assert.equal((await range('bytes=0-9', { 'If-Range': '"other"' })).status, 200);
        assert.equal((await at(target, { headers: { 'If-None-Match': whole.headers.etag } })).status, 304);
        const head = await at(target, { method: 'HEAD' });
        assert.equal(Number(head.headers['content-length']), whole.body.length);
        assert.equal(head.headers.etag, whole.headers.etag);
        // GDAL reads it over HTTP as if it were here.
        const { stdout } = await run('ogrinfo', ['-so', '-al', `/vsicurl/${server.url}/collections/place/items.fgb`], { CPL_VSIL_CURL_ALLOWED_EXTENSIONS: '.fgb' });
        assert.match(stdout, new RegExp(`Feature Count: ${ROWS}`));
    });

    await t.test('Accept chooses the form, and nothing that fits is 406', async () => {
        const type = async (target, accept) => {
            const answer = await at(target, { headers: { Accept: accept } });
            return answer.status === 200 ? answer.headers['content-type'].split(';')[0] : answer.status;
        };
        for (const [target, accept, wanted] of [
            ['/collections/place/items?limit=1', 'text/csv', 'text/csv'],
            ['/collections/place/items?limit=1', 'application/geo+json, application/json', 'application/geo+json'],
            ['/collections/place/items?limit=1', 'application/json', 'application/geo+json'],
            ['/collections/place/items?limit=1', 'text/csv;q=0.5, application/geo+json;q=0.9', 'application/geo+json'],
            ['/collections/place/items?limit=1', 'text/html,*/*;q=0.8', 'application/geo+json'],
            ['/collections/place/items?limit=1', 'application/geo+json;q=0, text/*', 'text/csv'],
            ['/collections/place/items?limit=1', 'image/png', 406],
            ['/collections/place/items?limit=1', '*/*;q=0', 406],
            ['/collections/place/items?limit=1&f=csv', 'image/png', 'text/csv'],
            ['/collections', 'application/json', 'application/json'], ['/collections', 'application/*', 'application/json'],
            ['/collections', 'text/html', 406], ['/collections', 'application/xml', 406], ['/collections?f=json', 'text/html', 'application/json'],
            ['/conformance', 'image/*', 406], ['/', 'text/html', 'text/html'], ['/', 'application/json', 'application/json'], ['/', 'image/gif', 406],
            ['/api', 'application/vnd.oai.openapi+json;version=3.0, application/json', 'application/vnd.oai.openapi+json'],
            ['/collections/place/queryables', 'application/schema+json', 'application/schema+json'],
        ]) assert.equal(await type(target, accept), wanted, `${target} as ${accept}`);
        const answer = await at('/collections/place/items?limit=1');
        assert.match(answer.headers.vary, /Accept, Accept-Encoding/);
        const refused = await at('/collections', { headers: { Accept: 'application/xml' } });
        assert.equal(refused.headers['content-type'], 'application/problem+json');
        assert.equal(refused.headers['access-control-allow-origin'], undefined);
    });

    await t.test('an address that names the sequence is kept for ever', async () => {
        const sequence = (await at('/?f=json')).json().sequence;
        for (const target of ['/collections/place', '/tiles/heat:place/11/1669/891.png', '/collections/place/items?limit=1', '/tiles/place.json',
            '/wmts/1.0.0/WMTSCapabilities.xml', '/stats/place']) {
            const sign = target.includes('?') ? '&' : '?';
            for (const [v, kept] of [[sequence, true], [sequence + 1, false]]) {
                const answer = await at(`${target}${sign}v=${v}`);
                assert.equal(answer.status, 200, `${target} ${answer.body}`);
                assert.equal(/immutable/.test(answer.headers['cache-control']), kept, `${target} v=${v}`);
            }
            assert.doesNotMatch((await at(target)).headers['cache-control'], /immutable/);
        }
        assert.equal((await at('/collections?v=x')).json().parameter, 'v');
    });

    await t.test('the same page has the same ETag at another moment', async () => {
        const target = '/collections/place/items?limit=5';
        const one = await at(target);
        // asked until the server's own second is another: its clock need not tick with this process's
        let two = one;
        await until('another second', async () => (two = await at(target)).json().timeStamp !== one.json().timeStamp);
        assert.equal(one.headers.etag, two.headers.etag);
        assert.equal((await at(target, { headers: { 'If-None-Match': one.headers.etag } })).status, 304);
    });

    await t.test('what is wrong is told with its parameter', async () => {
        for (const [query, parameter] of [
            ['sortby=nothing', 'sortby'], ['sortby=id,,at', 'sortby'], ['sortby=id,at,kind,weight,note', 'sortby', 422], ['properties=id,nothing', 'properties'],
            ['crs=EPSG:9999', 'crs'], ['crs=', 'crs'], ['bbox-crs=GCJ02&bbox=1,2,3,4', 'bbox-crs'], ['filter-crs=x&filter=weight=1', 'filter-crs'],
            ['bbox=2550000,400000,2540000,480000&bbox-crs=EPSG:4547', 'bbox'], ['bbox=1,2,3', 'bbox'], ['bbox=1,2,3,4,5', 'bbox'], ['bbox=1,2,3,4,5,6,7', 'bbox'],
            ['filter-lang=cql2-json&filter=x', 'filter-lang'], ['weight=heavy', 'weight'], ['at=yesterday', 'at'], ['nothing=1', 'nothing'], ['f=kml', 'f'],
        ].map(([q, p, s = 400]) => [q, p, s])) {
            const answer = await at(`/collections/place/items?${query}`);
            assert.ok([400, 422].includes(answer.status), `${query}: ${answer.status}`);
            assert.equal(answer.json().parameter, parameter, query);
        }
    });

    await t.test('layers over the whole of them add up', async () => {
        const counts = await Promise.all(Array.from({ length: SIDE * SIDE }, async (_, i) => {
            const [row, col] = [Math.floor(i / SIDE), i % SIDE];
            return (await at(`/collections/place/items?limit=1&square=U${row}${col}`)).json().numberMatched;
        }));
        const outside = (await at('/collections/place/items?limit=1&filter=square%20IS%20NULL')).json().numberMatched;
        assert.equal(counts.reduce((a, b) => a + b, outside), ROWS);
        assert.ok(STEP > 0);
    });
});

test('what a file or an order would cost is known before', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    const lines = ['lon,lat,id,text'];
    for (let i = 0; i < 110000; i++) lines.push(`${(113 + i * 7e-6).toFixed(6)},22.9,P${i},"text of ${(i * 7919) % 1000003}"`);
    await writeFile(path.join(dir, 'many.csv'), lines.join('\n') + '\n');
    await done('import', city, 'many', path.join(dir, 'many.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id');
    const server = await serve(t, city), at = (target, options) => get(server.url + target, options);
    const sorted = await at('/collections/many/items.csv?sortby=text');
    assert.equal(sorted.status, 422);
    assert.equal(sorted.json().parameter, 'sortby');
    assert.match(sorted.json().detail, /at most 100000 rows, not 110000/);
    const fewer = await at('/collections/many/items.csv?sortby=-text&limit=2000');
    assert.equal(fewer.status, 200);
    assert.equal(fewer.text().trim().split('\n').length, 2001);
    const page = (await at('/collections/many/items?sortby=text&limit=50000')).json();
    assert.equal(page.numberReturned, 10000);
    assert.equal(page.numberMatched, 110000);
    // While a file is written, others are answered.
    const file = at('/collections/many/items.gpkg?limit=30000');
    assert.equal((await at('/stats/many')).json().count, 110000);
    assert.equal((await file).headers['ogc-numberreturned'], '30000');
});
